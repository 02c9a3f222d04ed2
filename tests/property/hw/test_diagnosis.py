"""Of any numbers: a diagnosis names only units that were asked, never a sound one, each cause once, in any order."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from ward_hw.bus.outcome import Outcome
from ward_hw.diagnosis import Cause, diagnose
from ward_hw.link_log import WINDOW, LinkLog

EVENTS = st.lists(st.tuples(st.integers(1, 6), st.sampled_from(Outcome), st.floats(0, 10)), max_size=400)


def log_of(events: list[tuple[int, Outcome, float]]) -> LinkLog:
    log = LinkLog()
    for unit, outcome, latency in events:
        log.observe(unit, outcome, latency)
    return log


@given(EVENTS)
def test_numbers_add_up(events: list[tuple[int, Outcome, float]]) -> None:
    for one in log_of(events).statistics():
        assert one.tries == one.answers + one.quiet + one.dirty <= WINDOW
        assert one.exceptions <= one.answers
        assert one.silent_run <= one.quiet
        assert one.second <= one.answers
        assert one.late <= one.tries - one.answers
        assert (one.median_ms is None) == (one.answers == 0)
        assert one.median_ms is None or one.p95_ms is None or one.median_ms <= one.p95_ms


@given(EVENTS, st.sets(st.integers(1, 8)), st.sets(st.integers(1, 8)), st.randoms(use_true_random=False))
def test_whatever_is_found_was_seen(
    events: list[tuple[int, Outcome, float]], expected: set[int], elsewhere: set[int], shuffle: random.Random
) -> None:
    statistics = list(log_of(events).statistics())
    findings = diagnose(statistics, expected, elsewhere)
    seen = {one.unit for one in statistics} | elsewhere
    causes = [one.cause for one in findings]
    assert len(set(causes)) == len(causes)
    assert (Cause.BAUD in causes) == bool(elsewhere)
    for finding in findings:
        assert set(finding.units) <= seen
        assert list(finding.units) == sorted(finding.units)
    shuffle.shuffle(statistics)
    assert diagnose(statistics, expected, elsewhere) == findings


@given(EVENTS, st.integers(10, WINDOW), st.sets(st.integers(1, 8)))
def test_a_unit_that_always_answers_is_never_blamed(
    events: list[tuple[int, Outcome, float]], tries: int, expected: set[int]
) -> None:
    log = log_of(events)
    for _ in range(tries):
        log.observe(99, Outcome.ANSWER, 0.01)
    for finding in diagnose(log.statistics(), expected | {99}):
        assert 99 not in finding.units
        assert finding.cause not in {Cause.SILENT_LINE, Cause.ECHO_ONLY, Cause.POLARITY}
