"""Uploads at the source: whatever the order, repeats and cuts, only the true bytes are ever whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ward_sim.source.spool import Refusal, Spool, Upload

SIZE = 16


@given(st.binary(min_size=1, max_size=200), st.lists(st.integers(0, 12), max_size=60))
def test_what_is_whole_is_true(data: bytes, numbers: list[int]) -> None:
    spool = Spool()
    for now, number in enumerate(numbers):
        part = data[number * SIZE : (number + 1) * SIZE]
        if not part:
            continue
        taken = spool.take("key", number * SIZE, part, len(data), float(now))
        if isinstance(taken, Upload):
            assert data.startswith(bytes(taken.data))
        else:
            assert taken is Refusal.GAP


@given(st.binary(min_size=1, max_size=200), st.lists(st.integers(1, 3), min_size=13, max_size=13))
def test_a_sender_that_repeats_each_part_gets_through(data: bytes, repeats: list[int]) -> None:
    spool = Spool()
    for number in range(-(-len(data) // SIZE)):
        for _ in range(repeats[number]):
            taken = spool.take("key", number * SIZE, data[number * SIZE : (number + 1) * SIZE], len(data), 0.0)
            assert isinstance(taken, Upload)
            assert taken.data == data[: (number + 1) * SIZE]
