"""Which block to ask for next: selective repeat over a set of blocks. Pure: times are arguments, in seconds.

Facts that live only here: which blocks are under way and since when, which are late, which were never asked for.
Blocks that came are known to whoever keeps the bytes.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from ward_hub.links.trip import RoundTrip
from ward_hub.links.window import Window

# Nothing at all came back: for so many timeouts, and to so many attempts in a row. A third lost is usual on a poor
# radio link, and eight of them in a row one chance in seven thousand.
SILENCE_IN_TIMEOUTS = 3.0
SILENCE_IN_ATTEMPTS = 8


@dataclass(slots=True)
class UnderWay:
    """One block that was asked for: when, and how much later than others it is late."""

    asked_at: float
    spread: float


class Schedule:
    """Asks for each of `blocks` until it has come, never more at once than the window allows."""

    def __init__(self, blocks: Iterable[int], window: Window, trip: RoundTrip, rng: random.Random) -> None:
        self.window = window
        self._trip = trip
        self._rng = rng
        self._unasked = deque(blocks)
        self._under_way: dict[int, UnderWay] = {}
        self._late: set[int] = set()
        self._given_up = 0  # attempts since something came
        self._heard_at = float("inf")  # nothing can be missed before something was asked for

    @property
    def finished(self) -> bool:
        """Whether every block has come."""
        return not (self._unasked or self._under_way or self._late)

    def due(self, now: float) -> list[int]:
        """Return the blocks to ask for now, those that were lost first; they count as under way from here on."""
        self._heard_at = min(self._heard_at, now)
        self._give_up_late(now)
        asked: list[int] = []
        while len(self._under_way) < int(self.window.size) and (self._late or self._unasked):
            asked.append(self._ask(now))
        return asked

    def came(self, block: int, took: float, now: float) -> bool:
        """A block came `took` seconds after it was asked for; False where it is not wanted (any more)."""
        if self._under_way.pop(block, None) is None:
            if block not in self._late:
                return False
            self._late.remove(block)
        self._heard_at, self._given_up = now, 0
        self._trip.sample(took, now)
        self.window.answered(took, self._trip.least or took)
        return True

    def wake_at(self) -> float | None:
        """When `due` is to be called next, if nothing comes before."""
        return min((self._late_at(one) for one in self._under_way.values()), default=None)

    def postpone(self, paused_s: float) -> None:
        """Nothing was asked for during `paused_s`: what is under way is late that much later."""
        for one in self._under_way.values():
            one.asked_at += paused_s
        self._heard_at += paused_s

    def _ask(self, now: float) -> int:
        if self._late:
            block = min(self._late)
            self._late.remove(block)
        else:
            block = self._unasked.popleft()
        # Spread, so that blocks lost together are not asked for together for ever.
        self._under_way[block] = UnderWay(now, self._rng.uniform(1.0, 1.1))
        return block

    def _late_at(self, one: UnderWay) -> float:
        """When a block is late by what is known now: the first ones are asked for before anything was measured."""
        return one.asked_at + self._trip.timeout * one.spread

    def _give_up_late(self, now: float) -> None:
        late = [block for block, one in self._under_way.items() if self._late_at(one) <= now]
        for block in late:
            del self._under_way[block]
            self._late.add(block)
            self.window.lost()
        self._given_up += len(late)
        if self._given_up >= SILENCE_IN_ATTEMPTS and now - self._heard_at > SILENCE_IN_TIMEOUTS * self._trip.timeout:
            self.window.silent()
            self._trip.back_off()
            self._heard_at, self._given_up = now, 0
