"""The drivers against the real firmware under MicroPython, over a pty and a line with real baud timing.

In real time, hence short; what must hold at any timing is held on the virtual line.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from ward_hw.bus import ModbusBus, Priority
from ward_hw.drivers.amplifier import Amplifier
from ward_hw.drivers.board import Bitmap, Board, Show, Window
from ward_hw.drivers.dialect import Interlock
from ward_hw.errors import LinkError, Unconfirmed
from ward_hw.profile import load_profile
from ward_sim.devices.amplifier import SimAmplifier
from ward_sim.devices.board import SimBoard
from ward_sim.line import Line

pytestmark = pytest.mark.capability("micropython")
HANG_GUARD_S = 20.0


def closed(amplifier: SimAmplifier) -> set[int]:
    return {number for number, on in enumerate(amplifier.relays) if on}


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + HANG_GUARD_S
    while not condition() and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    assert condition()


@pytest.mark.parametrize("baudrate", [9_600, 19_200, 115_200])
async def test_relays_obey_and_are_read_back(baudrate: int) -> None:
    moves: list[tuple[str, int, bool]] = []
    async with Line(baudrate, seed=1) as line:
        one, two = (
            SimAmplifier(f"amp-{unit}", unit, line, on_change=lambda amp, n, on: moves.append((amp.name, n, on)))
            for unit in (1, 2)
        )
        profile = load_profile("wardhub/amp8")
        async with one, two, ModbusBus(line.station("hub").path, baudrate) as bus:
            drivers = [Amplifier(f"amp-{unit}", bus, unit, profile, clock=time.monotonic) for unit in (1, 2)]
            async with asyncio.timeout(HANG_GUARD_S):
                for driver in drivers:
                    await driver.configure()
                for wanted in ({0}, {0, 1, 2}, set(range(8)), {0, 4}):
                    for driver, device in zip(drivers, (one, two), strict=True):
                        reading = await driver.set_relays(frozenset(wanted), priority=Priority.EMERGENCY)
                        assert reading.relays == wanted == closed(device)
                one.set_line_level(20_000)
                one.set_temperature(-105)
                status = await drivers[0].read()
                assert status.relays == {0, 4}
                assert status.line_level_mv == pytest.approx(20_000, rel=0.01)
                assert status.supply_mv == pytest.approx(24_000, rel=0.01)
                assert status.temperature_dc == pytest.approx(-105, abs=2)
                assert 0 < (status.lease_left_ms or 0) <= 3000
                assert status.reset_cause == 1
                for driver, device in zip(drivers, (one, two), strict=True):
                    await driver.set_relays(frozenset())
                    assert closed(device) == set()
    assert {name for name, _, _ in moves} == {"amp-1", "amp-2"}


async def test_the_controller_keeps_the_interlock_that_the_driver_sets() -> None:
    async with Line(19_200, seed=1) as line:
        device = SimAmplifier("amp-1", 1, line, on_change=lambda *_: None)
        lock = Interlock(frozenset({0}), frozenset({1, 2}), 600)
        profile = load_profile("wardhub/amp8")
        async with device, ModbusBus(line.station("hub").path, 19_200) as bus, asyncio.timeout(HANG_GUARD_S):
            driver = Amplifier("amp-1", bus, 1, profile, clock=time.monotonic, interlock=lock)
            await driver.configure()
            with pytest.raises(Unconfirmed, match="exception 4"):
                await driver.set_relays(frozenset({0, 1}))
            assert closed(device) == {0}  # warming up
            await asyncio.sleep(0.7)
            assert (await driver.set_relays(frozenset({0, 1}))).relays == {0, 1} == closed(device)
            await driver.set_relays(frozenset())
            assert closed(device) == set()


async def test_a_noisy_line_costs_time_and_never_the_truth() -> None:
    async with Line(115_200, ber=2e-3, drop=2e-3, insert=2e-3, seed=5) as line:
        device = SimAmplifier("amp-1", 1, line, on_change=lambda *_: None)
        async with device, ModbusBus(line.station("hub").path, 115_200, timeout=0.05) as bus:
            driver = Amplifier("amp-1", bus, 1, load_profile("wardhub/amp8"), clock=time.monotonic)
            confirmed = 0
            async with asyncio.timeout(HANG_GUARD_S):
                for number in range(60):
                    wanted = {number % 8}
                    try:
                        reading = await driver.set_relays(frozenset(wanted))
                    except Unconfirmed:
                        continue
                    confirmed += 1
                    assert reading.relays == wanted == closed(device)
            assert confirmed > 30
            assert line.stats.flipped + line.stats.dropped + line.stats.inserted > 10


async def test_after_a_power_cut_relays_are_open_and_the_driver_finds_the_controller_again() -> None:
    async with Line(19_200, seed=1) as line:
        device = SimAmplifier("amp-1", 1, line, on_change=lambda *_: None)
        async with device, ModbusBus(line.station("hub").path, 19_200) as bus:
            driver = Amplifier("amp-1", bus, 1, load_profile("wardhub/amp8"), clock=time.monotonic)
            await driver.set_relays(frozenset({0, 1}))
            await device.kill()
            assert closed(device) == set()
            with pytest.raises(LinkError):
                await driver.renew(budget_s=0.5)
            await device.start()
            async with asyncio.timeout(HANG_GUARD_S):
                while True:
                    try:
                        status = await driver.renew()
                        break
                    except LinkError:
                        continue
            assert status.relays == frozenset()


async def test_the_lease_ends_when_the_bus_owner_is_gone() -> None:
    async with Line(115_200, seed=1) as line:
        device = SimAmplifier("amp-1", 1, line, on_change=lambda *_: None)
        async with device:
            async with ModbusBus(line.station("hub").path, 115_200) as bus:
                driver = Amplifier("amp-1", bus, 1, load_profile("wardhub/amp8"), clock=time.monotonic, lease_ms=500)
                await driver.configure()
                await driver.set_relays(frozenset({0, 1}))
            await until(lambda: closed(device) == set())


async def test_what_the_driver_proves_shines_on_the_panel() -> None:
    async with Line(115_200, seed=1) as line:
        device = SimBoard("board-1", 2, 1, line, on_frame=lambda *_: None)
        board = Board("board-1", line.station("hub").path, 115_200, clock=time.monotonic)
        async with device, board, asyncio.timeout(HANG_GUARD_S):
            ident = await board.ident()
            assert (ident.width, ident.height) == (device.width, device.height) == (64, 16)
            pixels = bytes(range(128))
            await board.show(Show(1, (Window(Bitmap(64, 16, pixels), 0, 0, 64, 16),), 10_000))
            evidence = await board.verify()
            assert evidence.matches
            await until(lambda: device.frame == pixels)
            moving = Window(Bitmap(200, 16, bytes(range(200)) * 2), 0, 0, 64, 16, scroll_px_s=60)
            await board.show(Show(2, (moving,), 10_000))
            assert all([(await board.verify()).matches for _ in range(10)])
            await board.blank()
            assert (await board.verify()).matches
            await until(lambda: not any(device.frame))


async def test_a_pulled_adapter_is_used_again_when_it_is_back() -> None:
    """A pty that disappears and comes back at the same path, as a USB adapter does behind a udev link."""
    async with Line(115_200, seed=1) as line:
        device = SimAmplifier("amp-1", 1, line, on_change=lambda *_: None)
        station = line.station("hub")
        async with device, ModbusBus(station.path, 115_200) as bus:
            driver = Amplifier("amp-1", bus, 1, load_profile("wardhub/amp8"), clock=time.monotonic)
            await driver.set_relays(frozenset({0}))
            station.unplug()
            with pytest.raises(LinkError):
                await driver.renew(budget_s=0.3)
            station.plug()
            async with asyncio.timeout(HANG_GUARD_S):
                reading = await driver.set_relays(frozenset({0, 3}), budget_s=HANG_GUARD_S)
            assert reading.relays == {0, 3} == closed(device)
