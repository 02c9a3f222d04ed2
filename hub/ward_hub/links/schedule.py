"""Which block to ask for next: selective repeat over a set of blocks. Pure: times are arguments, in seconds.

Facts that live only here: which blocks are under way and since when, which are late, which were never asked for.
Blocks that came are known to whoever keeps the bytes.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from ward_hub.links.trip import LONGEST_TIMEOUT_S, RoundTrip
from ward_hub.links.window import Window

STRETCH = 1.5
SILENCE_IN_TIMEOUTS = 3.0


@dataclass(slots=True)
class UnderWay:
    """One block that was asked for: when its answer is late, and how often it was asked for."""

    late_at: float
    attempts: int


class Schedule:
    """Asks for each of `blocks` until it has come, never more at once than the window allows."""

    def __init__(self, blocks: Iterable[int], window: Window, trip: RoundTrip, rng: random.Random) -> None:
        self.window = window
        self._trip = trip
        self._rng = rng
        self._unasked = deque(blocks)
        self._under_way: dict[int, UnderWay] = {}
        self._late: dict[int, int] = {}  # block to attempts so far
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
        if self._under_way.pop(block, None) is None and self._late.pop(block, None) is None:
            return False
        self._heard_at = now
        self._trip.sample(took, now)
        self.window.answered(took, self._trip.least or took)
        return True

    def wake_at(self) -> float | None:
        """When `due` is to be called next, if nothing comes before."""
        return min((one.late_at for one in self._under_way.values()), default=None)

    def postpone(self, paused_s: float) -> None:
        """Nothing was asked for during `paused_s`: what is under way is late that much later."""
        for one in self._under_way.values():
            one.late_at += paused_s
        self._heard_at += paused_s

    def _ask(self, now: float) -> int:
        if self._late:
            block = min(self._late)
            attempts = self._late.pop(block)
        else:
            block, attempts = self._unasked.popleft(), 0
        patience = min(self._trip.timeout * STRETCH**attempts, LONGEST_TIMEOUT_S)
        # Spread, so that blocks lost together are not asked for together for ever.
        self._under_way[block] = UnderWay(now + patience * self._rng.uniform(1.0, 1.1), attempts + 1)
        return block

    def _give_up_late(self, now: float) -> None:
        late = [block for block, one in self._under_way.items() if one.late_at <= now]
        for block in late:
            self._late[block] = self._under_way.pop(block).attempts
            self.window.lost()
        if late and now - self._heard_at > SILENCE_IN_TIMEOUTS * self._trip.timeout:
            self.window.silent()
            self._trip.back_off()
            self._heard_at = now
