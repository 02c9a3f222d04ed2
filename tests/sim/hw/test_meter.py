"""Meters on a virtual line: values as the makers code them, never an old one for a new one, never another product's."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from tests.sim.hw.products import AnalogInput8, Pzem016, RelayBoard, Sdm120
from tests.sim.hw.units import Station
from tests.sim.hw.virtual import Line, Reply, Unit, run

from ward_hw.bus import ModbusBus
from ward_hw.drivers.meter import Measurement, Meter
from ward_hw.errors import LinkTimeout, MisuseError, PeerError
from ward_hw.meter_profile import load_meter

PZEM, SDM, ANALOG = "peacefair/pzem-016", "eastron/sdm120", "waveshare/modbus-rtu-analog-input-8ch"
TIMEOUT = 0.1


def now() -> float:
    return asyncio.get_running_loop().time()


def bus_with(*stations: Unit) -> ModbusBus:
    return ModbusBus("virtual", 9600, timeout=TIMEOUT, opener=Line(9600, units=list(stations)).open)


def meter_on(bus: ModbusBus, profile: str, reading: str, unit: int = 1) -> Meter:
    return Meter("meter-1", bus, unit, load_meter(profile), reading, clock=now)


@pytest.mark.parametrize(
    ("station", "profile", "reading", "value", "unit"),
    [
        (Pzem016(unit=9), PZEM, "voltage", 230.2, "V"),
        (Pzem016(unit=9, amps=70.123), PZEM, "current", 70.123, "A"),  # over 16 bits
        (Pzem016(unit=9, watts=7001.5), PZEM, "power", 7001.5, "W"),
        (Sdm120(unit=9), SDM, "voltage", 230.2, "V"),
        (Sdm120(unit=9), SDM, "current", 0.361, "A"),
        (Sdm120(unit=9, watts=-12.5), SDM, "power", -12.5, "W"),
        (AnalogInput8(9, channels=[9, 9, 775] + 5 * [9], ranges=[2, 2, 1] + 5 * [2]), ANALOG, "voltage-3", 775, "mV"),
        (AnalogInput8(9, channels=[4250, 0, 0, 0, 0, 0, 0, 0]), ANALOG, "current-1", 4.25, "mA"),
    ],
)  # fmt: skip
def test_a_reading_in_its_unit(station: Station, profile: str, reading: str, value: float, unit: str) -> None:
    async def story() -> None:
        async with bus_with(station) as bus:
            got = await meter_on(bus, profile, reading, 9).read()
            assert got.value == pytest.approx(value, abs=1e-4)
            assert (got.unit, got.at) == (unit, now())

    run(story())


@pytest.mark.parametrize("lateness", [0.001, 0.04, 0.09, 0.15, 0.3])
@pytest.mark.parametrize("profile", [PZEM, SDM])
def test_a_late_answer_is_never_taken_for_a_new_one(profile: str, lateness: float) -> None:
    """Every measurement that comes is of a time after it was asked for: the value counts the requests it has seen."""

    async def story() -> None:
        station = Counting() if profile == PZEM else CountingFloats()
        lates = [0.002, 0.002, TIMEOUT + lateness, 0.002, 0.002, TIMEOUT + lateness, TIMEOUT + lateness, 0.002]
        station.delays = list(itertools.chain.from_iterable(lates for _ in range(20)))
        got = 0
        async with bus_with(InOrder(station)) as bus:
            meter = meter_on(bus, profile, "power")
            for _ in range(60):
                before = station.asked
                try:
                    assert (await meter.read()).value > before
                    got += 1
                except LinkTimeout:
                    pass
        assert got >= 15

    run(story())


class InOrder:
    """A unit that answers in the order it was asked, as every one does: what is late holds up what comes behind."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._free_at = 0.0

    def __call__(self, frame: bytes) -> list[Reply]:
        replies = self._station(frame)
        for number, reply in enumerate(replies):
            at = max(now() + reply.after, self._free_at)
            self._free_at = at + len(reply.data) * 10 / 9600 + 0.004
            replies[number] = Reply(reply.data, at - now())
        return replies


class Counting(Pzem016):
    """Its power is the number of requests it has been sent."""

    asked = 0

    def answer(self, pdu: bytes) -> bytes:
        self.asked += 1
        self.watts = float(self.asked)
        return super().answer(pdu)


class CountingFloats(Sdm120):
    """The same with floats."""

    asked = 0

    def answer(self, pdu: bytes) -> bytes:
        self.asked += 1
        self.watts = float(self.asked)
        return super().answer(pdu)


def test_the_check_costs_nothing_while_all_goes_well() -> None:
    async def story() -> None:
        station = Counting()
        async with bus_with(station) as bus:
            meter = meter_on(bus, PZEM, "power")
            for _ in range(10):
                await meter.read()
            assert station.asked == 11
            station.delays = [None]
            with pytest.raises(LinkTimeout):
                await meter.read()
            await meter.read()
            await meter.read()
            assert station.asked == 15  # ten, a check, the lost one, a check, two

    run(story())


@pytest.mark.parametrize(
    ("station", "profile", "reading", "complaint"),
    [
        (AnalogInput8(ranges=[2] * 8), ANALOG, "voltage-1", "register 0x1000 holds 2, not 0 or 1"),
        (AnalogInput8(ranges=[4] * 8), ANALOG, "current-8", "register 0x1007 holds 4, not 2 or 3"),
        (Sdm120(), PZEM, "power", "exception 2"),
        (RelayBoard(), ANALOG, "current-1", "exception 2"),
        (Sdm120(watts=float("nan")), SDM, "power", "it sent nan"),
        (Sdm120(watts=float("inf")), SDM, "power", "it sent inf"),
    ],
)
def test_another_product_or_range_is_no_measurement(
    station: Station, profile: str, reading: str, complaint: str
) -> None:
    async def story() -> None:
        async with bus_with(station) as bus:
            meter = meter_on(bus, profile, reading)
            for _ in range(2):
                with pytest.raises(PeerError, match=complaint):
                    await meter.read()

    run(story())


def test_a_dead_meter_ends_in_time() -> None:
    async def story() -> None:
        async with bus_with(Pzem016(unit=2)) as bus:
            begun = now()
            with pytest.raises(LinkTimeout):
                await meter_on(bus, PZEM, "power").read(budget_s=1.0)
            assert now() - begun <= 1.0

    run(story())


def test_two_readings_of_one_unit_do_not_disturb_each_other() -> None:
    async def story() -> None:
        station = AnalogInput8(channels=[100, 200, 0, 0, 0, 0, 0, 0], ranges=[0] * 8)
        station.delays = [0.002, 0.002, 0.002, 0.002, None, TIMEOUT + 0.05, 0.002]
        async with bus_with(station) as bus:
            one, two = (meter_on(bus, ANALOG, f"voltage-{number}") for number in (1, 2))
            got: list[list[Measurement | BaseException]] = [[], []]
            for _ in range(10):
                results = await asyncio.gather(one.read(), two.read(), return_exceptions=True)
                for held, result in zip(got, results, strict=True):
                    held.append(result)
            values = [{each.value for each in held if isinstance(each, Measurement)} for held in got]
            assert values == [{100.0}, {200.0}]

    run(story())


def test_a_reading_that_the_product_has_not_is_refused_before_anything_is_asked() -> None:
    async def story() -> None:
        async with bus_with() as bus:
            with pytest.raises(MisuseError, match="no reading loudness"):
                meter_on(bus, PZEM, "loudness")

    run(story())
