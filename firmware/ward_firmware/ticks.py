"""Time since boot from a wrapping microsecond counter, and why no controller ever compares counters directly.

`time.ticks_us()` wraps at 2**30 us (18 minutes) on the RP2040. Elapsed time is therefore summed from
differences, which holds as long as `advance` is called at least once in those 18 minutes; the watchdog asks
for far more.
"""

MASK = 0x3FFFFFFF


def elapsed_us(later: int, earlier: int) -> int:
    """Microseconds from `earlier` to `later`, both readings of the wrapping counter."""
    return (later - earlier) & MASK


class Uptime:
    """Whole milliseconds since the first reading; `ms` never wraps."""

    def __init__(self, now_us: int) -> None:
        self.ms = 0
        self._last = now_us
        self._rest_us = 0

    def advance(self, now_us: int) -> int:
        """Take a new reading; returns the microseconds passed since the one before."""
        passed = elapsed_us(now_us, self._last)
        self._last = now_us
        self._rest_us += passed
        self.ms += self._rest_us // 1000
        self._rest_us %= 1000
        return passed
