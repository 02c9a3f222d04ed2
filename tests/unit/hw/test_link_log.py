"""The log of a line counts what was observed, of the last requests only."""

from __future__ import annotations

import pytest

from ward_hw.bus.outcome import Outcome
from ward_hw.link_log import WINDOW, LinkLog, UnitStatistics


def of(log: LinkLog) -> UnitStatistics:
    (one,) = log.statistics()
    return one


def test_every_outcome_has_its_number() -> None:
    log = LinkLog()
    for times, outcome in enumerate(
        [
            Outcome.ANSWER,
            Outcome.EXCEPTION,
            Outcome.SILENCE,
            Outcome.ECHO,
            Outcome.DAMAGED,
            Outcome.FOREIGN,
            Outcome.GARBAGE,
        ],
        1,
    ):
        for _ in range(times):
            log.observe(5, outcome, 0.01)
    one = of(log)
    assert (one.unit, one.tries, one.answers, one.exceptions) == (5, 28, 3, 2)
    assert (one.silent, one.echoes, one.damaged, one.foreign, one.garbage) == (3, 4, 5, 6, 7)
    assert (one.dirty, one.quiet) == (18, 7)


def test_latencies_are_those_of_answers() -> None:
    log = LinkLog()
    for number in range(100):
        log.observe(5, Outcome.ANSWER, number / 1000)
    one = of(log)
    assert one.median_ms == pytest.approx(50)
    assert one.p95_ms == pytest.approx(95)
    log.observe(6, Outcome.SILENCE, 9.0)
    assert (log.statistics()[1].median_ms, log.statistics()[1].p95_ms) == (None, None)


def test_bytes_that_follow_are_told_apart_by_what_they_follow() -> None:
    log = LinkLog()
    log.observe(5, Outcome.STRAY, 0.0)  # before anything was asked: nobody's
    assert log.statistics() == ()
    log.observe(5, Outcome.ANSWER, 0.01)
    for _ in range(7):  # the bytes of one second answer
        log.observe(5, Outcome.STRAY, 0.02)
    log.observe(5, Outcome.SILENCE, 0.3)
    log.observe(5, Outcome.STRAY, 0.4)
    assert (of(log).tries, of(log).second, of(log).late) == (2, 1, 1)


def test_a_run_of_silence_is_the_latest_one() -> None:
    log = LinkLog()
    for outcome in (Outcome.SILENCE, Outcome.SILENCE, Outcome.ANSWER, Outcome.SILENCE, Outcome.ECHO):
        log.observe(5, outcome, 0.1)
    assert of(log).silent_run == 2


def test_what_is_long_ago_is_forgotten() -> None:
    log = LinkLog()
    for _ in range(10 * WINDOW):
        log.observe(5, Outcome.DAMAGED, 0.1)
    for _ in range(WINDOW):
        log.observe(5, Outcome.ANSWER, 0.01)
    assert (of(log).tries, of(log).answers, of(log).damaged) == (WINDOW, WINDOW, 0)
