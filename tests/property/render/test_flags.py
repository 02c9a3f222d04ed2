"""Whatever is shown on a board of whatever size, each frame of a drill carries its flag, and nothing else does."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from tests.property.render.test_letters import ALPHABET

from ward_hub.render import RenderError, board_show, render_line
from ward_hub.render.pixels import inverted
from ward_hw.drivers.picture import Bitmap, Show, compose
from ward_protocol.statements import Priority, Status

FLAGS = {Status.TEST: ("THỬ NGHIỆM", "THỬ"), Status.EXERCISE: ("DIỄN TẬP", "TẬP")}
MARKS = {Status.TEST: "THỬ NGHIỆM – TEST", Status.EXERCISE: "DIỄN TẬP – EXERCISE"}
DRILLS = sorted(FLAGS)


@dataclass(frozen=True)
class Case:
    """A text, and the board that it is to be shown on."""

    title: str
    body: str
    width: int
    height: int
    priority: Priority
    status: Status

    def show(self) -> Show:
        """The show; RenderError where the board has no room for it."""
        return board_show(
            self.title,
            self.body,
            width=self.width,
            height=self.height,
            priority=self.priority,
            status=self.status,
            show_id=1,
            lease_ms=6000,
        )

    def frame(self, shown: Show, moment_us: int) -> list[int]:
        """The rows of the board's frame so long after it got the show."""
        offsets = [moment_us * one.scroll_px_s // 1_000_000 % (one.strip.width + one.w) for one in shown.windows]
        rows = compose(self.width, self.height, shown.windows, offsets)
        size = self.width // 8
        return [int.from_bytes(rows[at : at + size], "big") for at in range(0, len(rows), size)]

    def flags(self, shown: Show, moment_us: int, status: Status) -> set[tuple[str, int, int]]:
        """Which flags of a status are lit in that frame and where, to the pixel."""
        rows = self.frame(shown, moment_us)
        found: set[tuple[str, int, int]] = set()
        for word in FLAGS[status]:
            for top, height in {(one.y, one.h) for one in shown.windows}:
                flag = inverted(render_line(word, height), 3)
                found |= {(word, x, top) for x in places(rows[top : top + height], self.width, flag)}
        return found


def places(rows: list[int], width: int, flag: Bitmap) -> set[int]:
    """The columns at which a flag begins in rows of its height."""
    mask = (1 << flag.width) - 1
    shifts = range(width - flag.width + 1)
    return {
        width - flag.width - shift
        for shift in shifts
        if all(row >> shift & mask == flag.row(y) for y, row in enumerate(rows))
    }


def cases(statuses: list[Status]) -> st.SearchStrategy[Case]:
    text = st.text(ALPHABET, max_size=60)
    return st.builds(
        Case,
        text,
        text,
        st.integers(8, 32).map(lambda size: size * 8),
        st.sampled_from([16, 20, 24, 31, 32, 40, 48, 64]),
        st.sampled_from(Priority),
        st.sampled_from(statuses),
    ).filter(lambda case: case.title.strip() or case.body.strip())


def shown_or_no_room(case: Case) -> Show:
    """The show; where the flag has no room there is none, and that is no example."""
    try:
        return case.show()
    except RenderError as error:
        assume("no room for the flag" not in str(error))
        raise


MOMENTS = st.lists(st.integers(0, 10**9), max_size=6).map(lambda moments: [0, *moments])


@given(cases(DRILLS), MOMENTS)
@example(Case("a", "", 64, 16, Priority.EMERGENCY, Status.TEST), [0, 16_666, 10**6])
@example(Case("", "a" * 60, 256, 64, Priority.NORMAL, Status.EXERCISE), [0, 123_456_789])
def test_every_frame_of_a_drill_carries_its_flag_in_one_place(case: Case, moments: list[int]) -> None:
    shown = shown_or_no_room(case)
    assert set.intersection(*(case.flags(shown, moment, case.status) for moment in moments))


@given(cases(list(Status)), MOMENTS)
def test_no_frame_carries_the_flag_of_another_status(case: Case, moments: list[int]) -> None:
    shown = shown_or_no_room(case)
    for other in set(DRILLS) - {case.status}:
        assert not any(case.flags(shown, moment, other) for moment in moments)


@given(cases(DRILLS))
def test_what_scrolls_says_so_in_both_languages_first_and_last(case: Case) -> None:
    moving = [one.strip for one in shown_or_no_room(case).windows if one.scroll_px_s]
    for strip in moving:
        mark = render_line(MARKS[case.status], strip.height)
        ends = (1 << mark.width) - 1
        rows, wanted = ([each.row(y) for y in range(strip.height)] for each in (strip, mark))
        assert [row >> strip.width - mark.width for row in rows] == wanted
        if strip is moving[-1]:
            assert [row & ends for row in rows] == wanted


@pytest.mark.parametrize("width", range(8, 128, 8))
@pytest.mark.parametrize("status", DRILLS)
def test_a_board_shows_a_drill_with_its_flag_or_not_at_all(width: int, status: Status) -> None:
    case = Case("Thử", "Thử", width, 16, Priority.NORMAL, status)
    narrowest = inverted(render_line(FLAGS[status][-1], 16), 3).width + 2 * 16
    if width < narrowest:
        with pytest.raises(RenderError, match="leave this board out of tests and exercises"):
            case.show()
    else:
        assert case.flags(case.show(), 0, status)
