"""Which unit may be asked when. Pure: times in, times out.

Two reasons to leave a unit alone, after it did not answer:

* Its answer may still come, and would fit the next request of the same shape. For as long again as its time-out only
  orders go to it whose answer proves itself, or is not believed anyway.
* It may be dead, and every question costs the line a whole time-out. What comes by itself again and again (polls,
  renewals) goes to it ever more rarely, up to LONGEST_S; by then a lease has long ended. Orders of people and
  programmes are always tried, but behind those for units that answer. One answer ends all this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ward_hw.bus.order import Priority

if TYPE_CHECKING:
    from ward_hw.bus.order import Order

LONGEST_S = {Priority.RENEWAL: 10.0, Priority.POLL: 30.0}
"""A renewal is tried more often than a poll: whoever is on air is to come back soon."""
_LAST_DOUBLING = 16  # far beyond LONGEST_S: the power must not grow for ever


class Quarantine:
    """What the bus remembers of units that fail; `timeout` is the seconds a unit has for its answer."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._failed_at: dict[int, float] = {}
        self._failures: dict[int, int] = {}
        self._suspects: set[int] = set()

    def failed(self, unit: int, now: float) -> None:
        """Take note of a unit that had its time and did not answer."""
        self.given_up(unit, now)
        self._failures[unit] = self._failures.get(unit, 0) + 1

    def given_up(self, unit: int, now: float) -> None:
        """Take note of an answer that was not waited for to the end: it may come, and the unit is not to blame."""
        self._failed_at[unit] = now
        self._suspects.add(unit)

    def answered(self, unit: int, *, proven: bool) -> None:
        """Take note of an answer; one that proves itself shows that older ones have come (a unit answers in order)."""
        self._failures.pop(unit, None)
        if proven:
            self._suspects.discard(unit)

    def suspect(self, unit: int) -> bool:
        """Whether an old answer of this unit may still be under way."""
        return unit in self._suspects

    def clear(self, unit: int) -> None:
        """Take a driver's word that the unit's old answers have come."""
        self._suspects.discard(unit)

    def failures(self, unit: int) -> int:
        """How often in a row it has not answered."""
        return self._failures.get(unit, 0)

    def held_until(self, order: Order) -> float:
        """The loop time before which the order must wait."""
        failed_at = self._failed_at.get(order.unit)
        if failed_at is None:
            return 0.0
        until = failed_at + self._timeout if order.heeds_quarantine else 0.0
        longest = LONGEST_S.get(order.priority)
        failures = self.failures(order.unit)
        if longest is not None and failures > 1:  # one lost answer is the line's fault as a rule
            pause = self._timeout * 2.0 ** min(failures - 1, _LAST_DOUBLING)
            until = max(until, failed_at + min(pause, longest))
        return until
