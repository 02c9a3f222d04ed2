"""What the idle agent costs: memory and processor time of the agent and of its audio worker, against the limits."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
from tests.bench.harness import Row

from ward_sim.stage import Stage
from ward_sim.ward import load

SETTLE_S = 25.0
WATCH_S = 30.0
LIMIT_MB, LIMIT_PERCENT, LIMIT_START_S = 60.0, 2.0, 3.0


async def rows() -> AsyncIterator[Row]:
    """Yield the agent's figures in the simulator's own ward, the source beating every two seconds."""
    with tempfile.TemporaryDirectory() as name:
        async with Stage(load(), Path(name)) as stage:
            agent = psutil.Process(stage.hub.pid)
            began = datetime.fromtimestamp(agent.create_time(), UTC)
            await asyncio.sleep(SETTLE_S)
            family = [agent, *agent.children(recursive=True)]
            before = [sum(one.cpu_times()[:2]) for one in family]
            await asyncio.sleep(WATCH_S)
            percents = [
                100 * (sum(one.cpu_times()[:2]) - used) / WATCH_S for one, used in zip(family, before, strict=True)
            ]
            sizes = [one.memory_info().rss / 1e6 for one in family]
            shares = [one.memory_full_info().pss / 1e6 for one in family]
            log = stage.hub.log.read_text(encoding="utf-8")
    yield Row("agent, resident", "MB", sizes[0], LIMIT_MB, "limit")
    yield Row("agent and audio worker, resident", "MB", sum(sizes), LIMIT_MB, "limit")
    yield Row("agent and audio worker, proportional share", "MB", sum(shares), LIMIT_MB, "limit")
    yield Row("agent, of one core", "%", percents[0], LIMIT_PERCENT, "limit")
    yield Row("agent and audio worker, of one core", "%", sum(percents), LIMIT_PERCENT, "limit")
    yield Row("process start to ready", "s", (_ready(log) - began).total_seconds(), LIMIT_START_S, "limit")


def _ready(log: str) -> datetime:
    found = re.search(r"^(\S+ \S+) INFO ward_hub\.agent: ready", log, re.MULTILINE)
    if found is None:
        raise RuntimeError("the agent's log does not say when it was ready")
    return datetime.strptime(found.group(1), "%Y-%m-%d %H:%M:%S,%f").astimezone(UTC)
