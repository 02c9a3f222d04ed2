"""The attention signal: length, format, gentle edges, and nothing of another system's signal in it."""

from __future__ import annotations

import io
import math
import wave
from array import array
from itertools import pairwise

import pytest

from ward_hub.chime import SAMPLE_RATE, chime


def samples(emergency: bool) -> array[int]:
    with wave.open(io.BytesIO(chime(emergency=emergency))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, SAMPLE_RATE)
        return array("h", file.readframes(file.getnframes()))


def strength(sound: array[int], pitch: float) -> float:
    """Amplitude of one pitch over the whole sound (a single bin of a Fourier transform)."""
    step = math.tau * pitch / SAMPLE_RATE
    real = sum(each * math.cos(step * n) for n, each in enumerate(sound))
    imaginary = sum(each * math.sin(step * n) for n, each in enumerate(sound))
    return 2 * math.hypot(real, imaginary) / len(sound)


@pytest.mark.parametrize(("emergency", "seconds"), [(True, 3), (False, 1)])
def test_length_and_level(emergency: bool, seconds: int) -> None:
    sound = samples(emergency)
    assert len(sound) == seconds * SAMPLE_RATE
    assert 8_000 < max(sound) <= 16_384, "6 dB below full scale or less: never limited"
    assert abs(sum(sound)) < len(sound), "no direct current into the loudspeakers"


@pytest.mark.parametrize("emergency", [True, False])
def test_it_begins_and_ends_in_silence_without_a_click(emergency: bool) -> None:
    sound = samples(emergency)
    assert sound[0] == sound[-1] == 0
    # The fastest honest change is that of the upper tone's octave at full level.
    steepest = 16_384 * math.tau * 2 * 784 / SAMPLE_RATE
    assert max(abs(b - a) for a, b in pairwise(sound)) < steepest


@pytest.mark.parametrize("emergency", [True, False])
def test_it_holds_its_two_tones_and_not_those_of_eas(emergency: bool) -> None:
    sound = samples(emergency)
    own = min(strength(sound, 523.25), strength(sound, 783.99))
    # 853 and 960 Hz: attention signal; 1562.5 and 2083.3 Hz: header bursts. Ref: 47 CFR 11.31(a)(1), (2).
    others = max(strength(sound, pitch) for pitch in (853.0, 960.0, 1562.5, 2083.3))
    assert others < own / 10


def test_the_two_signals_differ() -> None:
    assert chime(emergency=True) != chime(emergency=False)
