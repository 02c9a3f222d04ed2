"""From a TOML draft to the order to be signed: a draft with the key `order` is one, every other is a bulletin's.

Ref: docs/protocol.md, Orders.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ward_hub.drafts import LIFE_S, Issue
from ward_hub.publisher.drafts import Outlet, Section, seconds
from ward_hub.publisher.errors import CeremonyError
from ward_hub.publisher.streams import StreamDraft, stream_of
from ward_protocol.statements import Action, Audience, Order, Priority, Status, Verdict

MARK = "order"
MINUTE_S = 60
STREAM_LIFE_S = 300  # who speaks does not speak to hubs that come back tomorrow
Value = str | int
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]


class OrderDraft(Section, frozen=True, kw_only=True):
    """An order as an officer writes it: what, for what it reaches, and what that action takes beside.

    `until` and `minutes` say the same in two ways; `settings` by their names, `hub.language`, or in tables of sections.
    Without `expires` a hub that was off line carries it out for a day, or until it would have ended; it starts a stream
    for five minutes, and a stream that names no hubs is for those whose requests it names.
    """

    order: Literal[
        "stop",
        "silence",
        "blank",
        "resume",
        "purge",
        "stream_start",
        "stream_stop",
        "decision",
        "configuration",
        "clear",
    ]
    priority: Literal["normal", "priority", "emergency"] = "normal"
    until: datetime | None = None
    minutes: Annotated[int, Meta(ge=1, le=525_600)] | None = None
    targets: tuple[Digest, ...] = ()
    verdict: Literal["first", "decline"] | None = None
    settings: dict[str, Value | dict[str, Value]] | None = None
    status: Status | None = None
    stream: StreamDraft | None = None
    zones: tuple[Outlet, ...] = ()
    boards: tuple[Outlet, ...] = ()
    hubs: tuple[Outlet, ...] = ()
    why: Annotated[str, Meta(max_length=400)] = ""
    expires: datetime | None = None


def is_order(content: bytes) -> bool:
    """Say whether a TOML draft is that of an order; what cannot be read is none."""
    try:
        return MARK in tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        return False


def order_of(content: bytes, issue: Issue, folder: Path) -> Order:
    """Return the order of a TOML draft that lies in `folder`; raises CeremonyError naming the key that is wrong.

    StateError tells of the file of a stream's key.
    """
    try:
        draft = msgspec.convert(tomllib.loads(content.decode()), OrderDraft)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise CeremonyError(f"order: {error}") from error
    until = _until(draft, issue.now)
    life_s = STREAM_LIFE_S if draft.stream else LIFE_S
    expires = seconds(draft.expires, "order: expires") if draft.expires else until or issue.now + life_s
    if expires <= issue.now:
        raise CeremonyError(f"order: {'expires' if draft.expires else 'until'} lies in the past")
    try:
        stream = None
        if draft.stream is not None:
            stream = stream_of(draft.stream, folder, issuer=issue.issuer, sequence=issue.sequence)
        hubs = draft.hubs or (tuple(stream.keys) if stream else ())
        return Order(
            issuer=issue.issuer,
            sequence=issue.sequence,
            issued=issue.now,
            expires=expires,
            audience=Audience(issue.areas, hubs, draft.zones, draft.boards),
            priority=Priority[draft.priority.upper()],
            action=Action[draft.order.upper()],
            targets=tuple(bytes.fromhex(one) for one in draft.targets),
            until=until,
            verdict=Verdict[draft.verdict.upper()] if draft.verdict else None,
            settings=None if draft.settings is None else _flat(draft.settings),
            why=draft.why,
            stream=stream,
            status=draft.status,
        )
    except ValueError as error:
        raise CeremonyError(f"order: {error}") from error


def _until(draft: OrderDraft, now: int) -> int:
    if draft.until is not None and draft.minutes is not None:
        raise CeremonyError("order: give either until or minutes")
    if draft.minutes is not None:
        return now + draft.minutes * MINUTE_S
    return 0 if draft.until is None else seconds(draft.until, "order: until")


def _flat(settings: Mapping[str, Value | Mapping[str, Value]]) -> dict[str, str]:
    """Return settings by their whole names: `hub.language` in a table is the key `language` of the table `hub`."""
    flat: dict[str, str] = {}
    for name, value in settings.items():
        if isinstance(value, str | int):
            flat[name] = str(value)
        else:
            flat |= {f"{name}.{key}": str(one) for key, one in value.items()}
    return flat
