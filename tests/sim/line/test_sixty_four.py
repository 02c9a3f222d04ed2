"""A full line on the clock that jumps: 64 real cores polled at 19,200 baud, then with eight of them dead."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tests.sim.line.rigs import Rig, rig

from ward_hw.bus import Priority
from ward_hw.errors import LinkError
from ward_sim import faults as wrong
from ward_sim.line.clock import run

UNITS = tuple(range(1, 65))
DEAD = UNITS[::8]
BAUD = 19_200
# FC 4 of sixteen words, a silence before the request and one before the answer.
SHORTEST_S = (8 + 37) * 10 / BAUD + 2 * 38.5 / BAUD


async def polled(site: Rig, *, settle_s: float, seconds: float) -> dict[int, int]:
    """Answers of each unit in `seconds`, one task a unit asking again and again."""
    counts = dict.fromkeys(UNITS, 0)

    async def poll(unit: int) -> None:
        while True:
            with suppress(LinkError):
                await site.drivers[unit].read(budget_s=10.0)
                counts[unit] += 1

    tasks = [asyncio.create_task(poll(unit)) for unit in UNITS]
    await asyncio.sleep(settle_s)
    before = dict(counts)
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    return {unit: counts[unit] - before[unit] for unit in UNITS}


def test_polling_fills_the_line_and_dead_units_cost_the_others_little() -> None:
    async def story() -> None:
        async with rig(UNITS) as site:
            alive = await polled(site, settle_s=1.0, seconds=15.0)
            assert sum(alive.values()) / 15.0 >= 0.97 / SHORTEST_S
            assert max(alive.values()) - min(alive.values()) <= 1
            await site.faults.switch(wrong.Cut(behind=DEAD), on=True)
            some_dead = await polled(site, settle_s=20.0, seconds=30.0)
            for unit in UNITS:
                rate, before = some_dead[unit] / 30.0, sum(alive.values()) / len(UNITS) / 15.0
                assert rate == 0 if unit in DEAD else rate > 0.9 * before

    run(story())


def test_an_emergency_on_a_full_line_waits_for_one_transaction() -> None:
    async def story() -> None:
        async with rig(UNITS) as site:
            await site.faults.switch(wrong.Cut(behind=DEAD), on=True)
            filling = asyncio.create_task(polled(site, settle_s=1000.0, seconds=0.0))
            await asyncio.sleep(20.0)
            loop = asyncio.get_running_loop()
            for unit in UNITS[1:8]:
                began = loop.time()
                await site.drivers[unit].set_relays(frozenset({0}), priority=Priority.EMERGENCY)
                # What is on the line, or a dead unit's fair time; then the order and its confirmation.
                assert loop.time() - began < 0.05 + 3 * SHORTEST_S
            filling.cancel()
            await asyncio.wait([filling])

    run(story())
