"""What is silenced and what is blanked, by orders that stand: which outputs a bulletin may not use. Pure.

A hold reaches bulletins of its own priority and below, of issuers that stand no higher than who gave it. It ends at
`until`, if it has one, or with an order to resume by somebody who stands as high.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ward_protocol.statements import Bulletin, Priority


class What(StrEnum):
    """Which outputs a hold closes."""

    SILENCE = "silence"
    BLANK = "blank"


@dataclass(frozen=True, slots=True)
class Hold:
    """One standing order: its id, what it closes (`outlets`: only these zones or boards), its reach, its end or 0."""

    digest: bytes
    what: What
    level: int
    priority: Priority
    outlets: tuple[str, ...] = ()
    until: int = 0

    def reaches(self, bulletin: Bulletin, level: int | None, now: float) -> bool:
        """Say whether it holds back a bulletin whose issuer stands at `level`, at `now`, Unix seconds."""
        return (not self.until or now < self.until) and within_reach(self.priority, self.level, bulletin, level)


def within_reach(priority: Priority, level: int, bulletin: Bulletin, its: int | None) -> bool:
    """Say whether an order of that priority, by an authority at `level`, reaches a bulletin of an issuer at `its`.

    A lower number stands higher; an issuer that is granted nothing any more stands below all.
    """
    return bulletin.priority <= priority and (its is None or its >= level)


@dataclass(frozen=True, slots=True)
class Closed:
    """Which zones and boards are closed to a bulletin; None means all of them."""

    zones: frozenset[str] | None = frozenset()
    boards: frozenset[str] | None = frozenset()

    @property
    def wholly(self) -> bool:
        """Whether nothing is left."""
        return self.zones is None and self.boards is None

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
    return Closed(*(_outlets(one for one in reached if one.what is what) for what in (What.SILENCE, What.BLANK)))


def _outlets(holds: Iterable[Hold]) -> frozenset[str] | None:
    named: set[str] = set()
    for one in holds:
        if not one.outlets:
            return None
        named.update(one.outlets)
    return frozenset(named)
