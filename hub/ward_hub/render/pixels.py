"""1-bit pictures as rows of integers (highest bit = leftmost column) and as the bytes a board takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ward_hw.drivers.picture import Bitmap

if TYPE_CHECKING:
    from collections.abc import Sequence


def bitmap(width: int, rows: Sequence[int]) -> Bitmap:
    """The rows as a bitmap: each padded to whole bytes, leftmost column in the highest bit."""
    stride = (width + 7) // 8
    spare = stride * 8 - width
    return Bitmap(width, len(rows), b"".join((row << spare).to_bytes(stride, "big") for row in rows))


def rows_of(picture: Bitmap) -> list[int]:
    """The rows of a bitmap, without the padding."""
    return [picture.row(number) for number in range(picture.height)]


def padded(picture: Bitmap, left: int, width: int) -> Bitmap:
    """The picture from column `left` on a dark ground of `width` columns."""
    return bitmap(width, [row << (width - left - picture.width) for row in rows_of(picture)])


def inverted(picture: Bitmap, margin: int) -> Bitmap:
    """Dark on lit ground, with `margin` lit columns on each side."""
    plain = padded(picture, margin, picture.width + 2 * margin)
    ground = (1 << plain.width) - 1
    return bitmap(plain.width, [row ^ ground for row in rows_of(plain)])


def widened(picture: Bitmap, width: int) -> Bitmap:
    """The picture in the middle of a lit line of `width` columns."""
    left = (width - picture.width) // 2
    sides = ((1 << width) - 1) ^ (((1 << picture.width) - 1) << (width - left - picture.width))
    return bitmap(width, [row | sides for row in rows_of(padded(picture, left, width))])
