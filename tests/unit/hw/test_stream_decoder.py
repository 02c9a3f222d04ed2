"""Payloads to samples, and what is played for those that were lost."""

from __future__ import annotations

import math
from array import array

import pytest
from tests.sim.hw.streams import GOOD_HZ, opus, share_of

from ward_hw.audio_worker.stream_decoder import StreamDecoder

RATE = 48_000


def linear(rate: int, channels: int, count: int) -> bytes:
    tone = [round(16_384 * math.sin(math.tau * GOOD_HZ * n / rate)) for n in range(count)]
    samples = array("h", [value for value in tone for _ in range(channels)])
    samples.byteswap()
    return samples.tobytes()


def decoder(codec: str, clock_rate: int, channels: int = 1, gain_db: float = 0.0) -> StreamDecoder:
    return StreamDecoder(codec, clock_rate, channels, rate=RATE, gain_db=gain_db)


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (44_100, 2), (48_000, 1)])
def test_linear_samples_come_out_mono_at_the_rate_of_the_output(rate: int, channels: int) -> None:
    one = decoder("L16", rate, channels)
    whole = linear(rate, channels, rate)
    size = rate // 50 * 2 * channels
    out = array("h", b"".join(one.decode(whole[at : at + size]) or b"" for at in range(0, len(whole), size)))
    assert len(out) == pytest.approx(RATE, abs=RATE // 50)  # the limiter looks ahead
    assert share_of(out, GOOD_HZ) > 0.99
    assert max(out) == pytest.approx(16_384 * math.sqrt(channels), rel=0.03)  # two that agree add up, as in recordings


def test_opus_and_gain() -> None:
    loud, soft = decoder("opus", RATE), decoder("opus", RATE, gain_db=-20)
    payloads = opus(0.5)
    heard = array("h", b"".join(loud.decode(payload) or b"" for payload in payloads))
    softer = array("h", b"".join(soft.decode(payload) or b"" for payload in payloads))
    assert share_of(heard, GOOD_HZ) > 0.98
    assert max(softer) * 10 == pytest.approx(max(heard), rel=0.05)


def test_the_limiter_is_that_of_recordings() -> None:
    one = decoder("L16", RATE, gain_db=40)
    out = array("h", b"".join(one.decode(linear(RATE, 1, 960)) or b"" for _ in range(50)))
    assert 0.8 * 32_767 < max(out) < 0.95 * 32_767


@pytest.mark.parametrize("payload", [b"\xff" * 40, b"\xfb\x00", b"\x03"])
def test_what_does_not_decode_is_none_and_the_next_decodes(payload: bytes) -> None:
    one = decoder("opus", RATE)
    good = opus(0.06)
    assert one.decode(good[0])
    assert one.decode(payload) is None
    assert one.decode(good[1])


def test_a_loss_begins_where_the_sound_left_off_and_fades() -> None:
    one = decoder("L16", RATE)
    one.decode(linear(RATE, 1, 960))
    before = array("h", one.decode(linear(RATE, 1, 960)) or b"")
    gap = array("h", one.conceal(960))
    assert len(gap) == 960
    assert gap[0] == pytest.approx(before[-1], abs=abs(before[-1]) * 0.01 + 1)
    assert abs(gap[-1]) < 50
    assert max(map(abs, gap[:200])) > 4 * max(map(abs, gap[-200:]))
    assert set(one.conceal(960)) == {0}


def test_a_loss_before_any_sound_is_silence_of_its_length() -> None:
    assert decoder("PCMA", 8000).conceal(160) == bytes(960 * 2)
    assert decoder("PCMA", 8000).conceal(0) == b""
