"""The counter that the cores are given. Apart from them, for CPython has no such thing."""

from time import sleep, sleep_us, ticks_diff, ticks_us  # type: ignore[attr-defined]  # MicroPython's

from ward_firmware.ticks import MASK

_START = ticks_us()
pause_us = sleep_us
"""Wait a few milliseconds at most: nothing else runs meanwhile."""
pause_s = sleep
"""Wait where nothing is served; Ctrl-C ends it."""


def now_us() -> int:
    """Microseconds since this module was loaded, wrapping as `ward_firmware.ticks` says, on every port alike."""
    passed: int = ticks_diff(ticks_us(), _START)
    return passed & MASK
