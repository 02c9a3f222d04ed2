"""From what people write to a bulletin to be signed: a short TOML draft, or a CAP 1.2 alert of an office."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from ward_hub.errors import HubError
from ward_hw.audio import Clip
from ward_protocol import cap
from ward_protocol.statements import (
    Audience,
    Audio,
    Bulletin,
    Priority,
    Status,
    Text,
)

LIFE_S = 86_400


class DraftError(HubError):
    """The draft cannot become a bulletin; the message names the field."""


@dataclass(frozen=True, slots=True)
class Issue:
    """What an office adds to a draft: who issues it under which number and when, for where, with which recordings."""

    issuer: str
    sequence: int
    now: int
    areas: tuple[str, ...]
    recordings: tuple[tuple[Path, Clip], ...] = ()


class TextDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Title and body in one language."""

    title: str
    body: str
    language: str = "vi"


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bulletin as an editor writes it; times with their offset, `expires` a day after its beginning by default."""

    priority: Literal["normal", "priority", "emergency"] = "normal"
    status: Status = Status.ACTUAL
    not_before: datetime | None = None
    expires: datetime | None = None
    text: tuple[TextDraft, ...] = ()
    zones: tuple[str, ...] = ()
    boards: tuple[str, ...] = ()
    hubs: tuple[str, ...] = ()
    repeats: Annotated[int, msgspec.Meta(ge=1, le=10)] = 1
    approver: str = ""


def from_toml(content: bytes, issue: Issue) -> Bulletin:
    """Return the bulletin of a TOML draft; raises DraftError."""
    try:
        draft = msgspec.convert(tomllib.loads(content.decode()), Draft)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise DraftError(f"draft: {error}") from error
    begins = _seconds(draft.not_before, "not_before") or issue.now
    expires = _seconds(draft.expires, "expires") or begins + LIFE_S
    if expires <= max(begins, issue.now):
        raise DraftError("draft: expires lies in the past, or before not_before")
    return Bulletin(
        issuer=issue.issuer,
        sequence=issue.sequence,
        issued=issue.now,
        not_before=begins,
        expires=expires,
        audience=Audience(issue.areas, draft.hubs, draft.zones, draft.boards),
        priority=Priority[draft.priority.upper()],
        status=draft.status,
        texts=tuple(Text(one.language, one.title, one.body) for one in draft.text),
        audio=_audio(issue),
        repeats=draft.repeats,
        approver=draft.approver,
    )


def from_cap(content: bytes, issue: Issue) -> Bulletin:
    """Return the bulletin of a CAP alert; raises cap.CapError, or DraftError for what does not become a bulletin.

    What an alert says in several languages becomes several texts; what has expired of it is left out.
    """
    whole = cap.parse(content)
    alert = replace(whole, info=tuple(one for one in whole.info if not _is_over(one, issue.now)))
    if whole.info and not alert.info:
        raise DraftError("CAP expires: the alert has expired already")
    words = cap.cap_words(alert)
    expires = max((int(info.expires.timestamp()) for info in alert.info if info.expires), default=issue.now + LIFE_S)
    try:
        status = Status(alert.status)
    except ValueError as error:
        raise DraftError(f"CAP status {alert.status}: only Actual, Exercise and Test alerts are aired") from error
    return Bulletin(
        issuer=issue.issuer,
        sequence=issue.sequence,
        issued=issue.now,
        not_before=issue.now,
        expires=expires,
        audience=Audience(issue.areas),
        priority=cap.suggested_priority(alert),
        status=status,
        texts=_texts(alert),
        audio=_audio(issue),
        cap=words,
    )


def _is_over(info: cap.Info, now: int) -> bool:
    return info.expires is not None and info.expires.timestamp() <= now


def _texts(alert: cap.Alert) -> tuple[Text, ...]:
    """The alert's texts, one for each language whatever its region."""
    texts: dict[str, Text] = {}
    for one in cap.cap_texts(alert).values():
        language = one.language.partition("-")[0].lower()
        texts.setdefault(language, Text(language, one.title, one.body or one.title))
    return tuple(texts.values())


def _audio(issue: Issue) -> tuple[Audio, ...]:
    named: list[Audio] = []
    for path, clip in issue.recordings:
        data = path.read_bytes()
        named.append(Audio(hashlib.sha256(data).digest(), len(data), f"audio/{clip.codec}", clip.duration_ms))
    return tuple(named)


def _seconds(moment: datetime | None, name: str) -> int | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise DraftError(f"draft: {name} needs an offset, such as +07:00")
    return int(moment.timestamp())
