"""From numbers to likely causes: an example of each row of the table, and what is no trouble."""

from __future__ import annotations

import pytest

from ward_hw.diagnosis import Cause, Finding, diagnose
from ward_hw.link_log import UnitStatistics

S = UnitStatistics


def good(unit: int, tries: int = 100) -> S:
    return S(unit, tries=tries, answers=tries, median_ms=6.0, p95_ms=7.0)


def dead(unit: int, tries: int = 20) -> S:
    return S(unit, tries=tries, silent=tries, silent_run=tries)


def lossy(unit: int, damaged: int, silent: int = 0, tries: int = 100) -> S:
    return S(unit, tries=tries, answers=tries - damaged - silent, damaged=damaged, silent=silent)


NOISE_AND_DEAD = (Finding(Cause.NOISE), Finding(Cause.DEAD, (3,)))
EMPTY = [dead(unit, 1) for unit in range(1, 31)]  # numbers that were asked once, and nobody has


@pytest.mark.parametrize(
    ("statistics", "expected", "findings"),
    [
        ([], (), ()),
        ([good(1), good(2)], (1, 2), ()),
        ([*EMPTY[5:], good(1), good(2)], (1, 2), ()),
        ([good(1), dead(2)], (1, 2), (Finding(Cause.DEAD, (2,)),)),
        ([good(1), dead(2)], (1,), ()),  # nobody promised unit 2
        ([good(1), S(2, tries=100, answers=95, silent=5, silent_run=5)], (), (Finding(Cause.DEAD, (2,)),)),
        (EMPTY, (), (Finding(Cause.SILENT_LINE),)),
        ([dead(1), dead(2)], (1, 2), (Finding(Cause.SILENT_LINE),)),
        ([S(n, tries=1, echoes=1, silent_run=1) for n in range(1, 31)], (), (Finding(Cause.ECHO_ONLY),)),
        ([S(n, tries=1, garbage=1) for n in range(1, 31)], (), (Finding(Cause.POLARITY),)),
        ([S(n, tries=20, garbage=15, damaged=5) for n in (1, 2)], (1, 2), (Finding(Cause.POLARITY),)),
        ([*EMPTY[5:], S(3, tries=20, damaged=12, garbage=8)], (3,), (Finding(Cause.COLLISION, (3,)),)),
        ([good(1), good(2), S(3, tries=20, garbage=20)], (1, 2, 3), (Finding(Cause.COLLISION, (3,)),)),
        ([good(1), good(2), S(3, tries=20, answers=20, second=15)], (1, 2, 3), (Finding(Cause.COLLISION, (3,)),)),
        ([good(1), lossy(2, 40), good(3)], (1, 2, 3), (Finding(Cause.COLLISION, (2,)),)),
        ([lossy(1, 5), lossy(2, 3, 4), lossy(3, 8)], (1, 2, 3), (Finding(Cause.NOISE),)),
        ([lossy(1, 50, 10), lossy(2, 45, 9), lossy(3, 60)], (1, 2, 3), (Finding(Cause.NOISE),)),
        ([lossy(1, 1), lossy(2, 4), lossy(3, 1), lossy(4, 1)], (1, 2, 3, 4), (Finding(Cause.NOISE),)),
        ([good(1), lossy(2, 4), lossy(3, 0, 5), good(4)], (1, 2, 3, 4), (Finding(Cause.NOISE),)),
        ([lossy(1, 30, 20), lossy(2, 3), dead(3), lossy(4, 0, 9)], (1, 2, 3, 4), NOISE_AND_DEAD),
        ([lossy(1, 5)], (1,), (Finding(Cause.NOISE),)),
        ([good(1), lossy(2, 5), good(3)], (1, 2, 3), (Finding(Cause.NOISY_UNIT, (2,)),)),
        ([good(1), lossy(2, 0, 5), good(3)], (1, 2, 3), (Finding(Cause.LOOSE, (2,)),)),
        ([good(1), lossy(2, 1), good(3)], (1, 2, 3), ()),  # one in a hundred is no pattern
        ([good(1), S(2, tries=50, silent=50, silent_run=50, late=48)], (1, 2), (Finding(Cause.SLOW, (2,)),)),
        ([good(1), S(2, tries=50, silent=50, silent_run=50, late=48)], (1,), (Finding(Cause.SLOW, (2,)),)),
        ([good(1), S(2, tries=50, answers=40, foreign=10)], (1, 2), (Finding(Cause.SECOND_MASTER),)),
        ([S(1, tries=50, answers=50, second=40), S(2, tries=50, foreign=50)], (1,), (Finding(Cause.SECOND_MASTER),)),
        ([good(1), S(2, tries=20, answers=19, foreign=1)], (1, 2), ()),  # one late answer of somebody is no pattern
        ([S(1, tries=3, silent=3, silent_run=3)], (1,), ()),  # too little is known
        (
            [good(1), good(4), dead(2), S(3, tries=20, garbage=20)],
            (1, 2, 3, 4),
            (Finding(Cause.COLLISION, (3,)), Finding(Cause.DEAD, (2,))),
        ),
    ],
)
def test_what_is_seen_has_its_likely_cause(
    statistics: list[S], expected: tuple[int, ...], findings: tuple[Finding, ...]
) -> None:
    assert diagnose(statistics, expected) == findings


def test_units_at_another_baud_rate_are_neither_dead_nor_missing() -> None:
    alone = Finding(Cause.BAUD, (5, 6))
    assert diagnose([dead(5), dead(6)], (5, 6), elsewhere=(6, 5)) == (alone,)
    assert diagnose(EMPTY, (), elsewhere=(5, 6)) == (alone,)
    assert diagnose([good(1), dead(5), dead(6)], (1, 5, 6), elsewhere=(5, 6)) == (alone,)
    assert diagnose([dead(1), dead(5)], (1, 5), elsewhere=(5,)) == (
        Finding(Cause.BAUD, (5,)),
        Finding(Cause.SILENT_LINE),
    )
