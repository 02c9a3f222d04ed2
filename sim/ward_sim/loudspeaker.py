"""How loud the hub's audio output is, from the growing WAV file of what its device really took."""

from __future__ import annotations

import math
from array import array
from pathlib import Path

HEADER = 44
FULL_SCALE = 32768


class CaptureMeter:
    """Reads what was appended to a 16-bit mono WAV file since the last look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = HEADER

    def rms(self) -> int:
        """Return the RMS of what is new, 0 to 32767; 0 where nothing is."""
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, 2)
                if size < self._at:  # a new run of the agent began the file anew
                    self._at = HEADER
                file.seek(self._at)
                data = file.read((size - self._at) // 2 * 2) if size > self._at else b""
        except FileNotFoundError:
            return 0
        self._at += len(data)
        samples = array("h", data[-9600:])  # the last 100 ms say how loud it is now
        return math.isqrt(sum(one * one for one in samples) // len(samples)) if samples else 0


def decibels(rms: int) -> float | None:
    """Return dB below full scale, None for silence."""
    return round(20 * math.log10(rms / FULL_SCALE), 1) if rms > 0 else None
