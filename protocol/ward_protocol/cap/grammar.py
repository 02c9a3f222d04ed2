"""The elements of a CAP message: their order, how many there may be, and how each is read.

Ref: OASIS CAP-v1.2-os, section 3.4 (schema). 1.1 has the same elements and words, but lacks responseType Avoid and
AllClear, and does not need mimeType: the reader judges both.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar, final

from ward_protocol.cap import values
from ward_protocol.cap.model import (
    Alert,
    AlertStatus,
    Area,
    Info,
    MessageType,
    Named,
    Resource,
    ResponseType,
    Scope,
)
from ward_protocol.statements.words import Category, Certainty, Severity, Urgency

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

G_co = TypeVar("G_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Part:
    """One element of a group: where its value goes, how it is read, and how many there may be.

    The text of an `exact` one is read with all its white space. An optional one that holds nothing is as good as
    absent, unless it must be `filled` where it stands.
    """

    field: str
    read: Callable[[str], object] | Group[object]
    required: bool = False
    many: bool = False
    exact: bool = False
    filled: bool = False


@final  # so that a type checker knows that it is not callable, other than what reads a simple value
@dataclass(frozen=True, slots=True)
class Group(Generic[G_co]):
    """An element with elements inside, in the order of the schema; `make` takes the fields as keywords."""

    make: Callable[..., G_co]
    parts: Mapping[str, Part]


def _word(field: str, kind: type[StrEnum], *, required: bool = False, many: bool = False) -> Part:
    """A word of a list, which the schema wants without white space around it."""
    return Part(field, partial(values.word, kind), required, many, exact=True)


def _typed(field: str, read: Callable[[str], object]) -> Part:
    """A time or number, whose type has no empty text."""
    return Part(field, read, filled=True)


_NAMED = Group(
    Named,
    {"valueName": Part("value_name", str, required=True), "value": Part("value", str, required=True)},
)
_AREA = Group(
    Area,
    {
        "areaDesc": Part("area_desc", values.filled, required=True),
        "polygon": Part("polygon", values.polygon, many=True),
        "circle": Part("circle", values.circle, many=True),
        "geocode": Part("geocode", _NAMED, many=True),
        "altitude": _typed("altitude", values.number),
        "ceiling": _typed("ceiling", values.number),
    },
)
_RESOURCE = Group(
    Resource,
    {
        "resourceDesc": Part("resource_desc", values.filled, required=True),
        "mimeType": Part("mime_type", str),
        "size": _typed("size", values.count),
        "uri": Part("uri", values.uri),
        "derefUri": Part("deref_uri", values.base64_text),
        "digest": Part("digest", values.sha1),
    },
)
_INFO = Group(
    Info,
    {
        "language": Part("language", values.language),
        "category": _word("category", Category, required=True, many=True),
        "event": Part("event", values.filled, required=True),
        "responseType": _word("response_type", ResponseType, many=True),
        "urgency": _word("urgency", Urgency, required=True),
        "severity": _word("severity", Severity, required=True),
        "certainty": _word("certainty", Certainty, required=True),
        "audience": Part("audience", str),
        "eventCode": Part("event_code", _NAMED, many=True),
        "effective": _typed("effective", values.time),
        "onset": _typed("onset", values.time),
        "expires": _typed("expires", values.time),
        "senderName": Part("sender_name", str),
        "headline": Part("headline", str),
        "description": Part("description", str),
        "instruction": Part("instruction", str),
        "web": Part("web", values.uri),
        "contact": Part("contact", str),
        "parameter": Part("parameter", _NAMED, many=True),
        "resource": Part("resource", _RESOURCE, many=True),
        "area": Part("area", _AREA, many=True),
    },
)
ALERT = Group(
    Alert,
    {
        "identifier": Part("identifier", values.name, required=True),
        "sender": Part("sender", values.name, required=True),
        "sent": Part("sent", values.time, required=True),
        "status": _word("status", AlertStatus, required=True),
        "msgType": _word("msg_type", MessageType, required=True),
        "source": Part("source", str),
        "scope": _word("scope", Scope, required=True),
        "restriction": Part("restriction", str),
        "addresses": Part("addresses", str),
        "code": Part("code", str, many=True),
        "note": Part("note", str),
        "references": Part("references", values.references),
        "incidents": Part("incidents", str),
        "info": Part("info", _INFO, many=True),
    },
)
