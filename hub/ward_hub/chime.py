"""The hub's own attention signal: two soft tones before what is said.

It is deliberately none of the signals of other systems (EAS header bursts, their 853 and 960 Hz at once,
WEA's rhythm, sirens): recorded ones in a programme have set off receivers that listen for them. The
tones here sound one after the other, never together, and mean nothing to any machine.
"""

from __future__ import annotations

import math
import struct
from array import array

SAMPLE_RATE = 48_000
_PEAK = 0.5  # of full scale: -6 dB, so that the limiter never has to touch it
_FIFTH = (523.25, 783.99)  # C5 and G5
_NORMAL_S, _EMERGENCY_TONE_S, _EMERGENCY_PAIRS = 1.0, 0.5, 3
_ATTACK_S, _DECAY_S = 0.015, 0.12  # shorter ones click on horn loudspeakers
_OVERTONE = 0.2


def chime(*, emergency: bool) -> bytes:
    """A WAV file, 48 kHz mono s16: 3 s (two rising tones, 3 times) if `emergency`, else 1 s (two falling)."""
    if emergency:
        tones = [(pitch, _EMERGENCY_TONE_S) for _ in range(_EMERGENCY_PAIRS) for pitch in _FIFTH]
    else:
        tones = [(pitch, _NORMAL_S / 2) for pitch in reversed(_FIFTH)]
    samples = array("h")
    for pitch, seconds in tones:
        samples.extend(_tone(pitch, seconds))
    return _wav(samples)


def _tone(pitch: float, seconds: float) -> list[int]:
    """One tone with a softer octave above it, swelling and fading so that it begins and ends in silence."""
    count = round(seconds * SAMPLE_RATE)
    level = _PEAK * 32767 / (1 + _OVERTONE)
    step = math.tau * pitch / SAMPLE_RATE
    return [
        round(level * _envelope(n, count) * (math.sin(step * n) + _OVERTONE * math.sin(2 * step * n)))
        for n in range(count)
    ]


def _envelope(sample: int, count: int) -> float:
    """Gain 0..1: a raised-cosine attack, a slow fall to half, a raised-cosine decay."""
    rise = min(1.0, sample / (_ATTACK_S * SAMPLE_RATE))
    fall = min(1.0, (count - 1 - sample) / (_DECAY_S * SAMPLE_RATE))
    edge = (1 - math.cos(math.pi * min(rise, fall))) / 2
    return edge * (1 - 0.5 * sample / count)


def _wav(samples: array[int]) -> bytes:
    """RIFF/WAVE, PCM. Ref: Microsoft and IBM, Multimedia Programming Interface 1.0 (1991), "WAVE"."""
    data = struct.pack(f"<{len(samples)}h", *samples)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, SAMPLE_RATE, SAMPLE_RATE * 2, 2, 16)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body
