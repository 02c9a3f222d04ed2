"""How long a relay stays closed after the agent was killed while it was on air, against the lease of 3 s."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.harness import Row

from ward_protocol.statements import Audience, Priority, Status, Text
from ward_protocol.statements.words import Category
from ward_sim.bulletins import StoryBulletin
from ward_sim.offices import PROVINCE
from ward_sim.stage import Stage
from ward_sim.ward import load

TRIALS = 6
LEASE_S, SLACK_S = 3.0, 0.5
SEED = 7


async def rows() -> list[Row]:
    """Return the longest and the mean of TRIALS kills at moments drawn from a seed."""
    rng = random.Random(SEED)
    with tempfile.TemporaryDirectory() as name:
        async with Stage(load(), Path(name)) as stage:
            stayed = [await _one(stage, number, rng) for number in range(TRIALS)]
    return list(_rows(stayed))


def _rows(stayed: list[float]) -> Iterator[Row]:
    yield Row("relay closed after kill -9, longest", "s", max(stayed), LEASE_S + SLACK_S, "limit: lease + 0.5 s")
    yield Row("relay closed after kill -9, mean", "s", sum(stayed) / len(stayed), LEASE_S, "lease")


async def _one(stage: Stage, number: int, rng: random.Random) -> float:
    content = StoryBulletin(
        f"lease-{number}", Priority.EMERGENCY, Status.ACTUAL, Category.OTHER, (Text("vi", "Thử", "Mất điện."),)
    )
    audience = Audience((stage.ward.area,), boards=("none",))
    stage.source.publish(stage.offices.issue(PROVINCE, content, audience, int(time.time())))
    relays = stage.world.amplifiers["amp-1"]
    async with asyncio.timeout(60):
        while not all(relays.relays[1:5]):
            await asyncio.sleep(0.02)
        await asyncio.sleep(rng.uniform(0, 2))
        await stage.hub.kill()
        killed = time.monotonic()
        while any(any(one.relays) for one in stage.world.amplifiers.values()):
            await asyncio.sleep(0.01)
    stayed = time.monotonic() - killed
    await stage.hub.start()
    return stayed
