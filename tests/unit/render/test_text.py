"""Which characters a board refuses, and how the refusal names them."""

from __future__ import annotations

import pytest
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from ward_hub.render import Weight, check_text, describe, normalise
from ward_hub.render.font import coverage, font_file


@pytest.mark.parametrize(
    "text",
    ["Đường Lê Văn Lương, số 15/2 – 50%", "đồng: 500.000 ₫", "“Thông báo” …", "Một\nHai\tBa", "e\u0302\u0301"],
)
def test_what_bulletins_hold_is_shown(text: str) -> None:
    assert check_text(text) == []


@pytest.mark.parametrize(
    ("character", "what"),
    [
        ("\u202e", "a bidi override"),
        ("\u200b", "an invisible space"),
        ("\u2028", "a line separator"),
        ("\x07", "a bell"),
        ("\r", "a carriage return"),
        ("\x1b", "an escape"),
        ("\u0000", "a null"),
        ("\ud800", "half of a pair"),
        ("\ue000", "a private character"),
        ("中", "Han, which the font lacks"),
        ("😀", "a picture"),
        ("ក", "Khmer"),
        ("\u20dd", "an enclosing mark"),
    ],
)
def test_what_would_deceive_or_break_is_named(character: str, what: str) -> None:
    assert check_text(f"a{character}b{character}") == [character], what


def test_marks_piled_on_a_letter_are_refused() -> None:
    assert check_text("ế\u0301\u0301") == ["\u0301"]


def test_a_refusal_names_characters_in_order() -> None:
    assert describe(check_text("中\u202e中")) == "U+4E2D CJK UNIFIED IDEOGRAPH-4E2D, U+202E RIGHT-TO-LEFT OVERRIDE"
    assert describe(["\ue000"]) == "U+E000 unnamed"


def test_white_space_is_run_together() -> None:
    assert normalise("  Một\n\n hai\tba ") == "Một hai ba"


@pytest.mark.parametrize("weight", Weight)
def test_the_character_map_is_what_fonttools_reads(weight: Weight) -> None:
    with TTFont(font_file(weight)) as font:
        read = font.getBestCmap()
        assert read is not None
        assert coverage(weight) == frozenset(read)
