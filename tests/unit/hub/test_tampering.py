"""What somebody else did at the outputs: an entry for each, and one alarm while it goes on."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest
from tests.journals import story
from tests.sim.hw.virtual import run
from tests.unit.hub.test_alarms import Siren, said, sounding

from ward_hub.alarms import FIRST_STILL_S
from ward_hub.tampering import KEPT, Tampering
from ward_protocol.reasons import Reason
from ward_protocol.statements import Event

TAMPERED = Reason.OUTPUT_TAMPERED


async def running(siren: Siren, tampering: Tampering, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await tampering.run()


def test_each_is_an_entry_and_all_of_them_are_one_alarm(tmp_path: Path) -> None:
    async def play() -> None:
        async with sounding(tmp_path) as siren:
            tampering = Tampering(siren.journal, siren.alarms)
            for number in range(5):
                tampering.seen(said(f"amp-1: zone-{number} was closed"))
                await running(siren, tampering, 60)
            assert siren.told() == [(Event.ALARM, TAMPERED, "amp-1: zone-0 was closed")]
            (alarm,) = siren.alarms.standing
            assert alarm.detail == "amp-1: zone-4 was closed"
            await asyncio.sleep(FIRST_STILL_S)
            assert siren.standing == []
            assert [one.event for one in story(tmp_path)].count("tampered") == 5

    run(play())


def test_one_of_the_last_run_is_over_after_a_while(tmp_path: Path) -> None:
    async def play() -> None:
        async with sounding(tmp_path) as siren:
            Tampering(siren.journal, siren.alarms).seen(said("board-1 showed something else"))
            await asyncio.sleep(1)
        async with sounding(tmp_path) as again:
            assert again.standing == [TAMPERED]
            await running(again, Tampering(again.journal, again.alarms), FIRST_STILL_S + 1)
            assert again.standing == []

    run(play())


def test_what_is_seen_while_as_much_as_is_kept_waits_loses_nothing_unwritten(tmp_path: Path) -> None:
    """The place that is made for it is that of what is being written."""

    async def play() -> None:
        async with sounding(tmp_path) as siren:
            tampering = Tampering(siren.journal, siren.alarms)
            for number in range(KEPT):
                tampering.seen(said(f"{number} was closed"))
            writing = asyncio.create_task(running(siren, tampering, 5))
            await asyncio.sleep(0)
            tampering.seen(said(f"{KEPT} was closed"))
            await writing
            assert [one.event for one in story(tmp_path)].count("tampered") == KEPT + 1

    run(play())


def test_what_the_journal_cannot_take_is_written_later(tmp_path: Path) -> None:
    async def play() -> None:
        async with sounding(tmp_path) as siren:
            tampering = Tampering(siren.journal, siren.alarms)
            tampering.seen(said("board-1 showed something else"))
            siren.journal.broken = frozenset({"note"})
            with pytest.raises(sqlite3.OperationalError):
                await tampering.run()
            siren.journal.broken = frozenset()
            await running(siren, tampering, 1)
            assert [one.event for one in story(tmp_path)].count("tampered") == 1

    run(play())
