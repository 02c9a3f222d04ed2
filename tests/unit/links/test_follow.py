"""The order of notifications: RFC 7641 §3.4, its wrap at 24 bits, and its 128 seconds."""

from __future__ import annotations

import pytest

from ward_hub.links.follow import Order


@pytest.mark.parametrize(
    ("known", "number", "newer"),
    [
        (5, 6, True),
        (5, 5, False),
        (6, 5, False),
        (2**24 - 1, 0, True),
        (0, 2**24 - 1, False),
        (0, 2**23 - 1, True),
        (0, 2**23, False),
        (2**23, 0, False),
    ],
)
def test_newer(known: int, number: int, newer: bool) -> None:
    order = Order()
    assert order.newer(known, 0.0)
    assert order.newer(number, 1.0) is newer


def test_order_is_forgotten_after_128_seconds() -> None:
    order = Order()
    order.newer(100, 0.0)
    assert not order.newer(1, 128.0)
    assert order.newer(1, 128.1)


def test_an_overtaken_one_does_not_move_the_order() -> None:
    order = Order()
    order.newer(10, 0.0)
    order.newer(9, 1.0)
    assert not order.newer(10, 2.0)
    assert order.newer(11, 3.0)


def test_a_number_from_a_hostile_source_outside_24_bits_is_just_compared() -> None:
    order = Order()
    assert order.newer(2**31, 0.0)
    order.newer(1, 1.0)
    assert order.newer(2, 2.0)
