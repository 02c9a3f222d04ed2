"""Tier C: the amplifier's unchanged main.py on a simulated line, its dead-man, its watchdog, its power."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.firmware.clients import ModbusClient, until

from ward_protocol.portable import reset_cause
from ward_protocol.portable.amplifier_reading import TRIP_NAMES, flags_in
from ward_protocol.portable.crc16 import seal
from ward_sim.devices.amplifier import SimAmplifier
from ward_sim.line import Line
from ward_sim.line.habits import Torn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.usefixtures("micropython")

BAUD = 115200
CLOSE_0_AND_2 = "0F 0000 0008 01 05"
SHORT_LEASE = "06 0000 01F4"


class Site:
    """Two amplifiers and a master on one line."""

    def __init__(self, line: Line, master: ModbusClient, amplifiers: list[SimAmplifier], moves: list[str]) -> None:
        self.line = line
        self.master = master
        self.one, self.two = amplifiers
        self.moves = moves


@contextlib.asynccontextmanager
async def started(seed: int = 1) -> AsyncIterator[Site]:
    moves: list[str] = []

    def moved(amplifier: SimAmplifier, relay: int, closed: bool) -> None:
        moves.append(f"{amplifier.name}/{relay}{'+' if closed else '-'}")

    async with Line(BAUD, seed=seed) as line, contextlib.AsyncExitStack() as stack:
        amplifiers = [
            await stack.enter_async_context(SimAmplifier(name, unit, line, on_change=moved))
            for unit, name in enumerate(("one", "two"), start=1)
        ]
        with ModbusClient(line) as master:
            yield Site(line, master, amplifiers, moves)


async def test_answers_for_itself_on_a_shared_line() -> None:
    async with started() as site:
        for unit in (1, 2, 2, 1):
            status = await site.master.status(unit)
            assert status.reset_cause == reset_cause.POWER_ON
        await site.master.ask(1, CLOSE_0_AND_2)
        await until(lambda: site.one.relays[:3] == (True, False, True), "the relays follow")
        assert not any(site.two.relays)
        assert site.moves == ["one/0+", "one/2+"]


async def test_sees_its_sensors_and_the_supply_it_switches() -> None:
    async with started() as site:
        site.one.set_line_level(12_345)
        site.one.set_temperature(-55)
        status = await site.master.status(1)
        assert (status.line_mv, status.supply_cv, status.temperature_dc) == (0, 0, -55)
        await site.master.ask(1, CLOSE_0_AND_2)
        await until(lambda: site.one.relays[0], "the supply relay closes")
        await asyncio.sleep(0.05)  # the world's answer travels to the controller
        status = await site.master.status(1)
        assert (status.line_mv, status.supply_cv) == (12_345, 2400)


async def test_silence_opens_every_relay_and_reading_does_not_prevent_it() -> None:
    async with started() as site:
        await site.master.ask(1, SHORT_LEASE)
        await site.master.ask(1, CLOSE_0_AND_2)
        began = site.line.loop.time()
        while any(site.one.relays) and site.line.loop.time() - began < 20:
            await site.master.status(1)
        assert not any(site.one.relays)
        assert (await site.master.status(1)).trips == 1


async def test_a_master_that_writes_keeps_it_on() -> None:
    async with started() as site:
        await site.master.ask(1, SHORT_LEASE)
        await site.master.ask(1, CLOSE_0_AND_2)
        for _ in range(8):
            await asyncio.sleep(0.1)
            await site.master.ask(1, "17 0100 000C 0002 0001 02 0001")
        assert site.one.relays[0]
        assert (await site.master.status(1)).trips == 0


async def test_broadcast_reaches_both_and_nobody_answers() -> None:
    async with started() as site:
        await site.master.ask(1, CLOSE_0_AND_2)
        await site.master.ask(2, CLOSE_0_AND_2)
        os.write(site.master.fd, seal(bytes.fromhex("00 0F 0000 0008 01 00")))
        await until(lambda: not any(site.one.relays + site.two.relays), "both let go")
        assert site.master.received() == b""


async def test_a_hang_ends_in_a_watchdog_restart_with_everything_off() -> None:
    async with started() as site:
        await site.master.ask(1, CLOSE_0_AND_2)
        await until(lambda: site.one.relays[0], "closed")
        site.one.hang()
        await until(lambda: site.one.restarts == 1, "the watchdog bites")
        assert not any(site.one.relays)
        status = await site.master.status(1)
        assert (status.reset_cause, status.relays) == (reset_cause.WATCHDOG, 0)
        assert site.two.restarts == 0


async def test_a_firmware_that_fails_opens_everything_before_its_watchdog_does() -> None:
    async with started() as site:
        await site.master.ask(1, CLOSE_0_AND_2)
        await until(lambda: site.one.relays[0], "closed")
        site.one.controller.break_down()
        await until(lambda: not any(site.one.relays), "it lets go")
        assert (site.one.alive, site.one.restarts) == (True, 0)
        await until(lambda: site.one.restarts == 1, "the watchdog bites")
        assert "ValueError" in site.one.controller.last_words
        status = await site.master.status(1)
        assert (status.reset_cause, status.relays) == (reset_cause.WATCHDOG, 0)


async def test_a_power_cut_opens_everything_and_power_brings_it_back() -> None:
    async with started() as site:
        await site.master.ask(1, CLOSE_0_AND_2)
        await until(lambda: site.one.relays[0], "closed")
        await site.one.kill()
        assert (site.one.alive, any(site.one.relays)) == (False, False)
        await site.one.start()
        assert (site.one.alive, site.one.restarts) == (True, 0)
        status = await site.master.status(1)
        assert (status.reset_cause, status.relays) == (reset_cause.POWER_ON, 0)


async def test_a_request_that_stops_in_its_middle_does_nothing_and_a_short_pause_is_none() -> None:
    async with started() as site:
        torn = Torn(seconds=0.02)
        site.master.station.habits.append(torn)
        for _ in range(5):
            os.write(site.master.fd, seal(bytes.fromhex(f"01 {CLOSE_0_AND_2}")))
            await asyncio.sleep(0.05)
        assert (site.master.received(), any(site.one.relays)) == (b"", False)
        site.master.station.habits.remove(torn)
        assert (await site.master.status(1)).frames_bad >= 5
        site.master.station.habits.append(Torn(seconds=700e-6))
        await site.master.ask(1, CLOSE_0_AND_2)
        assert (await site.master.status(1)).relays == 0b101


async def test_works_through_a_noisy_line() -> None:
    async with started(seed=5) as site:
        site.line.ber, site.line.drop, site.line.insert = 0.001, 0.002, 0.002
        for round_ in range(30):
            mask = round_ % 256
            await site.master.ask(1, f"0F 0000 0008 01 {mask:02X}")
            assert (await site.master.ask(1, "01 0000 0008"))[2] in {mask, 0}
        stats = site.line.stats
        assert stats.flipped + stats.dropped + stats.inserted > 0
        site.line.ber = site.line.drop = site.line.insert = 0.0
        assert (await site.master.status(1)).frames_bad > 0


async def test_too_much_current_on_a_zone_opens_everything_until_it_is_opened_by_hand() -> None:
    async with started() as site:
        site.one.set_line_level(20_000)
        site.one.set_leak(15_000)
        await site.master.ask(1, CLOSE_0_AND_2)
        await until(lambda: site.one.relays[0] and site.one.relays[2], "closed")
        await until(lambda: not any(site.one.relays), "it trips")
        status = await site.master.status(1)
        assert (status.current_trips, TRIP_NAMES[status.last_trip], status.flags >> 8) == (1, "current", 0xFF)
        site.one.set_leak(0)
        await asyncio.sleep(0.3)
        await site.master.ask(1, CLOSE_0_AND_2)
        assert not any(site.one.relays)
        await site.master.ask(1, "0F 0000 0008 01 00")
        await site.master.ask(1, CLOSE_0_AND_2)
        await until(lambda: site.one.relays[0] and site.one.relays[2], "closed again")
        await asyncio.sleep(0.3)  # the current of the moment travels to the controller
        status = await site.master.status(1)
        # 20 V over 50 ohms are 8 W; at 24 V and 80 % they draw 417 mA, and the amplifier itself 350.
        assert status.current_ma == pytest.approx(767, abs=2)


async def test_heat_opens_everything_and_forbids_closing_while_it_lasts() -> None:
    async with started() as site:
        await site.master.ask(1, CLOSE_0_AND_2)
        await until(lambda: site.one.relays[0], "closed")
        site.one.set_temperature(900)
        await until(lambda: not any(site.one.relays), "it trips")
        assert await site.master.ask(1, CLOSE_0_AND_2) == b"\x8f\x04"
        status = await site.master.status(1)
        assert (status.temperature_trips, "over_temperature" in flags_in(status)) == (1, True)


async def test_a_brown_out_opens_everything() -> None:
    async with started() as site:
        await site.master.ask(1, "06 0008 07D0")  # 20 V at least
        await site.master.ask(1, CLOSE_0_AND_2)
        await until(lambda: site.one.relays[0], "closed")
        site.one.set_mains(15_000)
        await until(lambda: not any(site.one.relays), "it trips")
        assert (await site.master.status(1)).voltage_trips == 1


CONFIGURED = "10 0202 0002 04 01F4 0064"  # lease and longest on-time after a reset
STORE = "06 020A 5AFE"


async def test_a_configuration_outlives_power_and_starts_are_counted() -> None:
    async with started() as site:
        await site.master.ask(1, CONFIGURED)
        await site.master.ask(1, STORE)
        for boots in (2, 3):
            await site.one.kill()
            await site.one.start()
            assert await site.master.ask(1, "03 0000 0002") == bytes.fromhex("03 04 01F4 0064")
            status = await site.master.status(1)
            assert (status.boots, flags_in(status) & CONFIG_FLAGS) == (boots, frozenset())
        assert (await site.master.status(2)).boots == 1


CONFIG_FLAGS = {"config_default", "config_damaged", "config_waiting"}


@pytest.mark.parametrize("damage", [b"", b"W1\0\0\0\1 half a rec", b"\xff" * 50], ids=["empty", "torn", "worn"])
async def test_a_damaged_configuration_leaves_it_at_its_number_with_defaults_and_a_flag(damage: bytes) -> None:
    async with started() as site:
        await site.master.ask(1, CONFIGURED)
        await site.master.ask(1, STORE)
        await site.one.kill()
        flash = site.one.controller.flash
        assert flash is not None
        (record,) = flash.glob("config.*")
        record.write_bytes(damage)
        await site.one.start()
        assert await site.master.ask(1, "03 0000 0002") == bytes.fromhex("03 04 0BB8 0E10")
        assert flags_in(await site.master.status(1)) & CONFIG_FLAGS == {"config_default", "config_damaged"}
        assert await site.master.ask(1, STORE) == bytes.fromhex("06 020A 5AFE")
        assert flags_in(await site.master.status(1)) & CONFIG_FLAGS == {"config_default"}


async def test_a_power_cut_at_a_commit_leaves_the_configuration_before() -> None:
    async with started() as site:
        for value in ("01F4", "0258"):
            await site.master.ask(1, f"06 0202 {value}")
            await site.master.ask(1, STORE)
        await site.one.kill()
        flash = site.one.controller.flash
        assert flash is not None
        newest = flash / "config.1"
        newest.write_bytes(newest.read_bytes()[:20])
        await site.one.start()
        assert await site.master.ask(1, "03 0000 0001") == bytes.fromhex("03 02 01F4")
        assert flags_in(await site.master.status(1)) & CONFIG_FLAGS == {"config_damaged"}


async def test_a_flash_that_is_full_stops_nothing() -> None:
    async with started() as site:
        flash = site.one.controller.flash
        assert flash is not None
        await site.one.kill()
        for name in ("starts.0", "starts.1", "config.0", "config.1"):
            (flash / name).unlink(missing_ok=True)
            (flash / name).mkdir()  # cannot be opened for writing
        await site.one.start()
        assert (await site.master.status(1)).boots == 1
        assert await site.master.ask(1, STORE) == b"\x86\x04"
        await site.master.ask(1, CLOSE_0_AND_2)
        await until(lambda: site.one.relays[0], "it serves all the same")


async def test_a_restart_on_request_says_so_and_opens_nothing_by_surprise() -> None:
    async with started() as site:
        await site.master.ask(1, CLOSE_0_AND_2)
        assert await site.master.ask(1, "06 020A B007") == b"\x86\x04"
        await site.master.ask(1, "0F 0000 0008 01 00")
        assert await site.master.ask(1, "06 020A B007") == bytes.fromhex("06 020A B007")
        await until(lambda: site.one.restarts == 1, "it restarts")
        assert (await site.master.status(1)).reset_cause == reset_cause.SOFT


async def test_ctrl_c_restarts_it_into_the_prompt_once_with_everything_open() -> None:
    async with started() as site:
        await site.master.ask(1, CLOSE_0_AND_2)
        await until(lambda: site.one.relays[0], "closed")
        pid, flash = site.one.controller.pid, site.one.controller.flash
        assert pid is not None
        assert flash is not None
        os.kill(pid, signal.SIGINT)
        await until(lambda: site.one.restarts >= 1, "it restarts")
        assert not any(site.one.relays)
        # It waits for a second one, which ends at the prompt: here, at the end of the process. Then it runs as ever.
        await until(lambda: site.one.alive and site.one.controller.pid not in {None, pid}, "it waits")
        await asyncio.sleep(0.3)
        assert site.one.restarts == 1
        os.kill(site.one.controller.pid or 0, signal.SIGINT)
        await until(lambda: site.one.restarts == 2 and site.one.alive, "it was at the prompt")
        assert (await site.master.status(1)).relays == 0
        assert not (flash / "hold").exists()
        assert (await site.master.status(1)).boots == 2  # the one at the prompt served nobody


async def test_a_wrong_setting_stops_it_with_words_and_relays_open() -> None:
    async with Line(BAUD, seed=1) as line, SimAmplifier("wrong", 300, line, on_change=lambda *_: None) as amplifier:
        await until(lambda: amplifier.restarts > 0, "it cannot run")
        assert "settings.json: unit: 300 is out of range" in amplifier.controller.last_words
        assert not any(amplifier.relays)


async def test_an_error_of_the_body_comes_out_as_it_is() -> None:
    async with Line(BAUD, seed=1) as line:
        with pytest.raises(LookupError, match=r"^the body's own$"):
            async with SimAmplifier("one", 1, line, on_change=lambda *_: None):
                raise LookupError("the body's own")


HOST = """
import asyncio, sys
from ward_sim.devices.amplifier import SimAmplifier
from ward_sim.line import Line

async def main():
    async with Line(115200, seed=1) as line, SimAmplifier("one", 1, line, on_change=lambda *_: None) as one:
        print(one.controller.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_controller_does_not_outlive_a_killed_simulator() -> None:
    host = await asyncio.create_subprocess_exec(sys.executable, "-c", HOST, stdout=asyncio.subprocess.PIPE)
    assert host.stdout is not None
    async with asyncio.timeout(60):
        pid = int(await host.stdout.readline())
    host.kill()
    await host.wait()
    await until(lambda: _gone(pid), "the controller ends")


def _gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"  # ended, and nobody in this container collects orphans
