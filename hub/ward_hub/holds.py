"""What is silenced and what is blanked: which outputs a bulletin may not use. Pure.

A hold by an order reaches bulletins of its own priority and below, of issuers that stand no higher than who gave it.
It ends at `until`, if it has one, or with an order to resume by somebody who stands as high. A hold that was set at the
hub reaches everything and ends at the hub alone: whoever stopped the horns on the spot is not overruled from afar.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from ward_protocol.statements import Bulletin, Priority


class What(StrEnum):
    """Which outputs a hold closes."""

    SILENCE = "silence"
    BLANK = "blank"


AT_THE_HUB = "a command at the hub"
# In place of an order's id, as no SHA-256 looks like it: there is one such hold of each kind, kept as all others are.
_HERE = {What.SILENCE: bytes(31) + b"\x01", What.BLANK: bytes(31) + b"\x02"}


@dataclass(frozen=True, slots=True)
class Hold:
    """One that stands: its id, what it closes (`outlets`: only these zones or boards), its reach, its end or 0.

    `issuer` and `sequence` are those of the order that set it, `since` when it was given, Unix seconds.
    """

    digest: bytes
    what: What
    level: int
    priority: Priority
    outlets: tuple[str, ...] = ()
    until: int = 0
    issuer: str = ""
    sequence: int = 0
    since: int = 0

    @classmethod
    def at_the_hub(cls, what: What, outlets: tuple[str, ...], since: int) -> Hold:
        """Return the hold that a command at the hub sets."""
        return cls(_HERE[what], what, 0, Priority.EMERGENCY, outlets, since=since)

    @property
    def here(self) -> bool:
        """Whether it was set at the hub, and ends there alone."""
        return self.digest == _HERE[self.what]

    @property
    def by(self) -> str:
        """Who set it, for receipts."""
        return AT_THE_HUB if self.here else order_name(self.issuer, self.sequence)

    def reaches(self, bulletin: Bulletin, level: int | None, now: float) -> bool:
        """Say whether it holds back a bulletin whose issuer stands at `level`, at `now`, Unix seconds."""
        return (not self.until or now < self.until) and within_reach(self.priority, self.level, bulletin, level)


def order_name(issuer: str, sequence: int) -> str:
    """Return what an order is called in receipts."""
    return f"order {sequence} of {issuer}"


def within_reach(priority: Priority, level: int, bulletin: Bulletin, its: int | None) -> bool:
    """Say whether an order of that priority, by an authority at `level`, reaches a bulletin of an issuer at `its`.

    A lower number stands higher; an issuer that is granted nothing any more stands below all.
    """
    return bulletin.priority <= priority and (its is None or its >= level)


@dataclass(frozen=True, slots=True)
class Closed:
    """Which zones and boards are closed to a bulletin, None means all of them; and `by` whom."""

    zones: frozenset[str] | None = frozenset()
    boards: frozenset[str] | None = frozenset()
    by: tuple[str, ...] = field(default=(), compare=False)

    def to_zone(self, zone: str) -> bool:
        """Say whether a zone is closed."""
        return self.zones is None or zone in self.zones

    def to_board(self, board: str) -> bool:
        """Say whether a board is closed."""
        return self.boards is None or board in self.boards


OPEN = Closed()


def closed(holds: Iterable[Hold], bulletin: Bulletin, level: int | None, now: float) -> Closed:
    """Return what all holds together close to a bulletin."""
    reached = [one for one in holds if one.reaches(bulletin, level, now)]
    zones, boards = (_outlets(one for one in reached if one.what is what) for what in (What.SILENCE, What.BLANK))
    return Closed(zones, boards, tuple(dict.fromkeys(one.by for one in reached)))


def _outlets(holds: Iterable[Hold]) -> frozenset[str] | None:
    named: set[str] = set()
    for one in holds:
        if not one.outlets:
            return None
        named.update(one.outlets)
    return frozenset(named)
