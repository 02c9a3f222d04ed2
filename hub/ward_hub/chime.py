"""The hub's own attention signals, before what is said: one for what is usual, one for emergencies, one for drills.

What is real begins with two tones, a fifth apart. A drill begins with neither of them: four short pips of one pitch
between the two, whatever its priority, so that nobody who knows the emergency's signal hears it in a drill.

They are deliberately none of the signals of other systems (EAS header bursts, their 853 and 960 Hz at once,
WEA's rhythm, sirens): recorded ones in a programme have set off receivers that listen for them. The
tones here sound one after the other, never together, and mean nothing to any machine.
"""

from __future__ import annotations

import math
import struct
import sys
from array import array
from enum import StrEnum
from functools import cache

SAMPLE_RATE = 48_000
_PEAK = 0.5  # of full scale: -6 dB, so that the limiter never has to touch it
_C5, _E5, _G5 = 523.25, 659.26, 783.99
_ATTACK_S, _DECAY_S = 0.015, 0.12  # shorter ones click on horn loudspeakers
_OVERTONE = 0.2
_SILENCE = 0.0


class Signal(StrEnum):
    """What a chime announces."""

    NORMAL = "normal"
    EMERGENCY = "emergency"
    DRILL = "drill"


# Pitch in Hz and length in seconds of each tone.
_TONES: dict[Signal, list[tuple[float, float]]] = {
    Signal.NORMAL: [(_G5, 0.5), (_C5, 0.5)],
    Signal.EMERGENCY: [(_C5, 0.5), (_G5, 0.5)] * 3,
    Signal.DRILL: [(_E5, 0.2), (_SILENCE, 0.1)] * 4,
}


def chime(signal: Signal) -> bytes:
    """A WAV file, 48 kHz mono s16: two falling tones in 1 s; two rising, three times, in 3 s; four pips in 1.2 s."""
    samples = array("h")
    for pitch, seconds in _TONES[signal]:
        samples.extend(_tone(pitch, seconds))
    return _wav(samples)


@cache
def _tone(pitch: float, seconds: float) -> array[int]:
    """One tone with a softer octave above it, swelling and fading so that it begins and ends in silence.

    Signals repeat their few tones, and computing one takes longer than all else here: each is made once, 125 KB in all.
    """
    count = round(seconds * SAMPLE_RATE)
    level = _PEAK * 32767 / (1 + _OVERTONE)
    step = math.tau * pitch / SAMPLE_RATE
    return array(
        "h",
        (
            round(level * _envelope(n, count) * (math.sin(step * n) + _OVERTONE * math.sin(2 * step * n)))
            for n in range(count)
        ),
    )


def _envelope(sample: int, count: int) -> float:
    """Gain 0..1: a raised-cosine attack, a slow fall to half, a raised-cosine decay."""
    rise = min(1.0, sample / (_ATTACK_S * SAMPLE_RATE))
    fall = min(1.0, (count - 1 - sample) / (_DECAY_S * SAMPLE_RATE))
    edge = (1 - math.cos(math.pi * min(rise, fall))) / 2
    return edge * (1 - 0.5 * sample / count)


def _wav(samples: array[int]) -> bytes:
    """RIFF/WAVE, PCM. Ref: Microsoft and IBM, Multimedia Programming Interface 1.0 (1991), "WAVE"."""
    if sys.byteorder == "big":
        samples.byteswap()
    data = samples.tobytes()  # to pack them one by one would leave a hole of 6 MB in the agent's memory
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, SAMPLE_RATE, SAMPLE_RATE * 2, 2, 16)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body
