"""Every Vietnamese letter on a board: distinct, whole, clear of its neighbours, however it is encoded."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ward_hub.render import RenderError, Weight, check_text, normalise, render_line
from ward_hub.render.font import coverage
from ward_hub.render.glyphs import cell, fit, glyph, ink
from ward_hub.render.line import _place
from ward_hw.drivers.picture import Bitmap

VOWELS = "aăâeêioôơuưy"
TONES = ["", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"]
TONED = [unicodedata.normalize("NFC", vowel + tone) for vowel in VOWELS for tone in TONES]
# Letters of Vietnamese that are not of the basic Latin alphabet: 134 with capitals.
SMALL = [letter for letter in TONED if letter not in "aeiouy"] + ["đ"]
LETTERS = SMALL + [letter.upper() for letter in SMALL]
ALPHABET = st.sampled_from([*LETTERS, *"abcdeghiklmnopqrstuvxyABCDEGHIKLMNOPQRSTUVXY0123456789 .,;:!?()–-%/"])
HEIGHTS = [16, 20, 24, 32]


def pixels(picture: Bitmap) -> set[tuple[int, int]]:
    rows = [picture.row(y) for y in range(picture.height)]
    return {(x, y) for y, row in enumerate(rows) for x in range(picture.width) if row >> picture.width - 1 - x & 1}


def test_there_are_134() -> None:
    assert len(set(LETTERS)) == 134


@pytest.mark.parametrize("weight", [Weight.REGULAR, Weight.MEDIUM])
@pytest.mark.parametrize("height", HEIGHTS)
def test_every_letter_is_distinct(height: int, weight: Weight) -> None:
    seen = {render_line(letter, height, weight=weight): letter for letter in TONED}
    assert len(seen) == len(TONED)
    capitals = [letter.upper() for letter in TONED] + ["Đ", "D"]
    assert len({render_line(letter, height, weight=weight) for letter in capitals}) == len(capitals)
    assert len({render_line(letter, height, weight=weight) for letter in LETTERS}) == 134


@pytest.mark.parametrize("weight", Weight)
@pytest.mark.parametrize("height", HEIGHTS)
def test_no_letter_is_clipped(height: int, weight: Weight) -> None:
    where = cell(height, weight)
    for letter in LETTERS:
        shown = glyph(letter, where)
        drawn = ink(letter, weight, shown.ppem)
        whole = [row for row in drawn.above + drawn.below if row]
        kept = [row for row in shown.rows if row]
        # At most one row went, and it was a repeat of the row above it.
        assert len(whole) - 1 <= len(kept) <= len(whole)
        assert [row for row, _ in _runs(kept)] == [row for row, _ in _runs(whole)]
        assert len(shown.rows) == height
        assert all(row < 1 << shown.width for row in shown.rows)


def _runs(rows: list[int]) -> list[tuple[int, int]]:
    """Rows without those equal to the one before; with their index."""
    return [(row, at) for at, row in enumerate(rows) if not at or row != rows[at - 1]]


@pytest.mark.parametrize("weight", Weight)
@pytest.mark.parametrize("height", HEIGHTS)
def test_marks_stay_apart_from_their_letter(height: int, weight: Weight) -> None:
    """As many dark rows between the inked ones as the font drew, as far as there was one at all."""
    where = cell(height, weight)
    for letter in LETTERS:
        shown = glyph(letter, where)
        drawn = ink(letter, weight, shown.ppem)
        assert _islands(shown.rows) == _islands(drawn.above + drawn.below)


def _islands(rows: tuple[int, ...]) -> int:
    return sum(1 for before, row in pairwise((0, *rows)) if row and not before)


def test_small_letters_share_one_size_on_a_16_row_board() -> None:
    where = cell(16, Weight.REGULAR)
    smaller = {letter for letter in SMALL if glyph(letter, where).ppem != where.ppem}
    assert smaller == {"ỵ"}
    assert fit(ink("ỵ", where.weight, where.ppem), where.above, where.below) is None


@given(st.text(ALPHABET, min_size=1, max_size=30), st.sampled_from([16, 24]))
def test_decomposed_text_gives_the_same_bits(text: str, height: int) -> None:
    decomposed = unicodedata.normalize("NFD", text)
    assert check_text(decomposed) == []
    assert render_line(decomposed, height) == render_line(text, height)


@given(st.text(ALPHABET, min_size=2, max_size=30), st.sampled_from([16, 24, 32]), st.sampled_from(Weight))
def test_neighbours_never_touch(text: str, height: int, weight: Weight) -> None:
    placed = _place(normalise(text), cell(height, weight))
    for (x, left), (further, right) in pairwise(placed):
        first = pixels_of(left.rows, left.width, x)
        second = pixels_of(right.rows, right.width, further)
        around = {(px + dx, py + dy) for px, py in first for dx in (-1, 0, 1) for dy in (-1, 0, 1)}
        assert not around & second


def pixels_of(rows: tuple[int, ...], width: int, x: int) -> set[tuple[int, int]]:
    return {(x + c, y) for y, row in enumerate(rows) for c in range(width) if row >> width - 1 - c & 1}


@given(st.text(ALPHABET, min_size=1, max_size=60))
def test_a_line_is_as_wide_as_its_ink(text: str) -> None:
    picture = render_line(text, 16)
    lit = pixels(picture)
    assert picture.height == 16
    if normalise(text):
        assert min(x for x, _ in lit) == 0
        assert max(x for x, _ in lit) == picture.width - 1


@given(st.text(max_size=40))
def test_any_text_is_drawn_or_refused(text: str) -> None:
    bad = check_text(text)
    if bad:
        with pytest.raises(RenderError, match=r"U\+"):
            render_line(text, 16)
    else:
        assert render_line(text, 16).height == 16


@given(st.sampled_from(sorted(coverage(Weight.REGULAR))), st.sampled_from([16, 32]))
def test_all_the_font_has_fits_or_is_refused(point: int, height: int) -> None:
    character = chr(point)
    if not check_text(character):
        assert render_line(character, height).height == height
