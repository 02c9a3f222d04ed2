"""What stands and what scrolls on boards of several sizes; tests and exercises are never without their flag."""

from __future__ import annotations

import pytest

from ward_hub.render import RenderError, board_show, render_line, warm_up
from ward_hub.render.glyphs import ink
from ward_hub.render.layout import SCROLL_PX_S, period_s
from ward_hub.render.pixels import inverted
from ward_hw.drivers.board import Bitmap, Show, Window
from ward_protocol.statements import Priority, Status

TITLE, BODY = "Tổng vệ sinh môi trường", "Sáng Chủ nhật, toàn phường quét dọn đường ngõ, khơi thông cống rãnh."
BOARDS = [(64, 16), (96, 16), (128, 16), (64, 32), (96, 32), (128, 32), (192, 32), (192, 64)]
FLAGS = {Status.TEST: ["THỬ NGHIỆM", "THỬ"], Status.EXERCISE: ["DIỄN TẬP", "TẬP"]}


def show(
    width: int,
    height: int,
    *,
    title: str = TITLE,
    body: str = BODY,
    priority: Priority = Priority.NORMAL,
    status: Status = Status.ACTUAL,
    strip_bytes: int = 65536,
) -> Show:
    return board_show(
        title,
        body,
        width=width,
        height=height,
        priority=priority,
        status=status,
        show_id=7,
        lease_ms=5000,
        strip_bytes=strip_bytes,
    )


def holds(strip: Bitmap, part: Bitmap) -> bool:
    """Whether `part` stands somewhere in `strip`, to the pixel."""
    for x in range(strip.width - part.width + 1):
        mask = (1 << part.width) - 1
        shift = strip.width - x - part.width
        if all(strip.row(y) >> shift & mask == part.row(y) for y in range(part.height)):
            return True
    return False


def still(shown: Show) -> list[Window]:
    return [each for each in shown.windows if not each.scroll_px_s]


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("priority", Priority)
@pytest.mark.parametrize(("width", "height"), BOARDS)
def test_windows_stay_on_the_board_and_apart(width: int, height: int, priority: Priority, status: Status) -> None:
    shown = show(width, height, priority=priority, status=status)
    assert 1 <= len(shown.windows) <= 4, "the board has four slots"
    taken: set[tuple[int, int]] = set()
    for each in shown.windows:
        assert 0 <= each.x < each.x + each.w <= width
        assert 0 <= each.y < each.y + each.h <= height
        assert each.strip.height == each.h
        assert each.scroll_px_s or each.strip.width == each.w, "what stands is seen whole"
        area = {(x, y) for x in range(each.x, each.x + each.w) for y in range(each.y, each.y + each.h)}
        assert not area & taken
        taken |= area


@pytest.mark.parametrize("status", FLAGS)
@pytest.mark.parametrize("priority", Priority)
@pytest.mark.parametrize(("width", "height"), BOARDS)
def test_a_flag_stands_throughout_a_test(width: int, height: int, priority: Priority, status: Status) -> None:
    shown = show(width, height, priority=priority, status=status)
    line = min(each.h for each in shown.windows)
    flags = [inverted(render_line(text, line), 3) for text in FLAGS[status]]
    assert any(holds(each.strip, flag) for each in still(shown) for flag in flags)


@pytest.mark.parametrize(("width", "height"), BOARDS)
def test_an_emergency_says_so(width: int, height: int) -> None:
    shown = show(width, height, priority=Priority.EMERGENCY)
    word = render_line("KHẨN CẤP", shown.windows[0].h)
    lit = [each for each in shown.windows if holds(each.strip, inverted(word, 3))]
    assert lit or any(holds(each.strip, word) for each in shown.windows)


@pytest.mark.parametrize("status", FLAGS)
def test_a_drill_is_not_shown_where_its_flag_has_no_room(status: Status) -> None:
    with pytest.raises(RenderError, match="leave this board out"):
        show(32, 16, status=status)


def test_a_short_title_stands_in_the_middle_and_the_body_scrolls() -> None:
    title, body = show(192, 32, title="Ngắn").windows
    assert (title.scroll_px_s, title.w, title.y) == (0, 192, 0)
    assert (body.scroll_px_s, body.w, body.y) == (SCROLL_PX_S, 192, 16)
    left = title.strip.width - max(title.strip.row(y).bit_length() for y in range(16))
    word = render_line("Ngắn", 16)
    assert left == (192 - word.width) // 2


def test_a_long_title_scrolls() -> None:
    title, _ = show(96, 32).windows
    assert title.scroll_px_s == SCROLL_PX_S
    assert title.strip == render_line(TITLE, 16)


def test_a_low_board_scrolls_title_and_body_on_one_line() -> None:
    (only,) = show(96, 16).windows
    assert only.strip == render_line(f"{TITLE}. {BODY}", 16)


def test_a_body_alone_is_enough() -> None:
    (only,) = show(96, 32, title=" ").windows
    assert only.strip == render_line(BODY, 16)


def test_no_text_at_all_is_refused() -> None:
    with pytest.raises(RenderError, match="no text"):
        show(96, 32, title="", body="\n")


def test_text_over_the_boards_memory_is_refused_with_a_length_that_fits() -> None:
    with pytest.raises(RenderError, match=r"of the board's 1000; shorten it to about (\d+) characters") as refused:
        show(96, 16, strip_bytes=1000)
    fitting = int(str(refused.value).rpartition("about ")[2].partition(" ")[0])
    (only,) = show(96, 16, title="", body=(BODY * 3)[: fitting - 5], strip_bytes=1000).windows
    assert len(only.strip.rows) <= 1000


def test_text_over_the_scroll_period_is_refused() -> None:
    with pytest.raises(RenderError, match="shorten the text"):
        show(96, 16, body="rất dài " * 1500, strip_bytes=10**9)


def test_a_warmed_up_size_draws_no_usual_letter_again() -> None:
    warm_up(18)
    drawn = ink.cache_info().misses
    render_line(f"{TITLE} {BODY} Ẳ ẵ Ỵ", 18)
    assert ink.cache_info().misses == drawn


@pytest.mark.parametrize(("width", "height"), [(96, 15), (96, 300)])
def test_a_board_too_low_or_too_high_is_refused(width: int, height: int) -> None:
    with pytest.raises(RenderError, match="pixels is outside"):
        show(width, height)


def test_the_period_is_that_of_the_longest_window() -> None:
    shown = show(96, 32)
    longest = max(each.strip.width for each in shown.windows)
    assert period_s(shown) == (longest + 96) / SCROLL_PX_S
    assert period_s(Show(1, tuple(still(show(192, 32, title="Ngắn"))), 1)) == 0
