"""docs/protocol.md tells for each status and priority what a hub does: chime, notice, flag, and what it cuts short."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.statements import MINIMAL
from tests.unit.project.tables import table_after, text

from ward_hub.chime import Signal
from ward_hub.correction import correction
from ward_hub.playout.script import SPAN_MS, notice, signal_of
from ward_hub.programme import Candidate, preempts
from ward_hub.render import board_show, render_line
from ward_hub.render.pixels import inverted
from ward_protocol.statements import Cancel, Priority, Status

DOC = "docs/protocol.md"
ROWS = table_after(DOC, "drills")
CHIMES = {
    Signal.NORMAL: "two falling tones",
    Signal.EMERGENCY: "two rising tones, three times",
    Signal.DRILL: "four pips",
}
KINDS = [(status, priority) for status in Status for priority in Priority]
EMERGENCY = Priority.EMERGENCY
CUTS = {
    "nothing": set(),
    "all but Actual emergencies": set(KINDS) - {(Status.ACTUAL, EMERGENCY)},
    "drills that are no emergency": {
        (status, priority) for status, priority in KINDS if status is not Status.ACTUAL and priority is not EMERGENCY
    },
}


def candidate(status: Status, priority: Priority) -> Candidate:
    return Candidate(bytes(32), replace(MINIMAL, status=status, priority=priority))


def row_of(status: Status, priority: Priority) -> tuple[str, ...]:
    (found,) = [row for row in ROWS if row[0] == f"`{status}`" and str(int(priority)) in row[1]]
    return found


@pytest.mark.parametrize(("status", "priority"), KINDS)
def test_what_a_hub_does_is_what_the_table_says(status: Status, priority: Priority) -> None:
    one = candidate(status, priority)
    _, _, chime, said, flag, cuts = row_of(status, priority)
    assert chime == CHIMES[signal_of(one.bulletin)]
    assert said == notice(status, "vi")
    assert {other for other in KINDS if preempts(one, candidate(*other))} == CUTS[cuts]
    shown = board_show("a", "b", width=256, height=32, priority=priority, status=status, show_id=1, lease_ms=6000)
    flags = [inverted(render_line(word, 16), 3) for word in {row[4] for row in ROWS} - {""}]
    standing = [window.strip for window in shown.windows if not window.scroll_px_s]
    assert [strip for strip in standing if strip in flags] == ([inverted(render_line(flag, 16), 3)] if flag else [])


def test_the_table_has_a_row_for_everything() -> None:
    assert len(ROWS) == 2 * len(Status)


def test_the_longest_time_without_the_notice_is_told() -> None:
    assert f"more than {SPAN_MS // 1000} s pass without it" in text(DOC)


def test_the_words_of_a_correction_are_told() -> None:
    cancel = Cancel("ward", 2, 0, 10**10, MINIMAL.audience, bytes(32), announce=True)
    wrong = replace(MINIMAL, texts=(replace(MINIMAL.texts[0], title="TITLE"),))
    made = correction(wrong, cancel)
    assert made is not None
    told = " ".join(text(DOC).split())
    for one in made.texts:
        assert f"*{one.body}*" in told
