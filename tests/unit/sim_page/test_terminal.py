"""The terminal view: a line per happening, once; a status line only on a terminal; colour only where wanted."""

from __future__ import annotations

import io
import os
import pty
import re
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import pytest
from tests.e2e.page_story import snapshot

from ward_sim.columns import cells
from ward_sim.terminal import TableRow, Terminal, clock, print_table, unseen, wants_color

ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@contextmanager
def terminal_of(columns: int) -> Iterator[tuple[TextIO, int]]:
    """A real terminal of that many columns: the stream to write to, and the descriptor to read from."""
    outside, inside = pty.openpty()
    termios.tcsetwinsize(inside, (24, columns))
    stream = os.fdopen(inside, "w", encoding="utf-8")
    try:
        yield stream, outside
    finally:
        stream.close()
        os.close(outside)


def read(stream: TextIO, outside: int) -> str:
    """All that was written so far; a pty hands it over piece by piece, so the end is marked."""
    stream.write("\x04")
    stream.flush()
    written = b""
    while not written.endswith(b"\x04"):
        written += os.read(outside, 65536)
    return written[:-1].decode()


def entry(number: int) -> dict[str, Any]:
    return {"t": float(number), "kind": "air", "vi": f"việc {number}", "en": f"event {number}", "severity": "info"}


def ward(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {**snapshot(1.0), "timeline": entries}


def test_each_entry_is_printed_once_in_order() -> None:
    stream = io.StringIO()
    terminal = Terminal(stream)
    for tenths in range(1200):
        terminal.update(snapshot(tenths / 10))
    terminal.close()
    story = snapshot(120.0)["timeline"]
    lines = stream.getvalue().splitlines()
    assert len(lines) == len(story)
    assert all(line.endswith(told["vi"]) for line, told in zip(lines, story, strict=True))
    assert lines[5] == "  0:31.0 ▲ KHẨN CẤP: lũ trên sông Nhuệ, đủ 3 chữ ký"


def test_a_timeline_that_forgets_its_oldest_is_followed() -> None:
    entries = [entry(number) for number in range(500)]
    stream = io.StringIO()
    terminal = Terminal(stream, language="en")
    for end in (1, 2, 150, 150, 320, 321, 499, 500):
        terminal.update(ward(entries[max(0, end - 200) : end]))
    assert re.findall(r"event (\d+)", stream.getvalue()) == [str(number) for number in range(500)]


def test_like_entries_are_not_taken_for_old_ones() -> None:
    same = entry(1)
    assert list(unseen([same], [same, same])) == [same]  # type: ignore[list-item]


def test_plain_where_it_is_no_terminal() -> None:
    stream = io.StringIO()
    terminal = Terminal(stream)
    terminal.update(snapshot(50.0))
    terminal.close()
    assert "\x1b" not in stream.getvalue()
    assert "\r" not in stream.getvalue()


def test_colour_may_be_forced() -> None:
    stream = io.StringIO()
    Terminal(stream, color=True).update(snapshot(50.0))
    assert "\x1b[1;31m▲\x1b[0m" in stream.getvalue()


def test_no_color_is_respected() -> None:
    with terminal_of(80) as (stream, _outside):
        assert wants_color(stream, {"TERM": "xterm"})
        assert not wants_color(stream, {"TERM": "xterm", "NO_COLOR": "1"})
        assert wants_color(stream, {"TERM": "xterm", "NO_COLOR": ""})
        assert not wants_color(stream, {"TERM": "dumb"})
    assert not wants_color(io.StringIO(), {"TERM": "xterm"})


@pytest.mark.parametrize("columns", [20, 80, 200])
def test_the_status_line_fits_and_is_written_over(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    with terminal_of(columns) as (stream, outside):
        terminal = Terminal(stream, color=False)
        terminal.update(snapshot(50.0))
        terminal.update(snapshot(80.0))
        terminal.close()
        written = read(stream, outside)
    assert written.endswith("\r\x1b[2K")
    status = ESCAPE.sub("", written.removesuffix("\r\x1b[2K")).rpartition("\n")[2]
    assert status.startswith("1:20 │ Mất")
    assert cells(status) <= columns - 1
    if columns == 200:
        assert status == "1:20 │ Mất mạng │ loa 0/8 │ bảng 0/2 │ mạng ĐỨT │ biên nhận 4/4"


def test_a_dumb_terminal_gets_lines_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    with terminal_of(80) as (stream, outside):
        Terminal(stream).update(snapshot(50.0))
        assert "\x1b" not in read(stream, outside)


def test_the_closing_table_wraps_to_the_terminal() -> None:
    row = TableRow("Khẩn cấp: lũ trên sông Nhuệ", "nhận", "8 cụm loa 0:31–0:56\n2 bảng 0:31–0:56", "đọc lại", "có")
    with terminal_of(60) as (stream, outside):
        print_table([row], stream)
        lines = read(stream, outside).splitlines()
    assert lines[0].split("  ")[0] == "Bản tin"
    assert all(cells(line) <= 60 for line in lines)
    assert any("2 bảng" in line for line in lines)


def test_the_closing_table_in_english_has_english_headings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "not a number")
    stream = io.StringIO()
    print_table([], stream, language="en")
    assert re.split(r"  +", stream.getvalue().splitlines()[0]) == [
        "Bulletin", "Decision", "Aired where and when", "Evidence", "Receipt",
    ]  # fmt: skip


@pytest.mark.parametrize(("seconds", "said"), [(0, "0:00.0"), (-1, "0:00.0"), (59.96, "0:59.9"), (61.25, "1:01.2")])
def test_clock(seconds: float, said: str) -> None:
    assert clock(seconds) == said


def test_the_standard_stream_is_accepted() -> None:
    Terminal(sys.stderr).close()
