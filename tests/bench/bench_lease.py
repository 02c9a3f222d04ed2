"""How long a relay stays closed after each fault of the table fault × moment, against the lease and half a second."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from tests.bench.harness import Row
from tests.fault.relay_faults import AMPLIFIER, FAULTS, MOMENTS, Fault, Moment, all_open, fallen, until

from ward_protocol.statements import Audience, Priority, Status, Text
from ward_protocol.statements.words import Category
from ward_sim.bulletins import StoryBulletin
from ward_sim.hub_process import COMMAND
from ward_sim.offices import PROVINCE
from ward_sim.stage import Stage
from ward_sim.ward import load

TRIALS = 2
LEASE_S, SLACK_S = 3.0, 0.5
SEED = 7
GUARD_S = 60.0
LONG = " ".join(["Đây là một bản tin dài để các cụm loa còn mở trong lúc thử."] * 4)


async def rows() -> AsyncIterator[Row]:
    """Give the longest of TRIALS for each fault at each moment, at delays drawn from a seed."""
    rng = random.Random(SEED)
    with tempfile.TemporaryDirectory() as name:
        async with Stage(load(), Path(name)) as stage:
            for fault in FAULTS:
                for moment in MOMENTS:
                    stayed = [await _one(stage, fault, moment, rng) for _ in range(TRIALS)]
                    what = f"{fault.name}, {moment.name}"
                    yield Row(what, "s", max(stayed), LEASE_S + SLACK_S, "limit: lease + 0.5 s")


async def _one(stage: Stage, fault: Fault, moment: Moment, rng: random.Random) -> float:
    _publish(stage, rng.getrandbits(32))
    relays = stage.world.amplifiers[AMPLIFIER]
    await until(lambda: moment.now(relays.relays), GUARD_S)
    await asyncio.sleep(rng.uniform(0, moment.later_s))
    begun = time.monotonic()
    await fault.happens(stage)
    await fallen(stage, fault.amplifiers, GUARD_S)
    stayed = time.monotonic() - begun
    await fault.mended(stage)
    await _quiet(stage)
    return stayed


def _publish(stage: Stage, number: int) -> None:
    text = Text("vi", f"Thử {number}", LONG)
    content = StoryBulletin(f"lease-{number}", Priority.EMERGENCY, Status.ACTUAL, Category.OTHER, (text,))
    audience = Audience((stage.ward.area,), boards=("none",))
    stage.source.publish(stage.offices.issue(PROVINCE, content, audience, int(time.time())))


async def _quiet(stage: Stage) -> None:
    """Have nothing on air and nothing queued, as somebody at the hub would."""
    async with asyncio.timeout(GUARD_S):
        while await _purge(stage):
            await asyncio.sleep(0.2)
    await until(lambda: all_open(stage), GUARD_S)


async def _purge(stage: Stage) -> int:
    words = ("queue", "purge", "--all", "--config", str(stage.hub.config))
    null = asyncio.subprocess.DEVNULL
    return await (await asyncio.create_subprocess_exec(*COMMAND, *words, stdout=null, stderr=null)).wait()
