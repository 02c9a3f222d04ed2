"""The simple values of CAP elements: text in, value out, ValueError saying what is needed."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from urllib.parse import quote

from ward_protocol.cap.model import Circle, Reference

W = TypeVar("W", bound=StrEnum)

# Ref: CAP 1.2 §3.3.2: no "Z", an offset always; a dash before 00:00 means UTC.
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d{1,12}(\.\d{0,12})?|\.\d{1,12})", re.ASCII)
# Ref: RFC 3986, appendix A, without IP literals; what is none of its characters was escaped before.
_URI_CHARACTERS = "%:/?#[]@!$&'()*+,;=~"
_UNIT = r"(?:[\w.~!$&'()*+,;=-]|%[0-9A-F]{2})"
_PATH_UNIT = rf"(?:{_UNIT}|[:@])"
_PATH = rf"(?:/{_PATH_UNIT}*)*"
_AUTHORITY = rf"//(?:(?:{_UNIT}|:)*@)?{_UNIT}*(?::\d{{1,5}})?{_PATH}"
_ROOTED = rf"/(?:{_PATH_UNIT}+{_PATH})?"
_URI = re.compile(
    rf"(?:[a-z][a-z0-9+.-]*:(?:{_AUTHORITY}|{_ROOTED}|{_PATH_UNIT}+{_PATH})|{_AUTHORITY}|{_ROOTED}|(?:(?:{_UNIT}|@)+{_PATH})?)"
    rf"(?:\?(?:{_PATH_UNIT}|[/?])*)?(?:\#(?:{_PATH_UNIT}|[/?])*)?",
    re.ASCII | re.IGNORECASE,
)
_RESTRICTED = re.compile(r"[\s,<&]")
_NO_OFFSET, _FURTHEST = timedelta(), timedelta(hours=14)  # Ref: XML Schema part 2, §3.2.7.3
_SHOWN = 40


def word(kind: type[W], text: str) -> W:
    """One of a closed set, spelled exactly."""
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{_short(text)} is none of {', '.join(kind)}") from None


def name(text: str) -> str:
    """An identifier or sender. Ref: CAP 1.2 §3.2.1: no spaces, commas, < or &."""
    if not text or _RESTRICTED.search(text):
        raise ValueError(f"{_short(text)} must be a name without spaces, commas, '<' and '&'")
    return text


def filled(text: str) -> str:
    """A text that may not be empty."""
    if not text:
        raise ValueError("the text is empty")
    return text


def time(text: str) -> datetime:
    """A time with its offset."""
    if not _TIME.fullmatch(text):
        raise ValueError(f"{_short(text)} is not a time such as 2026-08-01T14:05:00+07:00")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{_short(text)} is no time: {error}") from None
    if abs(moment.utcoffset() or _NO_OFFSET) > _FURTHEST:
        raise ValueError(f"{_short(text)} is no time: no place on Earth is over 14 hours from UTC")
    return moment


def language(text: str) -> str:
    """A language tag."""
    if not _LANGUAGE.fullmatch(text):
        raise ValueError(f"{_short(text)} is not a language tag such as vi-VN")
    return text


def number(text: str) -> float:
    """A decimal number without exponent."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{_short(text)} is not a decimal number")
    return float(text)


def count(text: str) -> int:
    """A number of bytes."""
    if not re.fullmatch(r"\d{1,15}", text, re.ASCII):
        raise ValueError(f"{_short(text)} is not a number of bytes")
    return int(text)


def uri(text: str) -> str:
    """A URI or a relative reference, with what must be escaped escaped or not. Ref: XML Schema part 2, §3.2.17."""
    if not _URI.fullmatch(quote(text, safe=_URI_CHARACTERS)):
        raise ValueError(f"{_short(text)} is not a URI such as https://example.vn/a")
    return text


def sha1(text: str) -> str:
    """A SHA-1 in hexadecimal. Ref: CAP 1.2 §3.2.3, digest."""
    if not re.fullmatch(r"[0-9A-Fa-f]{40}", text, re.ASCII):
        raise ValueError(f"{_short(text)} is not the 40 hexadecimal digits of a SHA-1")
    return text


def base64_text(text: str) -> str:
    """Bytes in base64, broken into lines or not. Ref: CAP 1.2 §3.2.3, derefUri."""
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except ValueError as error:
        raise ValueError(f"{_short(text)} is not base64: {error}") from None
    return text


def embedded_sha1(text: str) -> str:
    """The SHA-1, in small hexadecimal digits, of the bytes in a base64 text."""
    return hashlib.sha1(base64.b64decode("".join(text.split())), usedforsecurity=False).hexdigest()


def point(text: str) -> tuple[float, float]:
    """Latitude and longitude in degrees, separated by a comma."""
    parts = text.split(",")
    if len(parts) != 2:
        raise ValueError(f"{_short(text)} is not a point such as 20.97,105.77")
    latitude, longitude = number(parts[0]), number(parts[1])
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise ValueError(f"{_short(text)} is not on the Earth: latitude to 90, longitude to 180 degrees")
    return latitude, longitude


def polygon(text: str) -> tuple[tuple[float, float], ...]:
    """A closed ring of at least four points. Ref: CAP 1.2 §3.2.4."""
    points = tuple(point(each) for each in text.split())
    if len(points) < 4 or points[0] != points[-1]:
        raise ValueError(f"{_short(text)} needs four points or more, the last equal to the first")
    return points


def circle(text: str) -> Circle:
    """A point, a space and a radius in kilometres. Ref: CAP 1.2 §3.2.4."""
    parts = text.split()
    if len(parts) != 2:
        raise ValueError(f"{_short(text)} is not a circle such as 20.97,105.77 2.5")
    radius = number(parts[1])
    if radius < 0 or not math.isfinite(radius):
        raise ValueError(f"{_short(text)} has a negative radius")
    return Circle(*point(parts[0]), radius)


def references(text: str) -> tuple[Reference, ...]:
    """Messages as sender,identifier,sent separated by white space; none in an empty element."""
    return tuple(_reference(each) for each in text.split())


def _reference(text: str) -> Reference:
    parts = text.split(",")
    if len(parts) != 3:
        raise ValueError(f"{_short(text)} is not sender,identifier,sent")
    return Reference(name(parts[0]), name(parts[1]), time(parts[2]))


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
