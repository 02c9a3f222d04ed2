"""Plain text in columns: how wide a string is on a terminal, how to cut, pad and wrap it, and tables.

Vietnamese may arrive decomposed (a letter and one or two combining marks); what counts here is the number of
cells a terminal uses, not of code points.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Ref: Unicode Standard Annex 44, General_Category: marks and format characters advance the cursor by nothing.
_NO_CELL = frozenset({"Mn", "Me", "Cf", "Cc"})
# Ref: Unicode Standard Annex 11, East_Asian_Width: wide and full-width characters take two cells.
_TWO_CELLS = frozenset({"W", "F"})

GAP = "  "
NARROWEST = 6


def cells(text: str) -> int:
    """Return how many terminal cells a string takes."""
    return sum(_cells_of(character) for character in text)


def _cells_of(character: str) -> int:
    if unicodedata.category(character) in _NO_CELL:
        return 0
    return 2 if unicodedata.east_asian_width(character) in _TWO_CELLS else 1


def clip(text: str, width: int) -> str:
    """Return the text, cut with an ellipsis when it takes more than `width` (>= 1) cells."""
    if cells(text) <= width:
        return text
    return _head(text, width - 1) + "…"


def pad(text: str, width: int) -> str:
    """Return the text filled with spaces to `width` cells."""
    return text + " " * (width - cells(text))


def wrap(text: str, width: int) -> list[str]:
    """Return the lines of a text, broken at spaces and, only where a word is too long, within words."""
    return [line for paragraph in text.split("\n") for line in _wrap_paragraph(paragraph, width)]


def _wrap_paragraph(paragraph: str, width: int) -> Iterator[str]:
    line = ""
    for word in paragraph.split():
        joined = f"{line} {word}" if line else word
        if cells(joined) <= width:
            line = joined
            continue
        if line:
            yield line
        *full, line = _chop(word, width)
        yield from full
    yield line


def _chop(word: str, width: int) -> list[str]:
    pieces: list[str] = []
    while cells(word) > width:
        # A wide character in a column of one cell still has to go somewhere.
        head = _head(word, width) or word[0]
        pieces.append(head)
        word = word[len(head) :]
    return [*pieces, word]


def _head(text: str, width: int) -> str:
    """The longest beginning of at most `width` cells, never parting a letter from its marks."""
    taken = 0
    for index, character in enumerate(text):
        taken += _cells_of(character)
        if taken > width:
            return text[:index]
    return text


def table(header: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> str:
    """Return a table of at most `width` cells, unless its columns cannot be that narrow.

    Texts wrap within their column; a line feed in a text begins a new line there.
    """
    everything = [list(header), *(list(row) for row in rows)]
    widths = _fit(everything, width - cells(GAP) * (len(header) - 1))
    lines = list(_lines(everything[0], widths))
    rule = GAP.join("─" * column for column in widths)
    for row in everything[1:]:
        lines += [rule, *_lines(row, widths)]
    return "\n".join(lines) + "\n"


def _fit(rows: Sequence[Sequence[str]], room: int) -> list[int]:
    """Column widths: as wide as the text, the widest column giving way until all fit into `room`."""
    columns = zip(*rows, strict=True)
    widths = [max(1, *(cells(line) for text in column for line in text.split("\n"))) for column in columns]
    while sum(widths) > room and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return widths


def _lines(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    wrapped = [wrap(text, width) for text, width in zip(row, widths, strict=True)]
    for number in range(max(len(lines) for lines in wrapped)):
        parts = [lines[number] if number < len(lines) else "" for lines in wrapped]
        yield GAP.join(pad(part, width) for part, width in zip(parts, widths, strict=True)).rstrip()
