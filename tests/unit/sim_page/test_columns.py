"""Text in columns: width by what a terminal shows, for Vietnamese in either normal form and for wide scripts."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ward_sim.columns import cells, clip, pad, table, wrap

VIETNAMESE = "Khẩn cấp: nước sông Nhuệ lên nhanh, bà con rời ngay vùng ven sông"
TEXT = st.text(
    st.sampled_from("aăâđêôơư ẾỆữ x漢한\u0301\u0323\u0302\u200d") | st.characters(codec="utf-8"), max_size=60
)


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 0),
        ("Ward", 4),
        ("Nhuệ", 4),
        (unicodedata.normalize("NFD", "Nhuệ"), 4),
        (unicodedata.normalize("NFD", "ƯỠNG ẫỗễ"), 8),
        ("浸水", 4),
        ("한글", 4),
        ("a\u200db", 2),
    ],
)
def test_cells(text: str, width: int) -> None:
    assert cells(text) == width


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_wrapped_vietnamese_keeps_its_marks(form: str) -> None:
    text = unicodedata.normalize("NFD" if form == "NFD" else "NFC", VIETNAMESE)
    lines = wrap(text, 12)
    assert " ".join(lines) == text
    assert all(cells(line) <= 12 for line in lines)
    assert not any(unicodedata.combining(line[0]) for line in lines)


def test_a_word_longer_than_the_column_is_cut() -> None:
    assert wrap("a 0123456789", 4) == ["a", "0123", "4567", "89"]


def test_line_feeds_are_kept() -> None:
    assert wrap("một\n\nhai ba", 20) == ["một", "", "hai ba"]


def test_clip_says_that_it_cut() -> None:
    assert clip("Nhuệ", 4) == "Nhuệ"
    assert clip("Nhuệ Giang", 5) == "Nhuệ…"


@given(TEXT, st.integers(2, 40))
@example("漢", 2)
def test_nothing_is_wider_than_asked_and_nothing_is_lost(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(cells(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert cells(clip(text, width)) <= width
    assert cells(pad(clip(text, width), width)) == width


def test_a_table_lines_up_whatever_the_normal_form() -> None:
    rows = [["Khẩn cấp", "phát"], [unicodedata.normalize("NFD", "Khẩn cấp"), "từ chối"]]
    lines = table(["Bản tin", "Kết quả"], rows, 80).splitlines()
    assert [cells(line) for line in lines if line.startswith("─")] == [17, 17]
    assert {cells(line[: line.rindex("  ")]) for line in lines if "Kh" in line} == {8}


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=4), st.integers(30, 120))
def test_a_table_is_never_wider_than_asked(rows: list[tuple[str, str, str]], width: int) -> None:
    clean = [[" ".join(text.split()) for text in row] for row in rows]
    assert all(cells(line) <= width for line in table(["a", "b", "c"], clean, width).splitlines())


def test_a_table_too_narrow_for_its_columns_is_still_whole() -> None:
    drawn = table(["Bản tin", "Quyết định"], [["lũ trên sông", "từ chối"]], 5)
    assert "sông" in drawn
