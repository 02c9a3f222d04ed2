"""Letters fitted into a cell of a few pixel rows, with room for Vietnamese marks.

A 16-row board has too few rows for Ẫ at the size that suits ẫ: the font asks for 16 above the baseline and 3
below it. A line is therefore set at the largest size at which the small letters fit, and what is still too
high is fitted letter by letter, in this order:

1. blank rows between a letter and its mark (or dot below) are taken out, but never the last one;
2. one row of its upright strokes, which repeats the row above it, is dropped;
3. this one letter is drawn a size smaller. A capital of 8 rows beside capitals of 9 is hardly seen; a lost or
   merged mark changes the word.

All letters are drawn with FreeType's monochrome rasteriser (hinted), which keeps stems even; a threshold over
grey pixels was compared and made stems of one line 1 and 2 pixels wide by turns.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageDraw

from ward_hub.render.errors import RenderError
from ward_hub.render.font import Weight, sized

MIN_HEIGHT = 16  # one P10 module; at 15 rows ă and ã of the regular weight become one picture
MAX_HEIGHT = 128
_MIN_PPEM = 8
_REPEATS = 1  # rows of a capital's uprights that may go; with two, Ể is as low as ể
# Sizes chosen by looking where the largest is not the best: at 13 the stems of a, ă, â are twice as wide as
# those of e, o.
_SEEN_BEST = {(16, Weight.REGULAR): 12}
_LOWER = "aàáảãạăằắẵặâầấẩẫậbcdđeèéẻẽẹêềếểễệfghiìíỉĩịjklmnoòóỏõọôồốổỗộơờớởỡợpqrstuùúủũụưừứửữựvwxyỳýỷỹz"
_PLAIN = "ABCDĐEFGHIKLMNOPQRSTUVXYÂÊÔƠƯ0123456789.,:;!?-–()%/+"
USUAL = "".join(dict.fromkeys(_LOWER + _LOWER.upper() + _PLAIN + "ẳẲỵỴ "))
# ẳ and ỵ are left out of _LOWER: rare letters, for which every other letter would have to be a size smaller.
_PAD = 2  # columns of drawing room on each side, times the size: marks may overhang their letter


@dataclass(frozen=True, slots=True)
class Glyph:
    """One letter in its cell: `rows` of `width` bits (highest = leftmost), `left` pixels off the pen."""

    rows: tuple[int, ...]
    left: int
    width: int
    advance: int
    ppem: int


@dataclass(frozen=True, slots=True)
class Ink:
    """What the rasteriser drew: rows above the baseline (last one stands on it) and rows below it."""

    above: tuple[int, ...]
    below: tuple[int, ...]
    left: int
    width: int
    advance: int


@dataclass(frozen=True, slots=True)
class Cell:
    """The size and baseline of a line: `above` + `below` rows, letters at `ppem` where they fit."""

    weight: Weight
    ppem: int
    above: int
    below: int


@cache
def ink(character: str, weight: Weight, ppem: int) -> Ink:
    """The letter at this size, cut to the rows and columns it marks."""
    font = sized(weight, ppem)
    pad = _PAD * ppem
    canvas = Image.new("1", (4 * pad, 2 * pad), 0)
    draw = ImageDraw.Draw(canvas)
    draw.fontmode = "1"
    draw.text((pad, pad), character, font=font, fill=1, anchor="ls")
    advance = round(font.getlength(character, mode="1"))
    if character == " ":
        advance = max(advance, -(-ppem // 3))  # the font's own is rounded to 3 of 12 pixels: words run together
    box = canvas.getbbox()
    if box is None:
        return Ink((), (), 0, 0, advance)
    left, top, right, bottom = box
    rows = _bits(canvas.crop((left, min(top, pad), right, max(bottom, pad))))
    split = max(0, pad - top)
    return Ink(rows[:split], rows[split:], left - pad, right - left, advance)


def _bits(image: Image.Image) -> tuple[int, ...]:
    stride = (image.width + 7) // 8
    data = image.tobytes()
    spare = stride * 8 - image.width
    return tuple(int.from_bytes(data[at : at + stride], "big") >> spare for at in range(0, len(data), stride))


def close_gaps(rows: tuple[int, ...], excess: int, *, inked_before: bool) -> tuple[int, ...] | None:
    """`rows` without `excess` blank ones, topmost first; None if some gap would lose its last blank row.

    `inked_before` says that something is marked above the first row, so that blank rows there are a gap too.
    """
    kept: list[int] = []
    for index, row in enumerate(rows):
        previous_blank = bool(kept) and not kept[-1]
        inside = any(rows[index:]) and (inked_before or any(kept))
        if excess > 0 and not row and previous_blank and inside:
            excess -= 1
            continue
        kept.append(row)
    return tuple(kept) if excess <= 0 else None


def drop_repeats(rows: tuple[int, ...], excess: int) -> tuple[int, ...] | None:
    """`rows` without `excess` rows that repeat the row above them, lowest first; None if too few do."""
    kept = list(rows)
    for index in range(len(kept) - 1, 0, -1):
        if excess > 0 and kept[index] and kept[index] == kept[index - 1]:
            del kept[index]
            excess -= 1
    return tuple(kept) if excess <= 0 else None


def fit(drawn: Ink, above: int, below: int, repeats: int = 0) -> tuple[int, ...] | None:
    """The letter's rows in a cell of `above` + `below` rows; None if it does not fit.

    Gaps are closed where needed; then up to `repeats` rows of upright strokes are dropped.
    """
    excess = len(drawn.above) - above
    upper = close_gaps(drawn.above, excess, inked_before=False)
    if upper is None and excess <= repeats:
        upper = drop_repeats(drawn.above, excess)
    lower = close_gaps(drawn.below, len(drawn.below) - below, inked_before=bool(drawn.above))
    if upper is None or lower is None:
        return None
    return (0,) * (above - len(upper)) + upper + lower + (0,) * (below - len(lower))


@cache
def cell(height: int, weight: Weight) -> Cell:
    """The largest size at which all small letters, plain capitals, digits and stops fit `height` rows."""
    if not MIN_HEIGHT <= height <= MAX_HEIGHT:
        raise RenderError(f"a line of {height} pixels is outside {MIN_HEIGHT} to {MAX_HEIGHT}; change the layout")
    for ppem in range(_SEEN_BEST.get((height, weight), height), _MIN_PPEM - 1, -1):
        for below in range(2, height // 3 + 1):
            above = height - below
            if all(fit(ink(each, weight, ppem), above, below) for each in _LOWER + _PLAIN):
                return Cell(weight, ppem, above, below)
    raise RenderError(f"no size of {weight} fits a line of {height} pixels; use another weight")


@cache
def glyph(character: str, where: Cell) -> Glyph:
    """The letter in its cell, smaller than its line where it must be; RenderError if no size fits."""
    for ppem in range(where.ppem, _MIN_PPEM - 1, -1):
        drawn = ink(character, where.weight, ppem)
        rows = fit(drawn, where.above, where.below, repeats=_REPEATS)
        if rows is not None:
            return Glyph(rows, drawn.left, drawn.width, drawn.advance, ppem)
    raise RenderError(f"{character!r} does not fit {where.above + where.below} pixel rows at any size; remove it")


@cache
def kerning(first: str, second: str, weight: Weight, ppem: int) -> int:
    """Pixels by which the font moves `second` after `first`, mostly 0 or -1; no ligatures."""
    font = sized(weight, ppem)

    def length(text: str) -> float:
        return font.getlength(text, mode="1", features=["-liga"])

    return round(length(first + second) - length(first) - length(second))
