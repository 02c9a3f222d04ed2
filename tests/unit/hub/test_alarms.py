"""Alarms: one entry and one receipt for each edge, over a real journal, however often and wildly they are told."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.clocks import clock
from tests.journals import FILE, HUB, HUB_KEY, Inline, receipts, story
from tests.sim.hw.virtual import run
from tests.statements import NOW

from ward_hub.alarm_words import Code, Detail, detail
from ward_hub.alarms import ALARMS, DONE_S, FIRST_STILL_S, FORGIVEN_S, LONGEST_STILL_S, Alarm, Alarms
from ward_hub.journal import Standing
from ward_protocol.reasons import Reason
from ward_protocol.statements import Event

FROZEN: Alarm = Reason.BEAT_FROZEN
SILENT: Alarm = Reason.SOURCE_SILENT


def said(text: str) -> Detail:
    return detail(Code.TEXT, text=text)


class Siren:
    """Alarms over the journal in `folder`, as after a start of the agent."""

    def __init__(self, folder: Path) -> None:
        loop = asyncio.get_running_loop()
        self.folder = folder
        hub_clock = clock(lambda: NOW + loop.time())
        self.journal = Inline(folder / FILE, HUB, HUB_KEY, hub_clock)
        self.alarms = Alarms(self.journal, hub_clock)
        self.alarms.restore(self.journal.ledger.alarms())

    def told(self) -> list[tuple[Event, Reason | None, str]]:
        return [(one.event, one.reason, one.detail) for one in receipts(self.folder)]

    @property
    def standing(self) -> list[Reason]:
        return [one.kind for one in self.alarms.standing]


@asynccontextmanager
async def sounding(folder: Path) -> AsyncIterator[Siren]:
    siren = Siren(folder)
    task = asyncio.create_task(siren.alarms.run())
    try:
        yield siren
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        siren.journal.close()


BEGAN = (Event.ALARM, FROZEN, "an hour old")
OVER = (Event.ALARM_CLEARED, FROZEN, "an hour old")


def test_every_number_of_the_range_is_an_alarm_and_no_other() -> None:
    assert {one for one in Reason if 110 <= one < 130} == ALARMS


def test_each_edge_is_told_once_in_trail_receipt_and_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")

    async def play() -> None:
        async with sounding(tmp_path) as siren:
            for _ in range(100):
                siren.alarms.sound(FROZEN, said("an hour old"))
                await asyncio.sleep(1)
            assert siren.standing == [FROZEN]
            assert siren.told() == [BEGAN]
            for _ in range(1000):
                siren.alarms.still(FROZEN)
                siren.alarms.still(SILENT)
                await asyncio.sleep(1)
            assert siren.standing == []
            assert siren.told() == [BEGAN, OVER]
            assert [(one.event, one.detail["reason"]) for one in story(tmp_path)] == [
                ("alarm", "beat-frozen"),
                ("alarm-cleared", "beat-frozen"),
            ]
            assert siren.journal.ledger.alarms() == []

    run(play())
    assert caplog.messages == ["alarm beat-frozen: an hour old", "alarm beat-frozen is over: an hour old"]


def test_it_stands_until_it_was_still_for_a_while(tmp_path: Path) -> None:
    async def play() -> None:
        async with sounding(tmp_path) as siren:
            siren.alarms.sound(FROZEN, said("an hour old"))
            siren.alarms.still(FROZEN)
            await asyncio.sleep(FIRST_STILL_S - 1)
            siren.alarms.sound(FROZEN, said("two hours old"))
            await asyncio.sleep(FIRST_STILL_S)
            (one,) = siren.alarms.standing
            assert (one.since_ms, one.detail) == (NOW * 1000, "two hours old")
            siren.alarms.still(FROZEN)
            await asyncio.sleep(FIRST_STILL_S + 1)
            assert siren.standing == []
            assert siren.told() == [BEGAN, (Event.ALARM_CLEARED, FROZEN, "two hours old")]

    run(play())


def test_what_flaps_for_a_week_does_not_fill_the_journal(tmp_path: Path) -> None:
    async def play() -> None:
        async with sounding(tmp_path) as siren:
            for turn in range(7 * 24 * 60):
                if turn % 20 == 0:
                    siren.alarms.sound(FROZEN, said(f"turn {turn}"))
                else:
                    siren.alarms.still(FROZEN)
                await asyncio.sleep(60)
            assert len(siren.told()) < 12  # the 20 minutes of stillness suffice but for the first few times

    run(play())


def test_the_most_that_it_can_write_is_an_edge_each_half_hour(tmp_path: Path) -> None:
    async def play() -> None:
        async with sounding(tmp_path) as siren:
            for _ in range(24 * 60):
                for kind in (FROZEN, SILENT):
                    if kind in siren.standing:
                        siren.alarms.still(kind)
                    else:
                        siren.alarms.sound(kind, said("again"))
                await asyncio.sleep(60)
            assert 2 * 40 < len(siren.told()) < 2 * (2 * 24 + 12)

    run(play())


def test_a_quiet_day_forgives(tmp_path: Path) -> None:
    async def play() -> None:
        async with sounding(tmp_path) as siren:
            for _ in range(6):
                siren.alarms.sound(FROZEN, said(""))
                siren.alarms.still(FROZEN)
                await asyncio.sleep(LONGEST_STILL_S + 1)
            siren.alarms.sound(FROZEN, said(""))
            siren.alarms.still(FROZEN)
            await asyncio.sleep(FIRST_STILL_S + 1)
            assert siren.standing == [FROZEN]
            await asyncio.sleep(LONGEST_STILL_S + FORGIVEN_S)
            siren.alarms.sound(FROZEN, said(""))
            siren.alarms.still(FROZEN)
            await asyncio.sleep(FIRST_STILL_S + 1)
            assert siren.standing == []

    run(play())


def test_kinds_do_not_touch_each_other(tmp_path: Path) -> None:
    async def play() -> None:
        async with sounding(tmp_path) as siren:
            siren.alarms.sound(SILENT, said("no beat"))
            await asyncio.sleep(1)
            siren.alarms.sound(FROZEN, said("an hour old"))
            siren.alarms.still(SILENT)
            await asyncio.sleep(FIRST_STILL_S + 1)
            assert siren.standing == [FROZEN]

    run(play())


CHANGED = Reason.CONFIGURATION_CHANGED


def test_each_change_is_told_and_stands_for_a_day_after_the_last(tmp_path: Path) -> None:
    async def play() -> None:
        async with sounding(tmp_path) as siren:
            siren.alarms.changed(said("one"))
            await asyncio.sleep(DONE_S / 2)
            siren.alarms.changed(said("two"))
            await asyncio.sleep(DONE_S - 1)
            assert siren.alarms.standing == [Standing(CHANGED, (NOW + int(DONE_S / 2)) * 1000, (said("two"),))]
            await asyncio.sleep(2)
            assert siren.standing == []
            assert siren.told() == [
                (Event.ALARM, CHANGED, "one"),
                (Event.ALARM, CHANGED, "two"),
                (Event.ALARM_CLEARED, CHANGED, "two"),
            ]

    run(play())


@pytest.mark.parametrize("off_s", [0.0, 3600.0])
def test_a_restart_does_not_begin_the_day_anew(tmp_path: Path, off_s: float) -> None:
    async def play() -> None:
        async with sounding(tmp_path) as siren:
            siren.alarms.changed(said("one"))
            await asyncio.sleep(3600)
        await asyncio.sleep(off_s)
        async with sounding(tmp_path) as again:
            await asyncio.sleep(DONE_S - 3600 - off_s - 1)
            assert again.standing == [CHANGED]
            await asyncio.sleep(2)
            assert again.standing == []
            assert len(again.told()) == 2

    run(play())


def test_a_clock_that_is_behind_does_not_make_it_stand_longer_than_a_day(tmp_path: Path) -> None:
    async def play() -> None:
        async with sounding(tmp_path) as siren:
            siren.alarms.restore([Standing(CHANGED, (NOW + 90 * 86_400) * 1000, (said("one"),))])
            siren.alarms.sound(FROZEN, said("an hour old"))  # so that `run` looks again
            await asyncio.sleep(DONE_S - 1)
            assert siren.standing == [FROZEN, CHANGED]
            await asyncio.sleep(2)
            assert siren.standing == [FROZEN]

    run(play())


def test_a_restart_neither_forgets_nor_repeats_it(tmp_path: Path) -> None:
    async def play() -> None:
        async with sounding(tmp_path) as siren:
            siren.alarms.sound(FROZEN, said("an hour old"))
            await asyncio.sleep(1)
        async with sounding(tmp_path) as again:
            assert again.alarms.standing == [Standing(FROZEN, NOW * 1000, (said("an hour old"),))]
            again.alarms.sound(FROZEN, said("an hour old"))
            await asyncio.sleep(1)
            assert again.told() == [BEGAN]
            again.alarms.still(FROZEN)
            await asyncio.sleep(FIRST_STILL_S + 1)
            assert again.told() == [BEGAN, OVER]

    run(play())


def test_a_journal_that_fails_for_a_while_loses_no_edge(tmp_path: Path) -> None:
    async def play() -> None:
        siren = Siren(tmp_path)
        with contextlib.closing(siren.journal):
            siren.alarms.sound(FROZEN, said("an hour old"))
            siren.journal.broken = frozenset({"alarm"})
            for _ in range(3):
                with pytest.raises(sqlite3.OperationalError):
                    await siren.alarms.run()
            siren.journal.broken = frozenset()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(10):
                    await siren.alarms.run()  # as the supervisor does
            assert siren.told() == [BEGAN]

    run(play())


def test_a_detail_without_end_is_cut_in_the_receipt(tmp_path: Path) -> None:
    async def play() -> None:
        async with sounding(tmp_path) as siren:
            siren.alarms.sound(FROZEN, said("x" * 10_000))
            await asyncio.sleep(1)
            ((_, _, detail),) = siren.told()
            assert detail == "x" * 300

    run(play())
