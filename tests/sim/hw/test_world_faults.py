"""Faults of a ward's file in the ward itself: the real firmware on ptys, its relays, and what is told of them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ward_hw.bus import ModbusBus
from ward_hw.drivers.amplifier import Amplifier
from ward_hw.profile import load_profile
from ward_sim.ward import DEFAULT, load
from ward_sim.world import World

pytestmark = pytest.mark.capability("micropython")
HANG_GUARD_S = 30.0
FAULTS = """
[[fault]]
kind = "welded"
unit = 17
relay = 0

[[fault]]
kind = "leading-zero"
unit = 17

[[fault]]
kind = "brown-out"
unit = 18
from_s = 0.2
until_s = 0.6

[[fault]]
kind = "hot"
unit = 18
rise_c = 10

[[fault]]
kind = "short"
unit = 18
leak_ma = 500

[[fault]]
kind = "sag"
unit = 18
drop_mv = 3000
"""


@asynccontextmanager
async def failing(folder: Path, notes: list[str]) -> AsyncIterator[World]:
    path = folder / "ward.toml"
    path.write_text(DEFAULT.read_text(encoding="utf-8") + FAULTS, encoding="utf-8")
    async with World(load(path), folder / "heard.wav", lambda _kind, _vi, en: notes.append(en)) as world:
        playing = asyncio.create_task(world.fail())
        try:
            yield world
        finally:
            playing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await playing


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(HANG_GUARD_S):
        while not condition():
            await asyncio.sleep(0.01)


async def test_faults_happen_in_the_ward_and_are_told(tmp_path: Path) -> None:
    notes: list[str] = []
    async with failing(tmp_path, notes) as world:
        await until(lambda: "Simulated fault begins: brown-out 18" in notes)
        await until(lambda: not world.amplifiers["amp-2"].alive)
        await until(lambda: "Simulated fault ends: brown-out 18" in notes)
        await until(lambda: world.amplifiers["amp-2"].alive)
        async with ModbusBus(world.ports["line"], 19_200) as bus:
            strained = Amplifier("amp-2", bus, 18, load_profile("wardhub/amp8"), clock=time.monotonic)
            await strained.set_relays(frozenset({0, 1}), budget_s=10.0)
            status = await strained.renew()
            measured = (status.temperature_dc, status.current_ma, status.supply_mv)
            assert measured == pytest.approx((350, 350 + 500, 21_000), rel=0.02)
            driver = Amplifier("amp-1", bus, 17, load_profile("wardhub/amp8"), clock=time.monotonic)
            async with asyncio.timeout(HANG_GUARD_S):
                for wanted in ({0, 1}, set[int]()):  # answers behind 0x00 are found
                    assert (await driver.set_relays(frozenset(wanted), budget_s=10.0)).relays == wanted
        # The supply's contact is welded.
        assert [relay for relay, closed in enumerate(world.amplifiers["amp-1"].relays) if closed] == [0]
        assert world.amplifiers["amp-1"].supply_mv > 0
    assert {"Simulated fault begins: welded 17", "Simulated fault begins: leading-zero 17"} <= set(notes)
