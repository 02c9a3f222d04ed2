"""What strangers can make the journal write: entries up to a rate, one sum a period, and every attempt in one."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from ward_hub.tally import BURST, PER_HOUR, PERIOD_S, Tally


def test_the_first_ones_are_written_by_themselves_and_the_rest_is_counted() -> None:
    tally = Tally(burst=3)
    assert [tally.alone("lan", "unknown-key", 0.0) for _ in range(5)] == [True] * 3 + [False] * 2
    (one,) = tally.due(0.0)
    assert (one.way, one.counts) == ("lan", {"unknown-key": 2})


def test_the_stock_fills_again_and_never_above_its_size() -> None:
    tally = Tally(burst=2, per_hour=3600)
    assert [tally.alone("lan", "x", at) for at in (0.0, 0.0, 0.0, 1.0, 1.0)] == [True, True, False, True, False]
    assert [tally.alone("lan", "x", 1000.0) for _ in range(3)] == [True, True, False]


def test_all_that_came_is_known_whether_written_or_counted() -> None:
    tally = Tally(burst=1)
    assert tally.seen("lan") == {}
    for word in ("x", "x", "y"):
        tally.alone("lan", word, 0.0)
    tally.count("lan", "z", 0.0)
    (one,) = tally.due(0.0)
    tally.settled(one, 0.0)
    assert tally.seen("lan") == {"x": 2, "y": 1, "z": 1}
    assert tally.seen("usb") == {}
    tally.seen("lan").clear()
    assert tally.seen("lan").total() == 4


def test_each_way_has_a_stock_of_its_own() -> None:
    tally = Tally(burst=1)
    assert tally.alone("lan", "x", 0.0)
    assert not tally.alone("lan", "x", 0.0)
    assert tally.alone("usb", "x", 0.0)


def test_a_sum_is_due_once_a_period_and_not_before_anything_was_counted() -> None:
    tally = Tally(burst=0, period=100)
    assert tally.due(0.0) == []
    tally.alone("lan", "x", 10.0)
    (one,) = tally.due(15.0)
    assert one.seconds == 5.0
    tally.settled(one, 15.0)
    assert tally.due(15.0) == []
    tally.alone("lan", "y", 20.0)
    assert tally.due(114.0) == []
    (two,) = tally.due(115.0)
    assert (two.counts, two.seconds) == ({"y": 1}, 95.0)


def test_what_could_not_be_written_stays_due_with_what_came_meanwhile() -> None:
    tally = Tally(burst=0)
    tally.count("lan", "x", 0.0)
    (one,) = tally.due(1.0)
    tally.count("lan", "x", 2.0)
    tally.settled(one, 3.0)
    assert [dict(left.counts) for left in tally.due(3.0, all_of_it=True)] == [{"x": 1}]


def test_a_sum_reads_as_words() -> None:
    tally = Tally(burst=0)
    for word in ("b", "a", "b"):
        tally.count("lan", word, 0.0)
    assert str(tally.due(60.0)[0]) == "lan: 1 a, 2 b in 60 s"


STEPS = st.lists(
    st.tuples(st.sampled_from(["lan", "usb"]), st.sampled_from(["x", "y"]), st.floats(0, 600), st.booleans()),
    max_size=300,
)


@given(STEPS)
def test_every_attempt_is_told_and_the_trail_is_bounded(steps: list[tuple[str, str, float, bool]]) -> None:
    tally, now = Tally(), 0.0
    attempts, told = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    entries = Counter[str]()
    for way, word, pause, sums in steps:
        now += pause
        attempts[way, word] += 1
        if tally.alone(way, word, now):
            told[way, word] += 1
            entries[way] += 1
        for one in tally.due(now) if sums else []:
            told.update({(one.way, counted): count for counted, count in one.counts.items()})
            entries[one.way] += 1
            tally.settled(one, now)
    for one in tally.due(now, all_of_it=True):
        told.update({(one.way, counted): count for counted, count in one.counts.items()})
    assert told == attempts
    assert all(count <= BURST + 2 + now * (PER_HOUR / 3600 + 1 / PERIOD_S) for count in entries.values())
