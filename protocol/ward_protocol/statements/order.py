"""What a hub is told to do: orders of an authority. Times are Unix seconds, UTC.

An order reaches bulletins of its own priority and below, of issuers that stand no higher than its own; so whoever may
not air an emergency cannot silence one. It is as strong as what it stops: one with the priority emergency needs what an
emergency bulletin needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from ward_protocol.schema import key, many, one_of, struct, table, text, uint
from ward_protocol.statements.bulletin import DIGEST, Audience
from ward_protocol.statements.documents import IDENTIFIER, Kind
from ward_protocol.statements.stream import Stream
from ward_protocol.statements.words import Priority, Status

SETTING = text(200, 0)


class Action(IntEnum):
    """What an order asks for."""

    STOP = 1
    SILENCE = 2
    BLANK = 3
    RESUME = 4
    PURGE = 5
    STREAM_START = 6
    STREAM_STOP = 7
    DECISION = 8
    CONFIGURATION = 9
    CLEAR = 10


class Verdict(IntEnum):
    """What a ward's operator decides about bulletins that wait (Circular 39/2020/TT-BTTTT)."""

    FIRST = 1
    DECLINE = 2


# What an authority must be granted for an action; `Kind.ORDER` where nothing else is said.
KINDS: dict[Action, Kind] = {
    Action.STREAM_START: Kind.STREAM,
    Action.STREAM_STOP: Kind.STREAM,
    Action.CONFIGURATION: Kind.CONFIGURATION,
    Action.CLEAR: Kind.CONFIGURATION,
}
# The fields that each action takes beside those of all orders; those in the first set it needs.
_TAKES: dict[Action, tuple[frozenset[str], frozenset[str]]] = {
    Action.STOP: (frozenset(), frozenset({"targets"})),
    Action.SILENCE: (frozenset(), frozenset({"until"})),
    Action.BLANK: (frozenset(), frozenset({"until"})),
    Action.RESUME: (frozenset(), frozenset()),
    Action.PURGE: (frozenset(), frozenset({"targets"})),
    Action.STREAM_START: (frozenset({"stream", "status"}), frozenset()),
    Action.STREAM_STOP: (frozenset(), frozenset({"targets"})),
    Action.DECISION: (frozenset({"targets", "verdict"}), frozenset()),
    Action.CONFIGURATION: (frozenset({"settings"}), frozenset()),
    Action.CLEAR: (frozenset(), frozenset()),
}
# Which orders may be for some zones or boards only.
_NARROWED: dict[str, frozenset[Action]] = {
    "zones": frozenset({Action.SILENCE, Action.STREAM_START, Action.STREAM_STOP}),
    "boards": frozenset({Action.BLANK, Action.STREAM_START, Action.STREAM_STOP}),
}


@dataclass(frozen=True, slots=True)
class Order:
    """Something to do at once; what is stopped, purged or decided about is named by `targets`, ids of statements.

    `status` says of a `stream` whether it is real or a drill.
    """

    issuer: str = key(1, IDENTIFIER)
    sequence: int = key(2, uint(minimum=1))
    issued: int = key(3, uint())
    expires: int = key(4, uint())
    audience: Audience = key(5, struct(Audience))
    priority: Priority = key(6, one_of(Priority))
    action: Action = key(7, one_of(Action))
    targets: tuple[bytes, ...] = key(8, many(DIGEST, 64), default=())
    until: int = key(9, uint(), default=0)
    verdict: Verdict | None = key(10, one_of(Verdict), default=None)
    settings: Mapping[str, str] | None = key(11, table(text(64), SETTING, 32), default=None)
    why: str = key(12, text(400), default="")
    stream: Stream | None = key(13, struct(Stream), default=None)
    status: Status | None = key(14, one_of(Status), default=None)

    def __post_init__(self) -> None:
        needs, takes = _TAKES[self.action]
        given = {name for name in ("targets", "until", "verdict", "stream", "status") if getattr(self, name)}
        given |= {"settings"} if self.settings is not None else set()
        if missing := needs - given:
            raise ValueError(f"an order {self.action.name.lower()} needs {', '.join(sorted(missing))}")
        if more := given - needs - takes:
            raise ValueError(f"an order {self.action.name.lower()} takes no {', '.join(sorted(more))}")
        for name, actions in _NARROWED.items():
            if getattr(self.audience, name) and self.action not in actions:
                raise ValueError(f"an order {self.action.name.lower()} cannot be narrowed to {name}")
        if self.settings is not None and not self.settings:
            raise ValueError("an order configuration without a setting")
        if self.until and self.until <= self.issued:
            raise ValueError("it would have ended before it began")

    @property
    def title(self) -> str:
        """What it is, for logs and lists; a drill says that it is one."""
        name = self.action.name.lower().replace("_", "-")
        return name if self.status in {None, Status.ACTUAL} else f"{name} ({self.status})"
