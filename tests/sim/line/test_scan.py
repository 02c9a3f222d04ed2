"""The scan end to end on the simulated line, our controllers running their real firmware: each fault and its cause."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from tests.sim.hw.products import AnalogInput8, Pzem016, RelayBoard
from tests.sim.hw.units import Station
from tests.sim.line.cores import core
from tests.sim.line.products import Product

from ward_hw.diagnosis import Cause, diagnose
from ward_hw.errors import LinkError
from ward_hw.scan import Plan, Scanned, elsewhere, scan
from ward_sim.devices.inside import CoreAmplifier
from ward_sim.line import Line
from ward_sim.line.clock import run
from ward_sim.line.inside import Port

BAUD = 9600
BAUDRATES = (1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200)
OURS = (17, 18)
EXPECTED = frozenset({17, 18, 20, 21})


class Ward:
    """Two controllers of ours, a relay board, an analogue module and whatever a test adds."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.port = Port(line)
        self.ours = {unit: CoreAmplifier(f"amp-{unit}", unit, line, core) for unit in OURS}
        self.taps = [ours.tap for ours in self.ours.values()]
        self.add(RelayBoard(unit=20))
        self.add(AnalogInput8(unit=21))

    def add(self, station: Station) -> Product:
        product = Product(self.line, station)
        self.taps.append(product)
        return product

    async def scan(self, baudrate: int = BAUD, *, tries: int = 30) -> Scanned:
        plan = Plan(tuple(range(15, 31)), EXPECTED, tries, 0.1)
        return await scan("virtual", baudrate, plan, opener=self.port.open)


@asynccontextmanager
async def ward(seed: int = 1) -> AsyncIterator[Ward]:
    async with Line(BAUD, seed=seed) as line:
        yield Ward(line)


async def causes(there: Ward) -> list[tuple[Cause, tuple[int, ...]]]:
    return [(one.cause, one.units) for one in diagnose((await there.scan()).statistics, EXPECTED)]


def test_a_line_in_order_has_no_cause_and_every_unit_its_name() -> None:
    async def story() -> None:
        async with ward() as there:
            scanned = await there.scan()
            assert [(one.unit, one.profiles) for one in scanned.found] == [
                (17, ("wardhub/amp8",)),
                (18, ("wardhub/amp8",)),
                (20, ("waveshare/modbus-rtu-relay-8ch",)),
                (21, ("waveshare/modbus-rtu-analog-input-8ch",)),
            ]
            assert diagnose(scanned.statistics, EXPECTED) == ()
            assert there.line.stats.collided == 0
            assert not any(any(one.relays) for one in there.ours.values())

    run(story())


def quiet(_there: Ward) -> None:
    """No fault."""


def twin(there: Ward) -> None:
    there.add(Pzem016(unit=20))


def twin_of_ours(there: Ward) -> None:
    there.taps.append(CoreAmplifier("amp-17b", 17, there.line, core).tap)


def noise(there: Ward) -> None:
    there.line.ber = 8e-4


def dead(there: Ward) -> None:
    there.taps[2].cut = True


def cut(there: Ward) -> None:
    for tap in there.taps:
        tap.cut = True


def cut_with_echo(there: Ward) -> None:
    cut(there)
    there.line.echo = True


def echo(there: Ward) -> None:
    there.line.echo = True


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        (quiet, []),
        (echo, []),
        (twin, [(Cause.COLLISION, (20,))]),
        (twin_of_ours, [(Cause.COLLISION, (17,))]),
        (noise, [(Cause.NOISE, ())]),
        (dead, [(Cause.DEAD, (20,))]),
        (cut, [(Cause.SILENT_LINE, ())]),
        (cut_with_echo, [(Cause.ECHO_ONLY, ())]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_fault_has_its_cause(
    fault: Callable[[Ward], None], found: list[tuple[Cause, tuple[int, ...]]], seed: int
) -> None:
    async def story() -> None:
        async with ward(seed) as there:
            fault(there)
            assert await causes(there) == found

    run(story())


def test_noise_is_told_from_everything_else_nearly_always() -> None:
    """It is chance which units lose how much in 30 requests: 40 lines, of which two may look like one bad unit."""

    async def story(seed: int) -> bool:
        async with ward(seed) as there:
            noise(there)
            return await causes(there) == [(Cause.NOISE, ())]

    assert sum(run(story(seed)) for seed in range(1, 41)) >= 38


@pytest.mark.parametrize(("number", "unit"), [(0, 17), (2, 20)])
@pytest.mark.parametrize("rate", [one for one in BAUDRATES if one != BAUD])
def test_a_wrong_baud_rate_is_found_where_all_are_tried(number: int, unit: int, rate: int) -> None:
    async def story() -> None:
        async with ward() as there:
            there.taps[number].bauds.append(rate)
            scans = [await there.scan(baud) for baud in BAUDRATES]
            strangers = elsewhere(scans, BAUD)
            assert strangers == {unit: rate}
            here = scans[BAUDRATES.index(BAUD)]
            found = diagnose(here.statistics, EXPECTED, strangers)
            assert [(one.cause, one.units) for one in found] == [(Cause.BAUD, (unit,))]
            assert not any(any(one.relays) for one in there.ours.values())

    run(story())


@pytest.mark.parametrize("rate", [4800, 19_200])
def test_a_wrong_baud_rate_beside_noise_is_still_found(rate: int) -> None:
    async def story() -> None:
        async with ward() as there:
            noise(there)
            there.taps[2].bauds.append(rate)
            scans = [await there.scan(baud) for baud in (BAUD, rate)]
            found = diagnose(scans[0].statistics, EXPECTED, elsewhere(scans, BAUD))
            assert (found[0].cause, found[0].units) == (Cause.BAUD, (20,))

    run(story())


def test_a_port_that_is_in_use_is_left_alone() -> None:
    async def story() -> None:
        class Holder:
            def data_received(self, data: bytes) -> None:
                raise AssertionError(data)

            def connection_lost(self, reason: Exception) -> None:
                """The line ends with the test."""

        async with ward() as there:
            there.port.open("virtual", BAUD, Holder())
            with pytest.raises(LinkError, match="another program holds it"):
                await there.scan()
            await asyncio.sleep(1)

    run(story())
