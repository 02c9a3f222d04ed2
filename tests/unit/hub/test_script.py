"""What is said in which order: chimes by status and priority, and in a drill never 20 s without saying so."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.statements import MINIMAL

from ward_hub.chime import Signal
from ward_hub.i18n import LANGUAGES
from ward_hub.playout.script import (
    MAX_SENTENCE,
    SPAN_MS,
    language_of,
    notice,
    sentences,
    signal_of,
    with_notices,
)
from ward_hw.audio import Part
from ward_protocol.statements import Audio, Priority, Status, Text

NOTICE = Path("notice")
FILES = st.lists(st.integers(0, 100_000), max_size=12).map(
    lambda lengths: [(Path(f"file-{number}"), length) for number, length in enumerate(lengths)]
)


@pytest.mark.parametrize("priority", Priority)
@pytest.mark.parametrize("status", Status)
def test_the_chime_is_by_status_and_then_by_priority(status: Status, priority: Priority) -> None:
    signal = signal_of(replace(MINIMAL, status=status, priority=priority))
    if status is not Status.ACTUAL:
        assert signal is Signal.DRILL
    else:
        assert signal is (Signal.EMERGENCY if priority is Priority.EMERGENCY else Signal.NORMAL)


def test_only_what_is_real_has_no_notice() -> None:
    said = {(status, language): notice(status, language) for status in Status for language in LANGUAGES}
    assert [said[Status.ACTUAL, language] for language in LANGUAGES] == ["", ""]
    drills = [said[status, language] for status in Status for language in LANGUAGES if status is not Status.ACTUAL]
    assert all(drills)
    assert len(set(drills)) == len(drills), "a test is not an exercise, in either language"


def test_the_notice_is_in_the_language_of_what_is_said() -> None:
    """A hub of one language may air a text or recording that there is only in another."""
    text, spoken = Text("en-GB", "a", "b"), Audio(bytes(32), 1, "audio/ogg", 1, "en")
    both = replace(MINIMAL, texts=(text,), audio=(replace(spoken, language="vi"),))
    assert language_of(both, "vi", recorded=False) == "en"
    assert language_of(both, "vi", recorded=True) == "vi"
    assert language_of(replace(both, texts=()), "vi", recorded=False) == "vi"


def test_where_we_cannot_speak_its_language_the_notice_is_in_the_hubs() -> None:
    strange = replace(MINIMAL, audio=(Audio(bytes(32), 1, "audio/ogg", 1, "km"),))
    assert [language_of(strange, hub, recorded=True) for hub in LANGUAGES] == list(LANGUAGES)


# Sentences


def test_a_text_is_parted_at_the_ends_of_its_sentences() -> None:
    text = "Kiểm tra loa.\nLúc 7.30 giờ sáng: mọi người ở nhà! Vì sao?\n\n  Vì là 15/2…  Hết"
    assert sentences(text) == [
        "Kiểm tra loa.",
        "Lúc 7.30 giờ sáng:",
        "mọi người ở nhà!",
        "Vì sao?",
        "Vì là 15/2…",
        "Hết",
    ]


def test_a_long_sentence_is_parted_at_a_comma_or_else_between_words() -> None:
    commas = "mười hai chữ cái, " * 20
    assert all(part.endswith("cái,") for part in sentences(commas))
    words = sentences("chữ " * 200)
    assert set(" ".join(words).split()) == {"chữ"}


@given(st.text(st.sampled_from("aế. ,!\n…0"), max_size=600) | st.text(max_size=400))
@example("x" * 1000)
@example(", " * 300)
def test_nothing_is_lost_and_no_part_is_long_or_empty(text: str) -> None:
    parts = sentences(text)
    assert re.sub(r"\s", "", "".join(parts)) == re.sub(r"\s", "", text)
    assert all(part.strip() and len(part) <= MAX_SENTENCE for part in parts)


# Notices


def lengths(files: list[tuple[Path, int]], order: list[Path | Part]) -> list[tuple[bool, int]]:
    """For each sound whether it is the notice, and its length in ms."""
    known = dict(files)
    found: list[tuple[bool, int]] = []
    for sound in order:
        part = sound if isinstance(sound, Part) else Part(sound)
        whole = known.get(part.path, 0)
        end = whole if part.end_ms is None else part.end_ms
        found.append((part.path == NOTICE, end - part.begin_ms))
    return found


@given(FILES)
@example([(Path("a"), SPAN_MS)])
@example([(Path("a"), SPAN_MS + 1)])
@example([(Path("a"), SPAN_MS), (Path("b"), SPAN_MS)])
@example([(Path("a"), 3_600_000)])
def test_the_notice_is_first_last_and_never_far(files: list[tuple[Path, int]]) -> None:
    told = lengths(files, with_notices(NOTICE, files))
    assert told[0][0]
    assert told[-1][0]
    since = 0
    for is_notice, length in told:
        since = 0 if is_notice else since + length
        assert since <= SPAN_MS


@given(FILES)
def test_all_of_the_content_is_played_once_and_in_order(files: list[tuple[Path, int]]) -> None:
    order = [sound for sound in with_notices(NOTICE, files) if sound != NOTICE]
    at = 0
    for path, length in files:
        covered = 0
        while at < len(order) and covered < max(length, 1):
            part = order[at]
            if not isinstance(part, Part):
                assert part == path
                covered = max(length, 1)
            else:
                assert (part.path, part.begin_ms) == (path, covered)
                covered = length if part.end_ms is None else part.end_ms
            at += 1
    assert at == len(order)


@given(FILES)
def test_no_notice_is_said_twice_in_a_row_within_content(files: list[tuple[Path, int]]) -> None:
    """Silence or a list of notices is no content: where there is some, notices only stand around it."""
    order = with_notices(NOTICE, [one for one in files if one[1]])
    twice = [one for one, other in pairwise(order) if one == other == NOTICE]
    assert not twice or len(order) == 2
