"""One line of text as a 1-bit bitmap."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from ward_hub.render.errors import RenderError
from ward_hub.render.font import Weight
from ward_hub.render.glyphs import USUAL, Cell, Glyph, cell, glyph, kerning
from ward_hub.render.pixels import bitmap
from ward_hub.render.text import check_text, describe, normalise

if TYPE_CHECKING:
    from ward_hw.drivers.picture import Bitmap

MAX_WIDTH = 0xFFFF  # a strip's width is 16 bits on the wire


def render_line(text: str, height_px: int, *, weight: Weight = Weight.REGULAR) -> Bitmap:
    """The text on one line, exactly `height_px` rows high and as wide as its ink; at least 1 pixel.

    Input is normalised (NFC, white space); decomposed and composed input give the same bits. No two letters
    touch, also not at a corner. Raises RenderError for characters a board cannot show and for more than
    65,535 pixels.
    """
    bad = check_text(text, weight)
    if bad:
        raise RenderError(f"the board's font cannot show {describe(bad)}; rewrite the text without them")
    where = cell(height_px, weight)
    placed = _place(normalise(text), where)
    width = max((x + each.width for x, each in placed), default=1)
    if width > MAX_WIDTH:
        raise RenderError(f"the line is {width} pixels wide, over {MAX_WIDTH}; shorten the text")
    rows = [0] * height_px
    for x, each in placed:
        shift = width - x - each.width
        for index, row in enumerate(each.rows):
            rows[index] |= row << shift
    return bitmap(width, rows)


def warm_up(height_px: int, *, weight: Weight = Weight.REGULAR) -> None:
    """Draw every usual letter once, so that the first emergency does not wait for it (cold, about 30 ms a line).

    What was drawn is kept as long as the process lives: some 250 letters of a few hundred bytes a size.
    """
    where = cell(height_px, weight)
    for letter in USUAL:
        glyph(letter, where)
    render_line("KHẨN CẤP", height_px, weight=weight)


def _place(text: str, where: Cell) -> list[tuple[int, Glyph]]:
    """Each inked letter with the column its ink begins in; the first begins in column 0."""
    pen = 0
    placed: list[tuple[int, Glyph]] = []
    for previous, character in pairwise("\0" + text):
        current = glyph(character, where)
        if placed and previous != " ":
            pen += kerning(previous, character, where.weight, current.ppem)
        if current.width:
            x = max(pen + current.left, 0)
            if placed:
                x = max(x, _clear_of(*placed[-1], current))
            placed.append((x, current))
            pen = x - current.left
        pen += current.advance
    return _from_zero(placed)


def _clear_of(x: int, left: Glyph, right: Glyph) -> int:
    """The first column where `right` keeps clear of `left`, whose ink begins at `x`, also at corners."""
    nearest = x
    for index, row in enumerate(right.rows):
        if not row:
            continue
        margin = right.width - row.bit_length()
        beside = [each for each in left.rows[max(0, index - 1) : index + 2] if each]
        for each in beside:
            last = left.width - 1 - ((each & -each).bit_length() - 1)
            nearest = max(nearest, x + last + 2 - margin)
    return nearest


def _from_zero(placed: list[tuple[int, Glyph]]) -> list[tuple[int, Glyph]]:
    first = min((x for x, _ in placed), default=0)
    return [(x - first, each) for x, each in placed]
