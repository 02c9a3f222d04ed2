"""The attention signals: length, format, gentle edges, nothing of another system's signal or of each other."""

from __future__ import annotations

import io
import math
import wave
from array import array
from itertools import pairwise

import pytest

from ward_hub.chime import SAMPLE_RATE, Signal, chime


def samples(signal: Signal) -> array[int]:
    with wave.open(io.BytesIO(chime(signal))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, SAMPLE_RATE)
        return array("h", file.readframes(file.getnframes()))


def strength(sound: array[int], pitch: float) -> float:
    """Amplitude of one pitch over the whole sound (a single bin of a Fourier transform)."""
    step = math.tau * pitch / SAMPLE_RATE
    real = sum(each * math.cos(step * n) for n, each in enumerate(sound))
    imaginary = sum(each * math.sin(step * n) for n, each in enumerate(sound))
    return 2 * math.hypot(real, imaginary) / len(sound)


@pytest.mark.parametrize(("signal", "seconds"), [(Signal.EMERGENCY, 3.0), (Signal.NORMAL, 1.0), (Signal.DRILL, 1.2)])
def test_length_and_level(signal: Signal, seconds: float) -> None:
    sound = samples(signal)
    assert len(sound) == seconds * SAMPLE_RATE
    assert 8_000 < max(sound) <= 16_384, "6 dB below full scale or less: never limited"
    assert abs(sum(sound)) < len(sound), "no direct current into the loudspeakers"


@pytest.mark.parametrize("signal", Signal)
def test_it_begins_and_ends_in_silence_without_a_click(signal: Signal) -> None:
    sound = samples(signal)
    assert sound[0] == sound[-1] == 0
    # The fastest honest change is that of the upper tone's octave at full level.
    steepest = 16_384 * math.tau * 2 * 784 / SAMPLE_RATE
    assert max(abs(b - a) for a, b in pairwise(sound)) < steepest


REAL, DRILL = (523.25, 783.99), (659.26,)
OWN = {Signal.NORMAL: REAL, Signal.EMERGENCY: REAL, Signal.DRILL: DRILL}


@pytest.mark.parametrize("signal", Signal)
def test_it_holds_its_tones_and_not_those_of_eas(signal: Signal) -> None:
    sound = samples(signal)
    own = min(strength(sound, pitch) for pitch in OWN[signal])
    # 853 and 960 Hz: attention signal; 1562.5 and 2083.3 Hz: header bursts. Ref: 47 CFR 11.31(a)(1), (2).
    others = max(strength(sound, pitch) for pitch in (853.0, 960.0, 1562.5, 2083.3))
    assert others < own / 10


def test_no_two_signals_are_one() -> None:
    assert len({chime(signal) for signal in Signal}) == len(Signal)


def test_a_drill_and_what_is_real_share_no_tone() -> None:
    """Nor an overtone of one; so a drill's pips are never a part of what people know as the emergency's signal."""
    for signal in Signal:
        sound = samples(signal)
        own = OWN[signal]
        others = DRILL if own is REAL else REAL
        loudest = max(strength(sound, pitch * octave) for pitch in others for octave in (1, 2))
        assert loudest < min(strength(sound, pitch) for pitch in own) / 10


def test_a_drills_pips_stand_apart() -> None:
    sound = samples(Signal.DRILL)
    pips = [sound[begin : begin + SAMPLE_RATE // 5] for begin in range(0, len(sound), 3 * SAMPLE_RATE // 10)]
    pauses = [sound[begin : begin + SAMPLE_RATE // 10] for begin in range(SAMPLE_RATE // 5, len(sound), 14_400)]
    assert [max(pip) > 8_000 for pip in pips] == [True] * 4
    assert [any(pause) for pause in pauses] == [False] * 4
