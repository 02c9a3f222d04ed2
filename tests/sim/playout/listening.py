"""Finds a known sound in what was played: normalised correlation, at 4 kHz, by a transform of our own."""

from __future__ import annotations

import cmath
import math
from array import array
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from pathlib import Path

from ward_hw.audio_worker.order import Part
from ward_hw.audio_worker.tape import Tapes

RATE = 48_000
FACTOR = 12
COARSE = RATE // FACTOR  # what chimes and speech are known by lies below 2 kHz
APART_S = 0.5


def samples(path: Path) -> list[float]:
    """A file's sound as the audio worker decodes it, at COARSE samples a second."""
    tapes = Tapes(RATE, 0.0)
    sound = array("h", b"".join(tapes.samples(Part(path))))
    tapes.close()
    return [sum(sound[at : at + FACTOR]) / FACTOR for at in range(0, len(sound) - FACTOR + 1, FACTOR)]


def likeness(sound: Sequence[float], known: Sequence[float]) -> list[float]:
    """How like `known` the sound is from each moment on: 1 for the same at any loudness, around 0 for another."""
    size = 1 << (len(sound) + len(known) - 1).bit_length()
    # Both in one transform, as they are real: the sum and the difference with its mirror image tell them apart.
    both = _transform([*map(complex, _filled(sound, size), _filled(known, size))])
    mirrored = [one.conjugate() for one in (both[0], *both[:0:-1])]
    product = [(one + other) * (one - other).conjugate() * 0.25j for one, other in zip(both, mirrored, strict=True)]
    # The inverse transform is the conjugate of the transform of the conjugate.
    matches = [one.real / size for one in _transform([one.conjugate() for one in product])]
    power = [0.0, *accumulate(one * one for one in sound)]
    own = math.sqrt(sum(one * one for one in known))
    count = max(0, len(sound) - len(known) + 1)
    loud = [math.sqrt(max(0.0, power[at + len(known)] - power[at])) for at in range(count)]
    return [match / (own * here) if here > 1.0 else 0.0 for match, here in zip(matches, loud, strict=False)]


def moments(found: Sequence[float], least: float) -> list[float]:
    """When it begins, in seconds: the best of each stretch that is at least so like."""
    peaks: list[int] = []
    for at, like in enumerate(found):
        if like < least:
            continue
        if peaks and at - peaks[-1] < APART_S * COARSE:
            peaks[-1] = max(peaks[-1], at, key=found.__getitem__)
        else:
            peaks.append(at)
    return [at / COARSE for at in peaks]


def _filled(sound: Sequence[float], size: int) -> list[float]:
    return [*sound, *[0.0] * (size - len(sound))]


def _transform(values: list[complex]) -> list[complex]:
    """The discrete Fourier transform. Ref: Cooley and Tukey (1965), radix 2."""
    size = len(values)
    if size == 1:
        return values
    even, odd = _transform(values[::2]), _transform(values[1::2])
    turned = [turn * one for turn, one in zip(_turns(size), odd, strict=True)]
    sums = [one + other for one, other in zip(even, turned, strict=True)]
    return sums + [one - other for one, other in zip(even, turned, strict=True)]


@cache
def _turns(size: int) -> list[complex]:
    return [cmath.exp(-2j * cmath.pi * at / size) for at in range(size // 2)]
