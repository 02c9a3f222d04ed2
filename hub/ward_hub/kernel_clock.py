"""What Linux says about its own clock: whether NTP keeps it, and which run of the machine this is."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# The kernel adds 500 us to it each second; at this much, 9 hours after the last word of NTP, the clock counts as
# unsynchronised (STA_UNSYNC). The error and not the flag is read, because chronyd without `rtcsync` never clears the
# flag, while it does keep the error small. Ref: NTP_PHASE_LIMIT in Linux, include/linux/timex.h.
UNSYNCHRONISED_US = 16_000_000
_BEHIND = 512  # more than any C library puts behind the fields that are read here


class _Timex(ctypes.Structure):
    """The beginning of `struct timex`, the same for every C library and word size. Ref: adjtimex(2)."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("behind", ctypes.c_byte * _BEHIND),
    )


def _adjtimex() -> Callable[[object], int] | None:
    try:
        found: Callable[[object], int] = ctypes.CDLL(None).adjtimex
    except (AttributeError, OSError):
        return None  # no Linux
    return found


class KernelClock:
    """Asks the kernel; `call` is adjtimex(2), None where there is none."""

    def __init__(self, call: Callable[[object], int] | None = _adjtimex()) -> None:  # noqa: B008 - looked up once
        self._call = call

    def synchronised(self) -> bool | None:
        """Say whether NTP keeps the system's clock; None where the kernel does not tell, as in a sandbox."""
        state = _Timex()  # modes 0: reads only
        if self._call is None or self._call(ctypes.byref(state)) < 0:
            return None
        return bool(state.maxerror < UNSYNCHRONISED_US)


def boot_id(path: Path = BOOT_ID) -> str:
    """Return what names this run of the machine, so that its monotonic clock can be gone on with; empty if unknown."""
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
