"""The amplifier seen by mbpoll (libmodbus), a client that knows nothing of this project."""

from __future__ import annotations

import asyncio

import pytest
from tests.firmware.clients import until

from ward_sim.devices.amplifier import SimAmplifier
from ward_sim.line import Line

pytestmark = [pytest.mark.capability("mbpoll"), pytest.mark.usefixtures("micropython")]

UNIT = 17
BAUD = 19200


async def mbpoll(path: str, options: str, *values: int) -> str:
    """Output of one transaction, which must succeed; `values` are written, none means reading."""
    command = f"mbpoll -m rtu -a {UNIT} -b {BAUD} -P none -0 -1 -q -o 5 {options}".split()
    process = await asyncio.create_subprocess_exec(
        *command,
        path,
        *map(str, values),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


def numbers(output: str) -> dict[int, int]:
    """Register or coil address to value, from lines like `[3]: 	1`."""
    lines = [line.partition("]:") for line in output.splitlines() if line.startswith("[")]
    return {int(address[1:]): int(value.split()[0]) for address, _, value in lines}


async def test_mbpoll_drives_every_table() -> None:
    async with (
        Line(BAUD, seed=1) as line,
        SimAmplifier("amplifier", UNIT, line, on_change=lambda *_: None) as amplifier,
    ):
        path = line.station("hub").path
        assert numbers(await mbpoll(path, "-t 4 -r 0 -c 3")) == {0: 3000, 1: 3600, 2: 0}
        await mbpoll(path, "-t 4 -r 0", 10_000, 60)
        assert numbers(await mbpoll(path, "-t 4 -r 0 -c 2")) == {0: 10_000, 1: 60}
        await mbpoll(path, "-t 4 -r 2", 4711)
        await mbpoll(path, "-t 0 -r 0", 1, 0, 1)
        await until(lambda: amplifier.relays[:3] == (True, False, True), "mbpoll closes relays")
        assert numbers(await mbpoll(path, "-t 0 -r 0 -c 8")) == dict(enumerate((1, 0, 1, 0, 0, 0, 0, 0)))
        status = numbers(await mbpoll(path, "-t 3 -r 0 -c 12"))
        assert (status[0], status[1], status[3]) == (4711, 0b101, 2400)
        assert numbers(await mbpoll(path, "-t 4 -r 256 -c 2")) == {256: 4711, 257: 0b101}
        await mbpoll(path, "-t 0 -r 0", 0)
        await until(lambda: not amplifier.relays[0], "mbpoll opens a relay")
