"""The system's clock as a witness: heard only where NTP keeps it or a battery did, and it agrees with what is known.

It is never followed by itself. A step of it, or a sleep of the machine, shows as a change of its distance from the
monotonic clock, which stands while the machine sleeps.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)
DAY_S = 86_400
AGREES_S = 90.0
LARGEST_STEP_S = 400 * DAY_S
DRIFT = 500e-6  # the most that Linux lets NTP bend a clock, several times what crystals are wrong by


@dataclass(frozen=True, slots=True)
class Mark:
    """One moment on two clocks: Unix time, and the monotonic clock; both in seconds."""

    utc: float
    at: float

    def on(self, at: float) -> float:
        """Return the Unix time when the monotonic clock shows `at`."""
        return self.utc + (at - self.at)


class SystemClock:
    """Judges what `read` shows, Unix seconds; `ntp` says whether NTP keeps it, None where nobody knows.

    `rtc`: a battery kept it while the power was off, so what it shows at the first look counts as well. What was taken
    from it last is `mark`; `ntp_at` and `rtc_at` say when, by the monotonic clock; `off_s` how far it was from what is
    known at the last look; `stepped` by how much it was moved away from that, until it agrees again.
    """

    def __init__(self, read: Callable[[], float], ntp: Callable[[], bool | None], *, rtc: bool) -> None:
        self._read = read
        self._ntp = ntp
        self.rtc = rtc
        self.synchronised: bool | None = None
        self.agrees = False
        self.off_s = 0.0
        self.stepped: float | None = None
        self._reference: Mark | None = None
        self.forget()

    def forget(self) -> None:
        """Forget what was taken from it: what it was compared with did not hold."""
        self.mark: Mark | None = None
        self.ntp_at: float | None = None
        self.rtc_at: float | None = None
        self.stepped = None
        self._rtc_is_due = self.rtc

    def go_on(self, mark: Mark) -> None:
        """Go on with what was taken from it in this run of the machine: who may have set it since, nobody knows."""
        self.mark = mark
        self._rtc_is_due = False

    def look(self, at: float, known: float, ahead_s: float, *, alarm: bool) -> bool:
        """Read it when the monotonic clock shows `at`; say whether it leapt, which may hide that the machine slept.

        `known` is the Unix time that is known without it, and `ahead_s` how far ahead it may be. With `alarm`, a step
        away from that is noted.
        """
        reading, self.synchronised = self._read(), self._ntp()
        self.off_s = reading - known
        agreed, self.agrees = self.agrees, -AGREES_S <= self.off_s <= ahead_s
        step = self._step(Mark(reading, at))
        if step:
            self.ntp_at = self.rtc_at = None
        if self.agrees:
            self.stepped = None
        elif step and agreed and alarm:
            self.stepped = step
        if self.agrees and self.synchronised:
            self.mark, self.ntp_at = Mark(reading, at), at
        elif self._rtc_is_due and -AGREES_S <= self.off_s <= LARGEST_STEP_S:
            self.mark, self.rtc_at = Mark(reading, at), at
        self._rtc_is_due = False
        return bool(step)

    def drop_beyond(self, at: float, limit: float) -> None:
        """Forget what was taken from it where that is later than `limit`, Unix seconds, which is proven."""
        if self.mark is not None and self.mark.on(at) > limit:
            self.forget()
            self._rtc_is_due = False

    def _step(self, shown: Mark) -> float:
        """Return by how much it was moved against the monotonic clock, 0.0 where that may be NTP's gentle hand.

        Small steps add up for a day, so that many of them are one.
        """
        before = self._reference
        if before is None:
            self._reference = shown
            return 0.0
        passed = shown.at - before.at
        moved = shown.utc - before.on(shown.at)
        if abs(moved) > AGREES_S + DRIFT * passed:
            self._reference = shown
            log.warning("the system's clock was moved by %+.0f s, or the machine slept; the hub's time was not", moved)
            return moved
        if passed > DAY_S:
            self._reference = shown
        return 0.0
