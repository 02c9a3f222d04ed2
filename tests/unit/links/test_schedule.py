"""Which block is asked for when: within the window, lost ones first, each wanted until it has come, pauses no loss."""

from __future__ import annotations

import random
from collections.abc import Iterable

from ward_hub.links.schedule import Schedule
from ward_hub.links.trip import FIRST_TIMEOUT_S, RoundTrip
from ward_hub.links.window import Window


def schedule(blocks: Iterable[int] = range(100), size: float = 4) -> Schedule:
    return Schedule(blocks, Window(size=size), RoundTrip(), random.Random(1))


def test_asks_in_order_and_no_more_than_the_window() -> None:
    one = schedule()
    assert one.due(0.0) == [0, 1, 2, 3]
    assert one.due(0.1) == []


def test_an_answer_makes_room() -> None:
    one = schedule()
    one.due(0.0)
    assert one.came(2, 0.1, 0.1)
    assert one.due(0.1) == [4, 5]  # the window grew by one as well


def test_a_block_that_comes_twice_or_unasked_is_not_wanted() -> None:
    one = schedule()
    one.due(0.0)
    assert one.came(1, 0.1, 0.1)
    assert not one.came(1, 0.1, 0.1)
    assert not one.came(50, 0.1, 0.1)


def test_a_late_block_is_asked_for_before_new_ones() -> None:
    one = schedule()
    one.due(0.0)
    for block in (1, 2, 3):
        one.came(block, 0.9, 0.9)
    late_at = one.wake_at()
    assert late_at is not None
    assert one.due(late_at)[0] == 0


def test_what_was_asked_before_anything_was_measured_is_late_by_what_is_known_now() -> None:
    one = schedule(range(2), 2)
    one.due(0.0)
    before = one.wake_at()
    one.came(1, 0.1, 0.1)
    after = one.wake_at()
    assert before is not None
    assert after is not None
    assert after < FIRST_TIMEOUT_S <= before


def test_a_way_that_becomes_six_times_longer_is_followed() -> None:
    trip = RoundTrip()
    for at in range(20):
        trip.sample(0.05, float(at))
    one = Schedule(range(200), Window(size=8), trip, random.Random(1))
    now, answers = 20.0, list[tuple[float, float, int]]()
    while not one.finished:
        assert now < 80
        answers += [(now + 0.3, now, block) for block in one.due(now)]
        answers.sort()
        wake_at = one.wake_at() or now
        if answers and answers[0][0] <= wake_at:
            now, asked_at, block = answers.pop(0)
            one.came(block, now - asked_at, now)
        else:
            now = wake_at


def test_a_late_block_may_still_come_from_its_first_attempt() -> None:
    one = schedule(range(1), 2)
    one.due(0.0)
    one.due(2.0)
    assert one.came(0, 2.1, 2.1)
    assert one.finished


def test_finished_when_the_last_came() -> None:
    one = schedule(range(3), 8)
    one.due(0.0)
    finished = []
    for block in range(3):
        one.came(block, 0.1, 0.1)
        finished.append(one.finished)
    assert finished == [False, False, True]
    assert one.wake_at() is None


def test_nothing_to_fetch_is_finished() -> None:
    assert schedule(()).finished


def test_silence_narrows_the_window_and_slows_the_repeats() -> None:
    trip = RoundTrip()
    one = Schedule(range(100), Window(size=32), trip, random.Random(1))
    now, asked_at = 0.0, []
    while now < 60:
        due = one.due(now)
        asked_at += [now] * len(due)
        now = one.wake_at() or now + 1
    assert one.window.size == 2
    assert len([at for at in asked_at if at > 30]) <= 16


def test_a_pause_makes_nothing_late() -> None:
    one = schedule()
    one.due(0.0)
    late_at = one.wake_at()
    assert late_at is not None
    one.postpone(30.0)
    assert one.due(late_at + 29.0) == []
    assert one.wake_at() == late_at + 30.0
