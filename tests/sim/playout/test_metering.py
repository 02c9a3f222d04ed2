"""An amplifier that measures nothing, and a meter that does: what it hears is evidence, if it is known to be fresh."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.sim.hw.products import AnalogInput8, Pzem016, Registers
from tests.sim.hw.units import Waveshare
from tests.sim.hw.virtual import Line, run
from tests.sim.playout.rigs import POLL_MS, SUPPLY, WARM_MS, ZONES, Horns, hub_clock, now, running

from ward_hub.config import AmplifierSection, MeterSection, ZoneSection
from ward_hub.playout.amplifiers import LOOK_S, AmplifierOutput
from ward_hub.playout.metering import Metering
from ward_hub.playout.tracks import ZoneTrack
from ward_hw.bus import ModbusBus
from ward_hw.drivers.amplifier import Amplifier
from ward_hw.drivers.meter import Meter
from ward_hw.meter_profile import load_meter
from ward_hw.profile import load_profile

STOCK, OURS = "waveshare/modbus-rtu-relay-8ch", "wardhub/amp8"
METER = 30


class Idle(Pzem016):
    """The meter of an amplifier: it takes 18 W without sound."""

    def __init__(self) -> None:
        super().__init__(unit=METER, watts=18.0)


@asynccontextmanager
async def metered(
    relays: Waveshare | Horns, meter: Registers, profile: str = "peacefair/pzem-016", reading: str = "power"
) -> AsyncIterator[AmplifierOutput]:
    """One amplifier and its meter on one line, both running."""
    name = STOCK if isinstance(relays, Waveshare) else OURS
    section = AmplifierSection(
        name="amp-1",
        bus="bus-1",
        unit=relays.unit,
        profile=name,
        supply_relay=SUPPLY,
        warm_up_ms=WARM_MS,
        zones=tuple(ZoneSection(id=zone, relay=relay) for zone, relay in ZONES.items()),
    )
    measures = MeterSection(
        amplifier="amp-1", bus="bus-1", unit=METER, profile=profile, reading=reading, heard_from=40.0
    )
    line = Line(19_200, units=[relays, meter])
    async with ModbusBus("virtual", 19_200, timeout=0.1, opener=line.open) as bus:
        driver = Amplifier("amp-1", bus, relays.unit, load_profile(name), clock=now)
        output = AmplifierOutput(section, driver, hub_clock(), POLL_MS, metered=True)
        device = Meter("meter of amp-1", bus, METER, load_meter(profile), reading, clock=now)
        metering = Metering(measures, device, output, POLL_MS)
        async with running(output.run), running(metering.run):
            await asyncio.sleep(0.5)
            yield output


def only(output: AmplifierOutput) -> ZoneTrack:
    (track,) = output.end_tracks()
    return track


def test_the_time_over_its_threshold_is_what_was_heard() -> None:
    async def story() -> None:
        meter = Idle()
        async with metered(Waveshare(), meter) as output:
            await output.carry(["zone-1"], urgent=False)
            await asyncio.sleep(3)
            meter.watts = 83.1
            await asyncio.sleep(6)
            meter.watts = 39.9
            await asyncio.sleep(3)
            assert output.summary()["meter"] == {"value": 39.9, "unit": "W"}
            track = only(output)
            assert track.confirmed
            assert track.heard_ms == pytest.approx(6000, abs=800)

    run(story())


def test_a_module_of_analogue_inputs_does_the_same_for_the_line_level() -> None:
    async def story() -> None:
        meter = AnalogInput8(METER, channels=[0, 775, 0, 0, 0, 0, 0, 0], ranges=[0] * 8)
        name = "waveshare/modbus-rtu-analog-input-8ch"
        async with metered(Waveshare(), meter, name, "voltage-2") as output:
            await output.carry(["zone-1"], urgent=False)
            await asyncio.sleep(5)
            assert output.summary()["meter"] == {"value": 775, "unit": "mV"}
            assert only(output).heard_ms == pytest.approx(5000, abs=800)

    run(story())


def test_the_meter_stands_in_for_the_controllers_own_level() -> None:
    async def story() -> None:
        async with metered(Horns(level_mv=900), Idle()) as output:
            await output.carry(["zone-1"], urgent=False)
            await asyncio.sleep(5)
            assert only(output).heard_ms == 0

    run(story())


def test_sound_behind_an_open_relay_is_not_heard() -> None:
    async def story() -> None:
        horns, meter = Horns(), Idle()
        meter.watts = 90.0
        async with metered(horns, meter) as output:
            await output.carry(["zone-1"], urgent=False)
            horns.stuck = True
            horns.relays[1] = False
            await asyncio.sleep(3)
            assert (only(output).heard_ms or 0) <= 500

    run(story())


def test_nothing_is_heard_behind_relays_that_cannot_be_read() -> None:
    async def story() -> None:
        board, meter = Waveshare(), Idle()
        meter.watts = 90.0
        async with metered(board, meter) as output:
            await output.carry(["zone-1"], urgent=False)
            await asyncio.sleep(3)
            board.deaf = [True] * 1000
            await asyncio.sleep(15)
            assert (only(output).heard_ms or 0) < 3000 + 4500

    run(story())


def test_a_meter_that_is_dead_or_another_product_leaves_it_unknown() -> None:
    async def story() -> None:
        for meter in (Pzem016(unit=METER + 1), AnalogInput8(METER)):
            async with metered(Waveshare(), meter) as output:
                await output.carry(["zone-1"], urgent=False)
                await asyncio.sleep(10)
                track = only(output)
                assert (track.confirmed, track.heard_ms) == (True, None)
                assert output.summary()["meter"] is None

    run(story())


def test_a_meter_that_falls_silent_is_told_once_and_no_more_counted(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        meter = Idle()
        meter.watts = 90.0
        async with metered(Waveshare(), meter) as output:
            await output.carry(["zone-1"], urgent=False)
            await asyncio.sleep(3)
            meter.deaf = [True] * 1000
            await asyncio.sleep(20)
            meter.deaf.clear()
            await asyncio.sleep(40)
            heard = only(output).heard_ms or 0
            assert heard < 3000 + 40_000 + 2500
            assert output.summary()["meter"] == {"value": 90, "unit": "W"}
        assert len([one for one in caplog.messages if "meter of amp-1: nothing is measured" in one]) == 1

    run(story())


def test_off_air_it_is_looked_at_now_and_then() -> None:
    async def story() -> None:
        meter = Idle()
        async with metered(Waveshare(), meter) as output:
            await asyncio.sleep(2 * LOOK_S)
            assert output.summary()["meter"] == {"value": 18, "unit": "W"}
            meter.watts = 19.0
            await asyncio.sleep(LOOK_S + 1)
            assert output.summary()["meter"] == {"value": 19, "unit": "W"}
            assert output.end_tracks() == []

    run(story())
