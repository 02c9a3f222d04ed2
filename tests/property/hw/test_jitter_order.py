"""The jitter buffer under any order of arrivals, takes and pauses: in order, each once, all accounted for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ward_hw.audio_worker.jitter import JitterBuffer

RATE = 1000
puts = st.tuples(st.just("put"), st.integers(0, 400), st.sampled_from([1, 20, 60]))
takes = st.tuples(st.just("take"), st.integers(1, 60), st.sampled_from([0, 1]))
pauses = st.tuples(st.just("pause"), st.integers(1, 7000), st.just(0))


@given(st.integers(0, 2**40), st.lists(puts | takes | pauses, max_size=300))
def test_in_order_each_once_all_accounted_for(base: int, events: list[tuple[str, int, int]]) -> None:
    buffer, now = JitterBuffer(RATE), 0.0
    put: set[int] = set()
    out: list[int] = []
    skipped_before = 0
    for what, number, more in events:
        if what == "pause":
            now += number / 1000
        elif what == "put":
            index = base + number
            if index not in put:  # as the replay window has it
                put.add(index)
                buffer.put(index, more, index.to_bytes(8, "big"), now)
        else:
            for _ in range(number):
                before = buffer.skipped
                piece = buffer.take(now, due=bool(more))
                if piece is not None and piece.payload is not None:
                    if not out:
                        skipped_before = before
                    out.append(int.from_bytes(piece.payload, "big"))
        assert buffer.depth_s <= 1.06
        assert abs(buffer.depth_s * RATE - sum(one.ticks for one in buffer._waiting.values())) < 1e-6
    assert out == sorted(set(out))
    assert set(out) <= put
    assert not set(out) & set(buffer._waiting)
    assert buffer.lost >= 0
    if out:
        gone = buffer._next - out[0]
        assert gone == len(out) + buffer.lost + buffer.skipped - skipped_before
