"""Windows drawn by hand: static, clipped, scrolling, covering one another."""

from __future__ import annotations

import pytest

from ward_firmware.board.canvas import Placed, Strip, compose
from ward_protocol.portable.board import MODE_SCROLL, MODE_STATIC, Window

ARROW = ["#..", ".##", "#.."]


def strip(rows: list[str]) -> Strip:
    made = Strip(len(rows[0]), len(rows))
    for y, row in enumerate(rows):
        for x, pixel in enumerate(row):
            if pixel == "#":
                made.data[y * made.stride + x // 8] |= 0x80 >> x % 8
    return made


def window(x: int, y: int, w: int, h: int, speed: int = 0) -> Window:
    return Window(0, 0, x, y, w, h, MODE_SCROLL if speed else MODE_STATIC, speed)


def drawn(placed: list[Placed], width: int = 16, height: int = 4) -> list[str]:
    frame = compose(placed, width, height)
    rows = [frame[at : at + width // 8] for at in range(0, len(frame), width // 8)]
    return ["".join(f"{byte:08b}" for byte in row).replace("0", ".").replace("1", "#") for row in rows]


def test_nothing_is_dark() -> None:
    assert drawn([]) == ["." * 16] * 4


def test_static_strip_at_any_pixel() -> None:
    assert drawn([Placed(strip(ARROW), window(6, 1, 5, 3))]) == [
        "................",
        "......#.........",
        ".......##.......",
        "......#.........",
    ]


def test_window_clips_its_strip() -> None:
    assert drawn([Placed(strip(ARROW), window(14, 3, 2, 1))])[3] == "..............#."
    assert drawn([Placed(strip(ARROW), window(1, 0, 2, 2))])[:2] == [".#..............", "..#............."]


def test_later_window_covers_with_its_dark_pixels_too() -> None:
    full = Placed(strip(["#" * 16] * 4), window(0, 0, 16, 4))
    assert drawn([full, Placed(strip(ARROW), window(2, 1, 4, 3))]) == [
        "################",
        "###...##########",
        "##.##.##########",
        "###...##########",
    ]


def test_scroll_enters_from_the_right_leaves_to_the_left_and_wraps() -> None:
    placed = Placed(strip(["##.#"]), window(1, 0, 3, 1, speed=1))
    seen = []
    for _ in range(8):
        seen.append(drawn([placed], 8, 1)[0][:5])
        placed.advance(1_000_000)
    assert seen == [".....", "...#.", "..##.", ".##..", ".#.#.", "..#..", ".#...", "....."]


@pytest.mark.parametrize("step_us", [1, 999, 20_000, 333_333, 5_000_000])
def test_offset_is_exact_however_time_is_cut(step_us: int) -> None:
    placed = Placed(strip(["#" * 50]), window(0, 0, 30, 1, speed=37))
    elapsed = 0
    for _ in range(300):
        placed.advance(step_us)
        elapsed += step_us
        assert placed.offset == elapsed * 37 // 1_000_000 % 80


def test_pixel_us_is_when_the_picture_changes_next() -> None:
    placed = Placed(strip(["#" * 50]), window(0, 0, 30, 1, speed=37))
    placed.advance(10_000)
    left = placed.pixel_us()
    assert not placed.advance(left - 1)
    assert placed.advance(1)
