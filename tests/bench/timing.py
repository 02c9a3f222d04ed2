"""Timing of short calls against each other."""

from __future__ import annotations

import gc
import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def medians_s(*calls: Callable[[], object], repeats: int = 31, inner: int = 1) -> list[float]:
    """Median seconds of each call, over `repeats` samples of `inner` calls each, with the collector off.

    The calls take turns, so that a change of the machine's load meets all of them.
    """
    for call in calls:
        call()
    samples: list[list[float]] = [[] for _ in calls]
    gc.collect()
    gc.disable()
    try:
        for _ in range(repeats):
            for call, taken in zip(calls, samples, strict=True):
                taken.append(_once(call, inner))
    finally:
        gc.enable()
    return [statistics.median(taken) for taken in samples]


def _once(call: Callable[[], object], inner: int) -> float:
    started = time.perf_counter()
    for _ in range(inner):
        call()
    return (time.perf_counter() - started) / inner
