"""The jitter buffer: order, gaps, running dry, and a delay that stays small, on a clock of numbers."""

from __future__ import annotations

import pytest

from ward_hw.audio_worker.jitter import JitterBuffer, Piece

RATE = 48_000
TICKS = 960
PACKET_S = TICKS / RATE


def payload(index: int) -> bytes:
    return index.to_bytes(4, "big")


def filled(*indices: int) -> JitterBuffer:
    buffer = JitterBuffer(RATE)
    for index in indices:
        buffer.put(index, TICKS, payload(index), 0.0)
    return buffer


def given(buffer: JitterBuffer, times: int, now: float = 1.0, *, due: bool = True) -> list[int | None]:
    """What is taken: indices, None for what is concealed; an end where nothing is given."""
    out: list[int | None] = []
    for _ in range(times):
        piece = buffer.take(now, due=due)
        if piece is None:
            break
        assert piece.ticks == TICKS
        out.append(None if piece.payload is None else int.from_bytes(piece.payload, "big"))
    return out


def test_it_begins_when_enough_waits() -> None:
    buffer = filled(5, 6, 7)
    assert buffer.take(0.0, due=True) is None
    buffer.put(8, TICKS, payload(8), 0.0)
    assert given(buffer, 9, now=0.0) == [5, 6, 7, 8]


def test_it_begins_with_little_that_has_waited_long_enough() -> None:
    buffer = filled(5)
    assert buffer.take(0.07, due=True) is None
    assert buffer.take(0.08, due=True) == Piece(TICKS, payload(5))


def test_packets_are_put_in_order() -> None:
    assert given(filled(9, 6, 8, 5, 7), 9) == [5, 6, 7, 8, 9]


def test_a_gap_is_waited_for_until_the_device_has_nothing_left() -> None:
    buffer = filled(5, 7, 8, 9)
    assert given(buffer, 1) == [5]
    assert given(buffer, 1, due=False) == []
    buffer.put(6, TICKS, payload(6), 1.0)
    assert given(buffer, 4, due=False) == [6, 7, 8, 9]
    assert buffer.lost == 0


def test_what_has_not_come_by_then_is_concealed_and_dropped_when_it_comes() -> None:
    buffer = filled(5, 7, 8, 9)
    assert given(buffer, 3) == [5, None, 7]
    buffer.put(6, TICKS, payload(6), 1.0)
    assert given(buffer, 9) == [8, 9]
    assert (buffer.lost, buffer.depth_s) == (1, 0)


def test_a_long_gap_is_not_concealed_to_its_end() -> None:
    buffer = filled(1, 1000, 1001, 1002)
    assert given(buffer, 20) == [1, *[None] * 5, 1000, 1001, 1002]
    assert buffer.lost == 998


def test_a_line_that_ran_dry_fills_again_and_deeper() -> None:
    buffer = filled(1, 2, 3, 4)
    assert given(buffer, 5) == [1, 2, 3, 4]
    for index in range(8, 13):
        buffer.put(index, TICKS, payload(index), 2.0)
    assert given(buffer, 1, now=2.0) == []
    buffer.put(13, TICKS, payload(13), 2.0)
    assert given(buffer, 9, now=2.0) == [8, 9, 10, 11, 12, 13]
    assert buffer.lost == 3


def test_running_dry_is_none_while_the_device_still_has_sound() -> None:
    buffer = filled(1, 2, 3, 4)
    assert given(buffer, 9, due=False) == [1, 2, 3, 4]
    buffer.put(5, TICKS, payload(5), 1.0)
    assert given(buffer, 9, due=False) == [5]


def test_the_same_packet_twice_counts_once() -> None:
    buffer = filled(1, 2, 2, 2)
    assert buffer.depth_s == pytest.approx(2 * PACKET_S)


def test_a_burst_of_over_a_second_is_cut_to_what_keeps_the_delay_small() -> None:
    buffer = filled(*range(100, 151))
    assert buffer.depth_s == pytest.approx(0.08)
    assert (buffer.skipped, buffer.lost) == (47, 0)
    assert given(buffer, 9) == [147, 148, 149, 150]


def test_a_burst_with_gaps_counts_what_was_left_out_and_what_was_lost_apart() -> None:
    buffer = filled(1, 2, 3, 4)
    assert given(buffer, 4) == [1, 2, 3, 4]
    for index in range(6, 108, 2):
        buffer.put(index, TICKS, payload(index), 1.0)
    waiting = given(buffer, 9)
    assert waiting[0] == 100
    assert buffer.skipped == 47
    assert buffer.lost == 100 - 5 - 47 + waiting.count(None)


def test_packets_of_next_to_nothing_do_not_pile_up() -> None:
    buffer = JitterBuffer(RATE)
    for index in range(100_000):
        buffer.put(index, 1, b"", 0.0)
        assert len(buffer._waiting) <= 1200


def hour(packet_s: float) -> tuple[JitterBuffer, int, float]:
    """An hour of a sender whose packets of 20 ms come every `packet_s`, and a device that takes 20 ms every 20 ms.

    Returns the buffer, how often the device got nothing, and the deepest it was after the first minute.
    """
    buffer, nothing, deepest, sent = JitterBuffer(RATE), 0, 0.0, 0
    for step in range(180_000):
        now = step * PACKET_S
        while sent * packet_s <= now:
            buffer.put(sent, TICKS, b"x", now)
            sent += 1
        nothing += buffer.take(now, due=True) is None
        if step > 3000:
            deepest = max(deepest, buffer.depth_s)
    return buffer, nothing, deepest


def test_clocks_that_agree_need_nothing() -> None:
    buffer, nothing, deepest = hour(PACKET_S)
    assert (buffer.lost, buffer.skipped) == (0, 0)
    assert nothing <= 4
    assert deepest <= 0.08


def test_a_sender_that_is_fast_by_a_thousandth_adds_no_delay() -> None:
    buffer, nothing, deepest = hour(PACKET_S * 0.999)
    assert buffer.lost == 0
    assert nothing <= 4
    assert 170 <= buffer.skipped <= 185  # an hour's thousandth is 3.6 s, 180 packets
    assert deepest <= 0.14


def test_a_sender_that_is_slow_by_a_thousandth_pauses_now_and_then() -> None:
    buffer, nothing, deepest = hour(PACKET_S * 1.001)
    assert (buffer.lost, buffer.skipped) == (0, 0)
    assert 170 <= nothing <= 220
    assert deepest <= 0.42
