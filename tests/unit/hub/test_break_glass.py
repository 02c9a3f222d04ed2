"""A sealed key that was used: an alarm until somebody above the ward has cleared it, also across restarts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.sim.hw.virtual import run
from tests.statements import SEALED_KEY
from tests.unit.hub.test_alarms import Siren, sounding

from ward_hub.alarms import FIRST_STILL_S
from ward_hub.break_glass import BreakGlassWatch
from ward_hub.journal import Bounds, Ledger, State
from ward_protocol.reasons import Reason
from ward_protocol.statements import Event

USED = Reason.BREAK_GLASS_USED


@asynccontextmanager
async def watching(folder: Path) -> AsyncIterator[Siren]:
    async with sounding(folder) as siren:
        watch = BreakGlassWatch(siren.journal, siren.alarms)
        siren.journal.on_receipt = watch.poke
        task = asyncio.create_task(watch.run())
        try:
            await asyncio.sleep(1)
            yield siren
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def use(siren: Siren, number: int, kid: bytes | None = SEALED_KEY.kid) -> None:
    """Accept a bulletin under a sealed key, or under none."""
    bounds, digest = Bounds(break_glass=kid, uses=5), bytes([number]) * 32
    accepted = siren.journal.do(Ledger.accept, "ward", number, digest, b"", State.NOTED, bounds=bounds)
    assert await accepted is None
    await asyncio.sleep(1)


def test_it_stands_until_it_is_cleared_and_is_told_once(tmp_path: Path) -> None:
    async def play() -> None:
        async with watching(tmp_path) as siren:
            await use(siren, 1, None)
            assert siren.standing == []
            await use(siren, 2)
            await use(siren, 3)
            (alarm,) = siren.alarms.standing
            assert (alarm.kind, alarm.detail) == (USED, f"key {SEALED_KEY.kid.hex()} 2 times, and nobody cleared it")
            await asyncio.sleep(86_400)
        async with watching(tmp_path) as again:
            assert again.standing == [USED]
            await again.journal.do(Ledger.clear_break_glass)
            await use(again, 4, None)  # whatever is written next: an order that clears ends with a receipt
            await asyncio.sleep(FIRST_STILL_S)
            assert again.standing == []
            events = [event for event, reason, _ in again.told() if reason is USED]
            assert events == [Event.ALARM, Event.ALARM_CLEARED]

    run(play())


def test_another_key_beside_it_is_named(tmp_path: Path) -> None:
    async def play() -> None:
        async with watching(tmp_path) as siren:
            await use(siren, 1)
            await use(siren, 2, bytes(8))
            (alarm,) = siren.alarms.standing
            assert f"{SEALED_KEY.kid.hex()} 1 times" in alarm.detail
            assert f"{bytes(8).hex()} 1 times" in alarm.detail

    run(play())
