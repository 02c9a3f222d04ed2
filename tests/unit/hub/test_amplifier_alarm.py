"""One alarm for all amplifiers whose readings show the same to be wrong, until the last is over."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from tests.sim.hw.virtual import run
from tests.unit.hub.test_alarms import sounding

from ward_hub.alarm_words import Code, detail
from ward_hub.alarms import FIRST_STILL_S
from ward_hub.amplifier_alarm import AmplifierAlarm
from ward_protocol.reasons import Reason
from ward_protocol.statements import Event

TRIPPED: Final = Reason.OUTPUT_TRIPPED
HOT = detail(Code.TOO_HOT, amplifier="amp-1", temperature_c=86)
WELDED = detail(Code.SUPPLY_STAYS, amplifier="amp-1", supply_mv=24_000)
SHORT = detail(Code.TOO_MUCH_CURRENT, amplifier="amp-2", current_ma=15_350)


def test_it_stands_while_any_amplifier_shows_one_and_is_told_once(tmp_path: Path) -> None:
    async def play() -> None:
        async with sounding(tmp_path) as siren:
            trips = AmplifierAlarm(siren.alarms, TRIPPED)
            for _ in range(3):
                trips.read("amp-1", [HOT])
                trips.read("amp-2", [SHORT])
                trips.read("amp-3", [])
            (alarm,) = siren.alarms.standing
            assert alarm.details == (HOT, SHORT)
            trips.read("amp-1", [])
            await asyncio.sleep(2 * FIRST_STILL_S)
            (alarm,) = siren.alarms.standing
            assert alarm.details == (SHORT,)
            trips.read("amp-2", [])
            await asyncio.sleep(FIRST_STILL_S + 1)
            assert [(event, reason) for event, reason, _ in siren.told()] == [
                (Event.ALARM, TRIPPED),
                (Event.ALARM_CLEARED, TRIPPED),
            ]
            assert siren.told()[0][2] == "amplifier amp-1 was too hot: 86 °C"

    run(play())


def test_one_of_the_last_run_is_over_unless_it_is_read_again(tmp_path: Path) -> None:
    async def play() -> None:
        async with sounding(tmp_path) as siren:
            AmplifierAlarm(siren.alarms, TRIPPED).read("amp-1", [HOT])
            await asyncio.sleep(1)
        async with sounding(tmp_path) as again:
            trips = AmplifierAlarm(again.alarms, TRIPPED)
            await asyncio.sleep(FIRST_STILL_S - 1)
            trips.read("amp-1", [HOT])
            await asyncio.sleep(FIRST_STILL_S)
            assert again.standing == [TRIPPED]
            trips.read("amp-1", [])
            await asyncio.sleep(FIRST_STILL_S + 1)
            assert again.standing == []

    run(play())


def test_each_alarm_is_its_own(tmp_path: Path) -> None:
    async def play() -> None:
        async with sounding(tmp_path) as siren:
            tripped, stuck = AmplifierAlarm(siren.alarms, TRIPPED), AmplifierAlarm(siren.alarms, Reason.OUTPUT_STUCK)
            tripped.read("amp-1", [])
            stuck.read("amp-1", [WELDED])
            await asyncio.sleep(1)
            tripped.read("amp-1", [])
            assert [(one.kind, one.details) for one in siren.alarms.standing] == [(Reason.OUTPUT_STUCK, (WELDED,))]

    run(play())
