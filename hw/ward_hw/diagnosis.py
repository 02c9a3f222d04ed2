"""From a line's statistics to the likely cause of its trouble. Pure.

A cause is a guess with reasons, for a technician who has to look somewhere first. The rules compare units with each
other: what all of them show is the line's or the adapter's fault, what one shows is that unit's.

| seen | likely cause |
| --- | --- |
| a unit answers at another baud rate than the line's | BAUD |
| whole frames come again and again that are not the answer | SECOND_MASTER |
| nobody answers, and bytes that are like nothing come whoever is asked | POLARITY |
| nobody answers, and only our own requests come back | ECHO_ONLY |
| nobody answers, and nothing comes | SILENT_LINE |
| one number brings damaged answers or second ones, while others are answered or silent | COLLISION |
| several units that answer lose some requests, with damaged bytes | NOISE |
| one does, and the others do not | NOISY_UNIT |
| a unit's answers come after its time | SLOW |
| a unit that should be there says nothing while others answer | DEAD |
| a unit is silent now and then while others answer | LOOSE |
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ward_hw.link_log import UnitStatistics

ENOUGH = 10  # requests to a unit, before shares of them say anything
DEAD_RUN = 5  # silences in a row: a line that loses one in ten loses five in a row once in 100,000
LOST_SHARE = 0.02  # of requests; a line in order loses none in a day
COLLISION_SHARE = 0.3  # of requests; noise of that share would damage the answers of others too
FOREIGN_SHARE = 0.05
OTHERS_SHARE = 0.2  # of what noisy units lose: when the others lose as much, it is the whole line's


class Cause(Enum):
    """What is likely wrong."""

    BAUD = "baud"
    SECOND_MASTER = "second-master"
    POLARITY = "polarity"
    ECHO_ONLY = "echo-only"
    SILENT_LINE = "silent-line"
    COLLISION = "collision"
    NOISE = "noise"
    NOISY_UNIT = "noisy-unit"
    SLOW = "slow"
    DEAD = "dead"
    LOOSE = "loose"


@dataclass(frozen=True, slots=True)
class Finding:
    """A likely cause and the units that show it; none where it is the line's."""

    cause: Cause
    units: tuple[int, ...] = ()


def diagnose(
    statistics: Sequence[UnitStatistics], expected: Collection[int], elsewhere: Collection[int] = ()
) -> tuple[Finding, ...]:
    """The likely causes, the line's own first; empty where all is well or too little is known.

    ``expected`` are the units that should be there; others that say nothing are none. ``elsewhere`` are units that
    answered at another baud rate than the line's.
    """
    found = [Finding(Cause.BAUD, tuple(sorted(elsewhere)))] if elsewhere else []
    known = [one for one in statistics if one.unit not in elsewhere]
    if sum(one.tries for one in known) < ENOUGH:
        return tuple(found)
    foreign = sum(one.foreign for one in known)
    if foreign > 1 and foreign >= FOREIGN_SHARE * sum(one.tries for one in known):
        found.append(Finding(Cause.SECOND_MASTER))
        known = [_without_foreign(one) for one in known if one.foreign < one.tries]
    if not any(one.answers for one in known):
        return (*found, *_nobody(known, expected, elsewhere))
    return (*found, *_of_units(known, expected))


def _nobody(
    known: Sequence[UnitStatistics], expected: Collection[int], elsewhere: Collection[int]
) -> tuple[Finding, ...]:
    """What it may be when no unit has ever answered."""
    dirty = [one for one in known if one.dirty]
    if dirty and any(one.quiet == one.tries for one in known):
        # Bytes come for some numbers only: somebody answers there, and somebody else over it.
        return (Finding(Cause.COLLISION, _numbers(dirty)),)
    if dirty:
        return (Finding(Cause.POLARITY),)
    if elsewhere and set(expected) <= set(elsewhere):
        return ()  # those are found, and nobody else was promised
    if 2 * sum(one.echoes for one in known) >= sum(one.tries for one in known):
        return (Finding(Cause.ECHO_ONLY),)
    return (Finding(Cause.SILENT_LINE),)


def _of_units(known: Sequence[UnitStatistics], expected: Collection[int]) -> list[Finding]:
    """What units show while at least one of them answers."""
    heard = [one for one in known if one.unit in expected or one.answers or one.dirty or one.late]
    asked = [one for one in heard if one.tries >= DEAD_RUN]
    blamed: dict[Cause, list[UnitStatistics]] = {}
    for one in asked:
        cause = _cause(one, expected=one.answers > 0 or one.unit in expected)
        if cause is not None:
            blamed.setdefault(cause, []).append(one)
    _whose_noise(asked, blamed)
    return [
        Finding(cause, () if cause is Cause.NOISE else _numbers(blamed[cause])) for cause in Cause if blamed.get(cause)
    ]


def _whose_noise(asked: Sequence[UnitStatistics], blamed: dict[Cause, list[UnitStatistics]]) -> None:
    """Tell noise of the whole line, which explains what else units lose, from what single units show."""
    losing = [one for cause in (Cause.NOISY_UNIT, Cause.LOOSE, Cause.COLLISION) for one in blamed.get(cause, ())]
    sound = [one for one in asked if one.answers and one not in losing and one.tries >= ENOUGH]
    lossy = [one for one in losing if one not in blamed.get(Cause.COLLISION, ())]
    if not any(one.dirty for one in (*losing, *sound)):
        return
    most = len(losing) > max(1, len(sound))  # so many wrong unit numbers at once are unlikely
    half = len(lossy) == len(losing) and len(lossy) >= max(2 if sound else 1, len(sound))
    alike = bool(sound and lossy) and _lost_share(sound) >= OTHERS_SHARE * _lost_share(lossy)
    if not (most or half or alike):
        return
    blamed[Cause.NOISE] = losing if most else lossy
    for cause in (Cause.NOISY_UNIT, Cause.LOOSE, *((Cause.COLLISION,) if most else ())):
        blamed.pop(cause, None)
    blamed[Cause.DEAD] = [one for one in blamed.get(Cause.DEAD, ()) if not one.answers]


def _cause(one: UnitStatistics, *, expected: bool) -> Cause | None:
    """What one unit shows by itself."""
    if one.dirty + one.second >= COLLISION_SHARE * one.tries and one.dirty + one.second >= 2:
        return Cause.COLLISION
    if one.late and 2 * one.late >= one.tries - one.answers:
        return Cause.SLOW
    if not expected:
        return None
    if one.silent_run >= DEAD_RUN:
        return Cause.DEAD
    if one.tries < ENOUGH:
        return None
    lost = one.dirty + one.quiet + one.second
    if lost < max(2, LOST_SHARE * one.tries):
        return None
    return Cause.NOISY_UNIT if one.dirty else Cause.LOOSE


def _lost_share(units: Sequence[UnitStatistics]) -> float:
    tries = sum(one.tries for one in units)
    return sum(one.dirty + one.quiet + one.second for one in units) / tries if tries else 0.0


def _without_foreign(one: UnitStatistics) -> UnitStatistics:
    """What is left to be explained when somebody else's frames are."""
    return replace(one, tries=one.tries - one.foreign, foreign=0, second=0)


def _numbers(units: Sequence[UnitStatistics]) -> tuple[int, ...]:
    return tuple(sorted(one.unit for one in units))
