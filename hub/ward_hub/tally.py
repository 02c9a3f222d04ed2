"""Bounds what strangers can make the journal write: entries of their own up to a rate, one that sums up the rest.

Whoever reaches a way in can send as many forgeries as the way carries; were each written, they would fill the disk
and bury what matters. So each way has a stock of entries. What comes when it is spent is counted by word, and the
counts become one entry in each period. So every attempt is in the audit trail, and no way makes it grow faster than
`PER_HOUR` + 3600 / `PERIOD_S` entries an hour. Pure: times are arguments, in seconds.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

BURST = 60
PER_HOUR = 60
PERIOD_S = 300.0


@dataclass(frozen=True, slots=True)
class Sum:
    """What a way brought beyond its entries, by word, and over how many seconds."""

    way: str
    seconds: float
    counts: Mapping[str, int]

    def __str__(self) -> str:
        told = ", ".join(f"{count} {word}" for word, count in sorted(self.counts.items()))
        return f"{self.way}: {told} in {self.seconds:.0f} s"


@dataclass(slots=True)
class _Way:
    """The stock of one way, and what was counted since its last sum. Words are few, as they are ours."""

    stock: float
    at: float
    began_at: float = 0.0
    summed_at: float = -math.inf
    counts: Counter[str] = field(default_factory=Counter[str])
    seen: Counter[str] = field(default_factory=Counter[str])


class Tally:
    """Says which attempt gets an entry of its own, and sums up the others. Ways are few, as they are ours."""

    def __init__(self, *, burst: int = BURST, per_hour: float = PER_HOUR, period: float = PERIOD_S) -> None:
        self._burst = float(burst)
        self._rate = per_hour / 3600
        self._period = period
        self._ways: dict[str, _Way] = {}

    def alone(self, way: str, word: str, now: float) -> bool:
        """Say whether this attempt is to be written by itself; where not, it is counted."""
        one = self._way(way, now)
        one.stock = min(self._burst, one.stock + (now - one.at) * self._rate)
        one.at = now
        if one.stock < 1:
            self.count(way, word, now)
            return False
        one.stock -= 1
        one.seen[word] += 1
        return True

    def count(self, way: str, word: str, now: float) -> None:
        """Count what is never written by itself."""
        one = self._way(way, now)
        if not one.counts:
            one.began_at = now
        one.counts[word] += 1
        one.seen[word] += 1

    def seen(self, way: str) -> Counter[str]:
        """Return all that a way brought so far, by word, written by itself or counted."""
        return Counter(self._ways[way].seen) if way in self._ways else Counter()

    def due(self, now: float, *, all_of_it: bool = False) -> list[Sum]:
        """Return the sums that are to be written now: at most one a period for each way, or all, as the agent ends.

        They stay due until they are `settled`, so that none is lost where the journal cannot be written.
        """
        return [
            Sum(way, now - one.began_at, dict(one.counts))
            for way, one in self._ways.items()
            if one.counts and (all_of_it or now - one.summed_at >= self._period)
        ]

    def settled(self, done: Sum, now: float) -> None:
        """Take that a sum was written."""
        one = self._way(done.way, now)
        one.counts = one.counts - Counter(done.counts)
        one.began_at = one.summed_at = now

    def _way(self, way: str, now: float) -> _Way:
        return self._ways.setdefault(way, _Way(self._burst, now))
