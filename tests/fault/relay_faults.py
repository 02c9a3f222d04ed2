"""What can go wrong between a hub and its relays, how each is done to a simulated ward, and how it is undone."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ward_sim.stage import Stage

AMPLIFIER, AMPLIFIERS = "amp-1", ("amp-1", "amp-2")
SUPPLY, ZONES = 0, slice(1, 5)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that happens to `amplifiers` of a ward; `mended` puts it right again, and the agent runs after it."""

    name: str
    happens: Callable[[Stage], Awaitable[None]]
    mended: Callable[[Stage], Awaitable[None]]
    amplifiers: tuple[str, ...] = AMPLIFIERS


@dataclass(frozen=True, slots=True)
class Moment:
    """When it happens: as soon as `now` is true of the relays of one amplifier, and `later_s` after that at most."""

    name: str
    now: Callable[[tuple[bool, ...]], bool]
    later_s: float


async def _killed(stage: Stage) -> None:
    await stage.hub.kill()


async def _started(stage: Stage) -> None:
    await stage.hub.start()


async def _hung(stage: Stage) -> None:
    assert stage.hub.up, "an agent that does not run cannot hang"
    os.kill(stage.hub.pid, signal.SIGSTOP)


async def _killed_and_started(stage: Stage) -> None:
    """What systemd does with an agent that has not reported in time."""
    await stage.hub.kill()
    await stage.hub.start()


async def _told_to_end(stage: Stage) -> None:
    await stage.hub.stop()


async def _pulled(stage: Stage) -> None:
    stage.world.hub_adapter.unplug()


async def _plugged(stage: Stage) -> None:
    stage.world.hub_adapter.plug()


async def _all_off(stage: Stage) -> None:
    await stage.hub.kill()
    stage.world.hub_adapter.unplug()


async def _all_on(stage: Stage) -> None:
    stage.world.hub_adapter.plug()
    await stage.hub.start()


async def _cut(stage: Stage) -> None:
    stage.world.lines["line"].drop = 1.0


async def _joined(stage: Stage) -> None:
    stage.world.lines["line"].drop = 0.0


async def _noisy(stage: Stage) -> None:
    stage.world.lines["line"].ber = 0.2


async def _clean(stage: Stage) -> None:
    stage.world.lines["line"].ber = stage.ward.line.ber


async def _controller_hangs(stage: Stage) -> None:
    stage.world.amplifiers[AMPLIFIER].hang()


async def _nothing(stage: Stage) -> None:
    """The controller's own watchdog has mended it."""


FAULTS = (
    Fault("agent killed (kill -9)", _killed, _started),
    Fault("agent hangs (SIGSTOP)", _hung, _killed_and_started),
    Fault("agent told to end (SIGTERM)", _told_to_end, _started),
    Fault("adapter unplugged", _pulled, _plugged),
    Fault("hub without power", _all_off, _all_on),
    Fault("cable cut", _cut, _joined),
    Fault("line full of noise", _noisy, _clean),
    Fault("controller hangs", _controller_hangs, _nothing, (AMPLIFIER,)),
)
MOMENTS = (
    Moment("warming up", lambda relays: relays[SUPPLY] and not any(relays[ZONES]), 0.3),
    Moment("zones being closed", lambda relays: any(relays[ZONES]), 0.0),
    Moment("on air", lambda relays: all(relays[ZONES]), 2.0),
)


async def until(true: Callable[[], bool], seconds: float) -> None:
    """Wait until something is so; raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


async def fallen(stage: Stage, amplifiers: tuple[str, ...], seconds: float) -> None:
    """Wait until each of them has had all of its relays open at once; raises TimeoutError."""
    left = set(amplifiers)

    def none_left() -> bool:
        left.difference_update([one for one in left if not any(stage.world.amplifiers[one].relays)])
        return not left

    await until(none_left, seconds)


def all_open(stage: Stage) -> bool:
    """Say whether no relay of the ward is closed."""
    return not any(any(one.relays) for one in stage.world.amplifiers.values())
