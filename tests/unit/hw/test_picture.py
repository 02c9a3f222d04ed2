"""Pictures: bitmaps of right size only, and the frame a board must have for given offsets, worked pixel by pixel."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ward_hw.drivers.picture import Bitmap, Window, compose, digest


def drawn(*rows: str) -> Bitmap:
    """A bitmap from rows of dots and hashes."""
    width = len(rows[0])
    size = (width + 7) // 8
    data = b"".join(
        (int(row.replace(".", "0").replace("#", "1"), 2) << (size * 8 - width)).to_bytes(size, "big") for row in rows
    )
    return Bitmap(width, len(rows), data)


def rows_of(frame: bytes, width: int) -> list[str]:
    size = width // 8
    return [
        "".join(".#"[byte >> 7 - bit & 1] for byte in frame[at : at + size] for bit in range(8))
        for at in range(0, len(frame), size)
    ]


def pixel(window: Window, column: int, row: int, offset: int) -> bool:
    """What a window shows, by the words of the protocol: one pixel at a time."""
    at = column + offset - window.w if window.scroll_px_s else column
    if not (0 <= at < window.strip.width and row < window.strip.height):
        return False
    data = window.strip.rows[row * ((window.strip.width + 7) // 8) + at // 8]
    return bool(data >> 7 - at % 8 & 1)


@pytest.mark.parametrize(("width", "height", "size"), [(8, 2, 1), (9, 1, 1), (0, 1, 0), (8, 0, 0), (8, 1, 2)])
def test_a_bitmap_of_wrong_size_is_refused(width: int, height: int, size: int) -> None:
    with pytest.raises(ValueError, match="bitmap"):
        Bitmap(width, height, bytes(size))


def test_a_scrolling_text_enters_from_the_right_and_leaves_to_the_left() -> None:
    window = Window(drawn("##.#"), 2, 1, 6, 1, scroll_px_s=10)
    shown = [rows_of(compose(8, 3, [window], [offset]), 8)[1][2:] for offset in range(10)]
    assert shown == [
        "......",
        ".....#",
        "....##",
        "...##.",
        "..##.#",
        ".##.#.",
        "##.#..",
        "#.#...",
        ".#....",
        "#.....",
    ]


def test_windows_are_opaque_and_painted_in_order() -> None:
    under = Window(drawn(*["#" * 16] * 4), 0, 0, 16, 4)
    over = Window(drawn("#..#", "...."), 6, 1, 4, 2)
    assert rows_of(compose(16, 4, [under, over], [0, 0]), 16) == [
        "################",
        "#######..#######",
        "######....######",
        "################",
    ]


def test_a_window_larger_than_its_strip_is_dark_beyond() -> None:
    assert rows_of(compose(8, 2, [Window(drawn("###"), 1, 0, 6, 2)], [0]), 8) == [".###....", "........"]


def test_offsets_must_be_told_for_every_window() -> None:
    with pytest.raises(ValueError, match="zip"):
        compose(8, 1, [Window(drawn("#"), 0, 0, 1, 1)], [])


def test_a_digest_has_sixteen_bytes() -> None:
    # Ref: FIPS 180-4; SHA-256 of the empty message begins e3b0c442 98fc1c14 9afbf4c8 996fb924.
    assert digest(b"") == bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb924")


@st.composite
def bitmaps(draw: st.DrawFn) -> Bitmap:
    width, height = draw(st.integers(1, 70)), draw(st.integers(1, 6))
    size = (width + 7) // 8 * height
    return Bitmap(width, height, draw(st.binary(min_size=size, max_size=size)))


@st.composite
def windows(draw: st.DrawFn) -> Window:
    x = draw(st.integers(0, 31))
    return Window(draw(bitmaps()), x, 0, draw(st.integers(1, 32 - x)), draw(st.integers(1, 8)), draw(speeds))


speeds = st.sampled_from([0, 30])


@given(window=windows(), data=st.data())
def test_every_pixel_is_the_one_the_protocol_names(window: Window, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, window.strip.width + window.w - 1)) if window.scroll_px_s else 0
    rows = rows_of(compose(32, 8, [window], [offset]), 32)
    for row in range(8):
        for column in range(32):
            inside = window.x <= column < window.x + window.w and row < window.h
            lit = rows[row][column] == "#"
            assert lit == (inside and pixel(window, column - window.x, row, offset))
