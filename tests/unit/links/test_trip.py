"""The round-trip estimate: RFC 6298's arithmetic, the least one forgotten in time, back-off undone by an answer."""

from __future__ import annotations

import pytest

from ward_hub.links.trip import FIRST_TIMEOUT_S, LONGEST_TIMEOUT_S, SHORTEST_TIMEOUT_S, RoundTrip


def test_waits_a_second_before_anything_was_measured() -> None:
    assert RoundTrip().timeout == FIRST_TIMEOUT_S


def test_first_sample_and_the_second_move_the_estimate_as_the_rfc_says() -> None:
    trip = RoundTrip()
    trip.sample(0.4, 0.0)
    assert (trip.smoothed, trip.variation) == (0.4, 0.2)
    assert trip.timeout == pytest.approx(0.4 + 4 * 0.2)
    trip.sample(0.8, 1.0)
    assert trip.smoothed == pytest.approx(0.875 * 0.4 + 0.125 * 0.8)
    assert trip.variation == pytest.approx(0.75 * 0.2 + 0.25 * 0.4)


def test_a_steady_short_way_keeps_a_floor() -> None:
    trip = RoundTrip()
    for at in range(100):
        trip.sample(0.001, float(at))
    assert trip.timeout == SHORTEST_TIMEOUT_S


def test_least_is_forgotten_when_the_way_became_longer() -> None:
    trip = RoundTrip()
    trip.sample(0.05, 0.0)
    trip.sample(0.3, 11.0)
    assert trip.least == 0.05
    trip.sample(0.3, 22.0)
    assert trip.least == 0.3


def test_least_survives_one_turn_of_the_span() -> None:
    trip = RoundTrip()
    trip.sample(0.3, 0.0)
    trip.sample(0.05, 9.0)
    trip.sample(0.3, 12.0)
    assert trip.least == 0.05


def test_silence_doubles_the_timeout_up_to_a_limit_and_an_answer_ends_that() -> None:
    trip = RoundTrip()
    trip.sample(0.1, 0.0)
    usual = trip.timeout
    trip.back_off()
    assert trip.timeout == pytest.approx(2 * usual)
    for _ in range(20):
        trip.back_off()
    assert trip.timeout == LONGEST_TIMEOUT_S
    trip.sample(0.1, 1.0)
    assert trip.timeout < usual * 1.01
