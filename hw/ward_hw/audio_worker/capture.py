"""A WAV file that is valid at every moment while it grows.

Ref: IBM and Microsoft, Multimedia Programming Interface and Data Specifications 1.0, WAVE.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

HEADER_SIZE = 44
_RIFF = struct.Struct("<4sI4s4sIHHIIHH4sI")


def header(rate: int, size: int) -> bytes:
    """The header of a mono 16-bit file with ``size`` bytes of samples."""
    return _RIFF.pack(b"RIFF", size + HEADER_SIZE - 8, b"WAVE", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16, b"data", size)


class WavCapture:
    """Appends samples to a file; goes on behind what an earlier worker wrote."""

    def __init__(self, path: Path, rate: int) -> None:
        self._rate = rate
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        whole = max(0, os.fstat(self._fd).st_size - HEADER_SIZE)
        self._size = whole - whole % 2
        os.pwrite(self._fd, header(rate, self._size), 0)

    def write(self, samples: bytes) -> None:
        """Append, then let the header know: a reader in between sees the file as it was."""
        os.pwrite(self._fd, samples, HEADER_SIZE + self._size)
        self._size += len(samples)
        os.pwrite(self._fd, header(self._rate, self._size), 0)

    def close(self) -> None:
        """Release the file."""
        os.close(self._fd)
