"""The delay-set window: grows while the way is empty, shrinks on queues, shrugs at loss, halves on silence."""

from __future__ import annotations

import random

from ward_hub.links.window import LARGEST, SMALLEST, Window


def test_doubles_each_round_trip_at_first() -> None:
    window = Window()
    for _ in range(4):
        window.answered(0.1, 0.1)
    assert window.size == 8.0


def test_first_queue_ends_the_start() -> None:
    window = Window(size=16)
    window.answered(0.2, 0.1)
    assert not window.starting
    assert window.size < 16


def test_grows_by_one_a_round_trip_with_few_queued_and_shrinks_with_many() -> None:
    window = Window(size=10, starting=False)
    window.answered(0.11, 0.1)
    assert 10 < window.size < 10.2
    window = Window(size=20, starting=False)
    window.answered(0.2, 0.1)
    assert 19.9 < window.size < 20


def test_holds_between_few_and_many() -> None:
    window = Window(size=10, starting=False)
    window.answered(0.18, 0.1)
    assert window.size == 10


def test_radio_loss_of_a_third_does_not_move_it() -> None:
    window, rng = Window(size=30, starting=False), random.Random(1)
    for _ in range(1000):
        if rng.random() < 0.33:
            window.lost()
        else:
            window.answered(0.1 * (1 + 4 / window.size), 0.1)  # four queued: neither few nor many
    assert window.size == 30


def test_a_way_that_loses_nearly_all_shrinks_it() -> None:
    window = Window(size=40, starting=False)
    for _ in range(200):
        window.lost()
    assert window.size == SMALLEST


def test_stays_within_its_bounds() -> None:
    window = Window()
    for _ in range(500):
        window.answered(0.1, 0.1)
    assert window.size == LARGEST
    for _ in range(20):
        window.silent()
    assert window.size == SMALLEST


def test_an_answer_faster_than_the_least_known_is_no_queue() -> None:
    window = Window()
    window.answered(0.05, 0.1)
    assert window.size == 5
