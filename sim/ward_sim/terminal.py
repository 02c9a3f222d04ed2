"""The simulated ward in a terminal: a line per timeline entry, a live status line, and the closing table."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any, TextIO, cast

from ward_sim.columns import clip, table
from ward_sim.words import Language, say, say_one

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ward_sim.page.snapshot import Severity, Snapshot, TimelineEntry

GLYPHS: Mapping[Severity, str] = {"info": "·", "good": "✓", "warn": "!", "alarm": "▲"}
COLORS: Mapping[Severity, str] = {"info": "36", "good": "32", "warn": "33", "alarm": "1;31"}
HEADINGS = ("bulletin", "decision", "aired", "evidence", "receipt")
# Where output is not a terminal it is read in a log or a report, which do not wrap like one.
WIDTH_ELSEWHERE = 120
WIDTH_UNTOLD = 80
CLEAR_LINE = "\r\x1b[2K"


@dataclass(frozen=True, slots=True)
class TableRow:
    r"""One bulletin in the closing table; a cell may hold several lines, parted by "\\n"."""

    bulletin: str
    decision: str
    aired: str
    evidence: str
    receipt: str


def wants_color(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether to write colours: on a terminal, unless NO_COLOR is set. Ref: https://no-color.org."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def terminal_width(stream: TextIO) -> int:
    """Return the columns of the stream's own terminal; elsewhere COLUMNS when it is a number, else 120."""
    if stream.isatty():
        # A terminal that was never told its size says 0.
        return os.get_terminal_size(stream.fileno()).columns or WIDTH_UNTOLD
    named = os.environ.get("COLUMNS", "")
    return int(named) if named.isdecimal() and int(named) > 0 else WIDTH_ELSEWHERE


def clock(seconds: float) -> str:
    """Return seconds since the start as m:ss.s."""
    tenths = max(0, int(seconds * 10))
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"


def unseen(before: Sequence[TimelineEntry], now: Sequence[TimelineEntry]) -> Sequence[TimelineEntry]:
    """Return what `now` holds beyond its longest overlap with `before`; a timeline forgets its oldest."""
    for dropped in range(len(before)):
        kept = len(before) - dropped
        if now[:kept] == before[dropped:]:
            return now[kept:]
    return now


class Terminal:
    """Writes what is new in each snapshot; on a terminal the last line is a status that is written over.

    `color=None` asks the stream and NO_COLOR. The stream stays the caller's to close.
    """

    def __init__(self, stream: TextIO, *, color: bool | None = None, language: Language = "vi") -> None:
        self._stream = stream
        self._color = wants_color(stream) if color is None else color
        self._language: Language = language
        self._live = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._seen: Sequence[TimelineEntry] = ()
        self._status = ""

    def update(self, snapshot: Mapping[str, Any]) -> None:
        """Print the timeline entries that are new, and bring the status line up to date."""
        ward = cast("Snapshot", snapshot)
        lines = [self._entry(entry) + "\n" for entry in unseen(self._seen, ward["timeline"])]
        self._seen = list(ward["timeline"])
        status = clip(self._status_text(ward), terminal_width(self._stream) - 1) if self._live else ""
        if not lines and status == self._status:
            return
        clear = CLEAR_LINE if self._status else ""
        self._status = status
        self._stream.write(clear + "".join(lines) + self._paint(status, "2"))
        self._stream.flush()

    def close(self) -> None:
        """Take the status line away, so that what is printed next begins on a clean line."""
        if self._status:
            self._stream.write(CLEAR_LINE)
            self._stream.flush()
            self._status = ""

    def _entry(self, entry: TimelineEntry) -> str:
        color, glyph = COLORS[entry["severity"]], GLYPHS[entry["severity"]]
        text = unicodedata.normalize("NFC", entry[self._language])
        words = self._paint(text, color) if entry["severity"] in {"warn", "alarm"} else text
        time = clock(entry["t"]).rjust(8)
        return f"{self._paint(time, '2')} {self._paint(glyph, color)} {words}"

    def _status_text(self, ward: Snapshot) -> str:
        language, link = self._language, ward["link"]
        loss = f"{link['loss'] * 100:.0f}"
        parts = [
            clock(ward["t"])[:-2],
            say_one("phase", ward["phase"], language),
            say("terminal.zones", language, on=sum(z["on"] for z in ward["zones"]), all=len(ward["zones"])),
            say("terminal.boards", language, on=_lit(ward), all=len(ward["boards"])),
            say("terminal.link_up", language, delay=link["delay_ms"], loss=loss)
            if link["up"]
            else say("terminal.link_down", language),
            say("terminal.receipts", language, n=_receipts(ward), all=len(ward["bulletins"])),
        ]
        if not ward["hub"]["up"]:
            parts.append(say("terminal.hub_down", language))
        return " │ ".join(parts)

    def _paint(self, text: str, color: str) -> str:
        return f"\x1b[{color}m{text}\x1b[0m" if self._color and text else text


def _lit(ward: Snapshot) -> int:
    # A base64 character other than A or the padding holds a set bit.
    return sum(board["frame"].strip("A=") != "" for board in ward["boards"])


def _receipts(ward: Snapshot) -> int:
    return sum(bulletin["receipt"] for bulletin in ward["bulletins"])


def print_table(
    rows: Sequence[TableRow], stream: TextIO, *, language: Language = "vi", width: int | None = None
) -> None:
    """Write the closing table in plain text, wrapped to the stream's width (or `width` cells)."""
    header = [say(f"bulletins.{name}", language) for name in HEADINGS]
    texts = [[unicodedata.normalize("NFC", text) for text in astuple(row)] for row in rows]
    stream.write(table(header, texts, width or terminal_width(stream)))
    stream.flush()
