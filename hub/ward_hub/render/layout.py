"""A bulletin's text laid out on a board: which windows, what stands still, what scrolls.

A board of 32 rows or more has two lines: title above, body below. A lower board has one line with both. What
the reader must never miss stands still in a flag of lit ground and dark letters, for as long as the show
lasts:

- DIỄN TẬP (exercise) or THỬ NGHIỆM (test) on anything that is not actual. A board too narrow even for the
  short form (TẬP, THỬ) is refused the show: a drill that may be read as real must not be shown at all. Its text
  says the same in Vietnamese and English, before the title, and before and behind what follows it;
- KHẨN CẤP on an emergency, where there is room beside or above it; else the scrolling text begins with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ward_hub.render.errors import RenderError
from ward_hub.render.line import render_line
from ward_hub.render.pixels import inverted, padded, widened
from ward_hub.render.text import normalise
from ward_hw.drivers.picture import Bitmap, Show, Window
from ward_protocol.portable.board import MAX_PERIOD
from ward_protocol.statements import Priority, Status

MAX_STRIP_BYTES = 16_384
SCROLL_PX_S = 60  # 9 letters a second, half the pace of speech; 0.6 m/s on panels of 10 mm pitch
_FLAG_MARGIN = 3  # lit columns on each side of a flag's letters
_GAP = 2  # dark columns between a flag and what moves beside it
# A board does not follow the hub's language: what residents see is Vietnamese, as the bulletins are.
_FLAGS = {Status.EXERCISE: ("DIỄN TẬP", "TẬP"), Status.TEST: ("THỬ NGHIỆM", "THỬ")}
_MARKS = {Status.EXERCISE: "DIỄN TẬP – EXERCISE", Status.TEST: "THỬ NGHIỆM – TEST"}
_EMERGENCY = "KHẨN CẤP"


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of the board, in pixels."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True, slots=True)
class Wording:
    """What is to be seen: `marks` before the title, `flags` the forms of what stands, longest first."""

    marks: tuple[str, ...]
    flags: tuple[str, ...]
    drill: bool
    title: str
    body: str

    def heading(self, standing: bool) -> str:
        """Marks and title; the mark of an emergency is left out where it is `standing` in a flag."""
        return " – ".join([*self.marks[standing and not self.drill :], self.title])


def board_show(
    title: str,
    body: str,
    *,
    width: int,
    height: int,
    priority: Priority,
    status: Status,
    show_id: int,
    lease_ms: int,
    strip_bytes: int = MAX_STRIP_BYTES,
) -> Show:
    """The show of one bulletin on a board of `width` x `height` pixels.

    All strips together take at most `strip_bytes` (what the board says in IDENT, where that is less).
    Raises RenderError for characters the font lacks, text too long for the memory (says by how much), and a
    board too small for a line or for the flag of a test or an exercise.
    """
    words = _wording(normalise(title), normalise(body), priority, status)
    board = Area(0, 0, width, height)
    windows = _two_lines(words, board) if height >= 32 else _one_line(words, board)
    if any(each.scroll_px_s and each.strip.width + each.w > MAX_PERIOD for each in windows):
        raise RenderError(f"a line scrolls over more than {MAX_PERIOD} pixels; shorten the text")
    used = sum(len(each.strip.rows) for each in windows)
    if used > strip_bytes:
        raise RenderError(
            f"the text takes {used} bytes of the board's {strip_bytes}; shorten it to about "
            f"{len(title + body) * strip_bytes // used} characters"
        )
    return Show(show_id, tuple(windows), lease_ms)


def period_s(show: Show) -> float:
    """Seconds until every scrolling window has shown its whole strip once; 0 if all stand still."""
    periods = [(each.strip.width + each.w) / each.scroll_px_s for each in show.windows if each.scroll_px_s]
    return max(periods, default=0.0)


def _wording(title: str, body: str, priority: Priority, status: Status) -> Wording:
    if not title and not body:
        raise RenderError("the bulletin has no text to show; give it a title or a body")
    emergency = (_EMERGENCY,) if priority is Priority.EMERGENCY else ()
    title, body = (title, body) if title else (body, "")
    if status not in _FLAGS:
        return Wording(emergency, emergency, False, title, body)
    mark = _MARKS[status]
    body = f"{mark} – {body} – {mark}" if body else ""
    title = title if body else f"{title} – {mark}"
    return Wording((mark, *emergency), _FLAGS[status], True, title, body)


def _two_lines(words: Wording, board: Area) -> list[Window]:
    """Flag and title above, body below; with too little room above, the flag alone, title and body below."""
    cell = board.h // 2
    above, below = replace(board, h=cell), replace(board, y=board.h - cell, h=cell)
    beside = _fitting(words.flags[:1], cell, board.w - 2 * cell)
    alone = None if beside else _fitting(words.flags[:1], cell, board.w)
    if alone is not None:
        text = _joined(words.heading(standing=True), words.body)
        return [_still(widened(alone, board.w), above), _scrolled(text, below)]
    flag = beside or _fitting(words.flags, cell, board.w - 2 * cell)
    windows, rest = _flagged(words, flag, above)
    windows.append(_text(words.heading(standing=beside is not None), rest))
    if words.body:
        windows.append(_scrolled(words.body, below))
    return windows


def _one_line(words: Wording, board: Area) -> list[Window]:
    """A flag at the left; full marks, title and body scrolling beside it."""
    flag = _fitting(words.flags, board.h, board.w - 2 * board.h)
    windows, rest = _flagged(words, flag, board)
    return [*windows, _scrolled(_joined(words.heading(standing=False), words.body), rest)]


def _flagged(words: Wording, flag: Bitmap | None, line: Area) -> tuple[list[Window], Area]:
    """The flag's window at the left of the line, and what is left of the line."""
    if flag is None:
        if words.drill:
            raise RenderError(
                f"a board {line.w} pixels wide has no room for the flag {words.flags[-1]!r} beside text; "
                "leave this board out of tests and exercises"
            )
        return [], line
    taken = flag.width + _GAP
    return [_still(flag, replace(line, w=flag.width))], replace(line, x=line.x + taken, w=line.w - taken)


def _fitting(flags: tuple[str, ...], height: int, room: int) -> Bitmap | None:
    """The first of `flags` whose picture is at most `room` columns wide."""
    pictures = (inverted(render_line(each, height), _FLAG_MARGIN) for each in flags)
    return next((each for each in pictures if each.width <= room), None)


def _joined(title: str, body: str) -> str:
    stop = "" if title.endswith((".", "!", "?", ":")) else "."
    return f"{title}{stop} {body}" if body else title


def _text(text: str, where: Area) -> Window:
    """Standing in the middle where it fits, else scrolling."""
    strip = render_line(text, where.h)
    if strip.width > where.w:
        return Window(strip, where.x, where.y, where.w, where.h, SCROLL_PX_S)
    return _still(padded(strip, (where.w - strip.width) // 2, where.w), where)


def _scrolled(text: str, where: Area) -> Window:
    return Window(render_line(text, where.h), where.x, where.y, where.w, where.h, SCROLL_PX_S)


def _still(strip: Bitmap, where: Area) -> Window:
    return Window(strip, where.x, where.y, where.w, where.h, 0)
