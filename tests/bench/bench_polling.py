"""Polling 64 units at 19,200 baud: share of the line's capacity, what 8 dead units cost the others, processor time.

Capacity is what bytes, two silences of t3.5 (before a request; a unit's before its answer) and nothing else allow. The
line is simulated in a process of its own, in real time. One task a unit asks for the whole status (FC 4) again and
again, as a poll. The peer asks the same units the same thing, one after another. It keeps no silence before a request,
and is measured with the silence that the standard asks for as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import mean, median

from pymodbus.client import AsyncModbusSerialClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu.register_message import ReadInputRegistersRequest
from tests.bench.harness import Row

from ward_hw.bus import ModbusBus, Priority
from ward_hw.errors import LinkError

BAUDRATE = 19_200
UNITS = 64
DEAD = 8
WORDS = 12
SECONDS, DEAD_SECONDS = 10.0, 60.0
ROUNDS = 3
SETTLE_S = 60.0  # after which dead units are asked rarely
BITS = 10
T35_S = 38.5 / BAUDRATE
REQUEST, ANSWER = 8, 5 + 2 * WORDS


def capacity() -> float:
    """Transactions a second that the line allows."""
    return 1 / ((REQUEST + ANSWER) * BITS / BAUDRATE + 2 * T35_S)


async def rows() -> AsyncIterator[Row]:
    """Yield rates against the limits, and processor time against the peer's."""
    with crowd_on_a_line(UNITS) as path:
        rounds = [
            (await ours(path, settle_s=2.0), await peer(path, 0.0), await peer(path, T35_S)) for _ in range(ROUNDS)
        ]
    with crowd_on_a_line(UNITS - DEAD) as path:
        some_dead = await ours(path, settle_s=SETTLE_S, seconds=DEAD_SECONDS)
    alive = [sum(counts) for counts in zip(*(mine.answered for mine, _, _ in rounds), strict=True)]
    rate = sum(alive) / SECONDS / ROUNDS
    yield Row("64 units polled, transactions", "1/s", rate, capacity(), "limit: the line's capacity")
    theirs = median(sum(each.answered) for _, each, _ in rounds) / SECONDS
    yield Row("the same by pymodbus async, without silence before a request", "1/s", theirs, capacity(), "the same")
    before = sum(alive[: UNITS - DEAD]) / (UNITS - DEAD) / SECONDS / ROUNDS
    after = [count / DEAD_SECONDS for count in some_dead.answered[: UNITS - DEAD]]
    yield Row("rate of each of 56 while 8 are dead, mean", "1/s", mean(after), before, "all alive; limit: ratio 0.9")
    yield Row("the slowest of those 56", "1/s", min(after), before, "all alive; limit: ratio 0.9")
    cpu = median(mine.cpu_us for mine, _, _ in rounds)
    bare, silent = (median(each.cpu_us for each in column) for column in list(zip(*rounds, strict=True))[1:])
    yield Row("processor time a transaction", "µs", cpu, bare, "pymodbus async")
    yield Row("processor time a transaction", "µs", cpu, silent, "pymodbus async that waits for t3.5, as it must")


@dataclass(frozen=True, slots=True)
class Polled:
    """Answers of each unit, and processor time of each transaction in µs."""

    answered: list[int]
    cpu_us: float


@contextmanager
def crowd_on_a_line(alive: int) -> Iterator[str]:
    """Run the line with that many units answering; gives the path of its tty."""
    command = [sys.executable, "-m", "tests.bench.masters.crowd", str(BAUDRATE), str(alive)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


async def ours(path: str, *, settle_s: float, seconds: float = SECONDS) -> Polled:
    """One task a unit, counted for `seconds` from `settle_s` on."""
    counts = [0] * UNITS
    async with ModbusBus(path, BAUDRATE) as bus:
        tasks = [asyncio.create_task(_poll(bus, number, counts)) for number in range(UNITS)]
        await asyncio.sleep(settle_s)
        before, cpu = list(counts), time.process_time()
        await asyncio.sleep(seconds)
        cpu = time.process_time() - cpu
        answered = [after - early for early, after in zip(before, counts, strict=True)]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    return Polled(answered, cpu / sum(answered) * 1e6)


async def _poll(bus: ModbusBus, number: int, counts: list[int]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        pdu = ReadInputRegistersRequest(address=0, count=WORDS)
        with contextlib.suppress(LinkError):
            await bus.request(pdu, unit=number + 1, deadline=loop.time() + 10.0, priority=Priority.POLL)
            counts[number] += 1


async def peer(path: str, silence_s: float) -> Polled:
    """Pymodbus's asynchronous client, with so much silence before each request."""
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    client = AsyncModbusSerialClient(path, baudrate=BAUDRATE, timeout=0.3, retries=0)
    await asyncio.sleep(1.0)  # an answer to whoever was here before has come
    if not await client.connect():
        raise ConnectionError(path)
    asked, answered = 0, [0] * UNITS
    began, cpu = time.monotonic(), time.process_time()
    while time.monotonic() - began < SECONDS:
        unit = asked % UNITS
        asked += 1
        if silence_s:
            await asyncio.sleep(silence_s)
        with contextlib.suppress(ModbusException):
            await client.read_input_registers(0, count=WORDS, device_id=unit + 1)
            answered[unit] += 1
    cpu = time.process_time() - cpu
    client.close()
    return Polled(answered, cpu / sum(answered) * 1e6)
