"""Pictures for 1-bit boards, and what a board that shows them must have in its frame buffer.

`compose` follows the scroll model of the board protocol by its words, and shares no code with the firmware:
its digest is our own account of what must be lit.

Ref: ward_protocol.portable.board, module docstring (windows, scroll).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def _row_bytes(width: int) -> int:
    return (width + 7) // 8


@dataclass(frozen=True, slots=True)
class Bitmap:
    """Pixels in rows from the top, each row padded to whole bytes, MSB = leftmost, 1 = lit.

    Raises ValueError when ``rows`` has not ``height`` rows for ``width``.
    """

    width: int
    height: int
    rows: bytes

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1 or len(self.rows) != _row_bytes(self.width) * self.height:
            raise ValueError(f"bitmap {self.width} x {self.height} of {len(self.rows)} bytes")

    def row(self, number: int) -> int:
        """A row as an integer of ``width`` bits, the leftmost pixel being the highest."""
        size = _row_bytes(self.width)
        padded = int.from_bytes(self.rows[number * size : (number + 1) * size], "big")
        return padded >> (size * 8 - self.width)


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of the board (pixels) that shows a strip.

    Static: from the strip's left edge; with ``scroll_px_s`` the strip runs to the left at that speed.
    """

    strip: Bitmap
    x: int
    y: int
    w: int
    h: int
    scroll_px_s: int = 0


@dataclass(frozen=True, slots=True)
class Show:
    """All windows of a board, painted in order; dark elsewhere.

    Without renewal the board goes dark after ``lease_ms``.
    """

    show_id: int
    windows: tuple[Window, ...]
    lease_ms: int


def compose(width: int, height: int, windows: Sequence[Window], offsets: Sequence[int]) -> bytes:
    """The frame buffer of a board while the strips have moved by these offsets (0 for static windows).

    Rows from the top, ``width / 8`` bytes each. Raises ValueError when the numbers of offsets and windows
    differ.
    """
    frame = [0] * height
    for window, offset in zip(windows, offsets, strict=True):
        mask = (1 << window.w) - 1
        shift = width - window.x - window.w
        for row in range(window.h):
            lit = _window_row(window, row, offset) & mask
            frame[window.y + row] = frame[window.y + row] & ~(mask << shift) | lit << shift
    return b"".join(row.to_bytes(width // 8, "big") for row in frame)


def _window_row(window: Window, row: int, offset: int) -> int:
    strip = window.strip
    if row >= strip.height:
        return 0
    if window.scroll_px_s == 0:
        beyond = strip.width - window.w
        return strip.row(row) >> beyond if beyond >= 0 else strip.row(row) << -beyond
    # Window column c shows strip column c + offset - w. With w dark columns before and behind the strip
    # that is a window of w columns at `offset` from the left, hence strip.width + w - offset from the
    # right.
    return strip.row(row) << window.w >> (strip.width + window.w - offset)


def digest(frame: bytes) -> bytes:
    """How a board names a frame: the first 16 bytes of its SHA-256."""
    return hashlib.sha256(frame).digest()[:16]
