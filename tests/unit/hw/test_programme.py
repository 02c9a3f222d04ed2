"""The programme between decoder and device: nothing counted that was not taken, fades, ends, levels."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from ward_hw.audio_worker.programme import Programme

RATE = 1000
PERIOD = 20


def samples(count: int, value: int = 1000) -> bytes:
    return array("h", [value] * count).tobytes()


def played_out(programme: Programme, limit: int = 10_000) -> bytes:
    out = b""
    while not programme.finished and limit:
        out += programme.take(PERIOD)
        limit -= 1
    return out


def test_the_lead_in_is_silence_and_is_not_counted() -> None:
    programme = Programme(RATE, lead_in=30)
    programme.put(samples(50))
    programme.complete()
    assert played_out(programme) == bytes(60) + samples(50)
    assert programme.played == 50


def test_the_device_never_waits_for_the_decoder() -> None:
    programme = Programme(RATE, lead_in=0)
    assert programme.take(PERIOD) == b""
    assert programme.underruns == 0
    programme.put(samples(5))
    assert programme.take(PERIOD) == samples(5)
    assert programme.take(PERIOD) == b""
    assert programme.underruns == 2
    assert not programme.finished


def test_the_beginning_is_told_once_and_not_by_silence() -> None:
    programme = Programme(RATE, lead_in=PERIOD)
    programme.put(samples(100))
    programme.take(PERIOD)
    assert not programme.take_begin()
    programme.take(PERIOD)
    assert programme.take_begin()
    programme.take(PERIOD)
    assert not programme.take_begin()


def test_the_decoder_is_held_back_at_one_second() -> None:
    programme = Programme(RATE, lead_in=0)
    programme.put(samples(999))
    wanted = [programme.has_room]
    programme.put(samples(1))
    wanted.append(programme.has_room)
    programme.take(PERIOD)
    wanted.append(programme.has_room)
    assert wanted == [True, False, True]


def test_a_stop_fades_in_a_straight_line_and_drops_the_rest() -> None:
    programme = Programme(RATE, lead_in=0)
    programme.put(samples(500))
    programme.take(PERIOD)
    programme.stop(fade_ms=40)
    assert not programme.put(samples(1))
    faded = array("h", played_out(programme))
    assert len(faded) == 40
    assert list(faded) == [1000 * (40 - n) // 40 for n in range(40)]
    assert programme.played == 60


def test_a_stop_fades_what_waits_where_that_is_less() -> None:
    programme = Programme(RATE, lead_in=0)
    programme.put(samples(30))
    programme.take(PERIOD)
    assert programme.waiting == 10
    programme.stop(fade_ms=40)
    assert list(array("h", played_out(programme))) == [1000 * (10 - n) // 10 for n in range(10)]


def test_a_stop_before_any_sound_ends_at_once() -> None:
    programme = Programme(RATE, lead_in=1000)
    programme.put(samples(10))
    programme.stop(fade_ms=50)
    assert programme.finished
    assert programme.take(PERIOD) == b""
    assert programme.take_levels() == []


def test_levels_are_the_rms_of_tenths_and_of_the_rest() -> None:
    programme = Programme(RATE, lead_in=0)
    programme.put(samples(100, 3000) + samples(100, -500) + samples(30, 7))
    programme.complete()
    assert programme.take_levels() == []
    played_out(programme)
    assert programme.take_levels() == [3000, 500, 7]
    assert programme.take_levels() == []


@given(st.lists(st.integers(0, 90), max_size=20), st.integers(0, 50), st.integers(1, 64))
def test_what_goes_in_comes_out_in_any_pieces(pieces: list[int], lead_in: int, period: int) -> None:
    programme = Programme(RATE, lead_in)
    whole = b""
    for number, size in enumerate(pieces):
        piece = samples(size, number + 1)
        programme.put(piece)
        whole += piece
    programme.complete()
    out = b""
    while not programme.finished:
        out += programme.take(period)
    assert out == bytes(lead_in * 2) + whole
    assert programme.played == len(whole) // 2
    assert len(programme.take_levels()) == -(-programme.played // (RATE // 10))
