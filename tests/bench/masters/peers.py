"""The masters that are measured, each behind the same two calls: read the counter, write the coils.

Peers are used as their manuals show, one attempt a call, with their own echo handling where they have one.
Whatever a call raises counts as an error that the caller is told of.
"""

from __future__ import annotations

import asyncio
import ctypes
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import serial
from pymodbus.client import AsyncModbusSerialClient, ModbusSerialClient
from pymodbus.pdu import ModbusPDU
from tests.bench.masters.slave import COUNTER, STATUS, UNIT, WORDS

from ward_hw.bus import ModbusBus, Priority
from ward_hw.drivers.nonce_dialect import NonceDialect, NonceRegisters
from ward_hw.drivers.readings import AmplifierStatus
from ward_hw.profile import load_profile

BAUDRATE = 115_200
TIMEOUT_S = 0.05
BUDGET_S = 1.0
COILS = 8
LIBMODBUS = "libmodbus.so.5"
RECOVER_LINK, RECOVER_PROTOCOL = 2, 4


class WrongAnswer(Exception):
    """The library says that the call failed, without raising."""


class Master(Protocol):
    """One way to talk to the slave."""

    async def read(self) -> int:
        """The counter, believed fresh; raises whatever says that it could not be had."""
        ...

    async def write(self, mask: int) -> None:
        """Have exactly these coils on, believed confirmed; raises otherwise."""
        ...


Opened = Callable[[str, bool], AbstractAsyncContextManager[Master]]
"""Takes the path of a tty, and whether the adapter hears itself."""


class Ours:
    """The bus owner with the dialect of our own controllers; one attempt a call, as with the others."""

    def __init__(self, bus: ModbusBus) -> None:
        profile = load_profile("wardhub/amp8")
        assert profile.register_lease
        assert profile.nonce
        assert profile.status
        registers = NonceRegisters(profile.relays, profile.register_lease, profile.nonce, profile.status)
        self._dialect = NonceDialect(bus, UNIT, registers, name="ours", clock=time.monotonic)
        self._loop = asyncio.get_running_loop()

    async def read(self) -> int:
        status = await self._dialect.renew(Priority.SAFETY, self._loop.time() + BUDGET_S)
        assert status.line_level_mv is not None  # the word that counts here
        return status.line_level_mv

    async def write(self, mask: int) -> None:
        deadline = self._loop.time() + BUDGET_S
        await self._dialect.write(_numbers(mask), Priority.COMMAND, deadline)
        status: AmplifierStatus = await self._dialect.read_fresh(Priority.COMMAND, deadline)
        if status.relays != _numbers(mask):
            raise WrongAnswer(f"read back {status.relays}")


@asynccontextmanager
async def ours(path: str, echo: bool) -> AsyncIterator[Master]:
    """Ours; it is not told of the echo, as no hub is."""
    async with ModbusBus(path, BAUDRATE, timeout=TIMEOUT_S) as bus:
        yield Ours(bus)


class PymodbusAsync:
    """AsyncModbusSerialClient."""

    def __init__(self, client: AsyncModbusSerialClient) -> None:
        self._client = client

    async def read(self) -> int:
        return _word(await self._client.read_holding_registers(STATUS, count=WORDS, device_id=UNIT))

    async def write(self, mask: int) -> None:
        _sound(await self._client.write_coils(0, _bits(mask), device_id=UNIT))


@asynccontextmanager
async def pymodbus_async(path: str, echo: bool) -> AsyncIterator[Master]:
    """A peer: pymodbus's asynchronous client."""
    client = AsyncModbusSerialClient(path, baudrate=BAUDRATE, timeout=TIMEOUT_S, retries=0, handle_local_echo=echo)
    if not await client.connect():
        raise WrongAnswer("not connected")
    try:
        yield PymodbusAsync(client)
    finally:
        client.close()


class PymodbusSync:
    """ModbusSerialClient."""

    def __init__(self, client: ModbusSerialClient) -> None:
        self._client = client

    async def read(self) -> int:
        return _word(self._client.read_holding_registers(STATUS, count=WORDS, device_id=UNIT))

    async def write(self, mask: int) -> None:
        _sound(self._client.write_coils(0, _bits(mask), device_id=UNIT))


@asynccontextmanager
async def pymodbus_sync(path: str, echo: bool) -> AsyncIterator[Master]:
    """A peer: pymodbus's blocking client."""
    client = ModbusSerialClient(path, baudrate=BAUDRATE, timeout=TIMEOUT_S, retries=0, handle_local_echo=echo)
    if not client.connect():
        raise WrongAnswer("not connected")
    try:
        yield PymodbusSync(client)
    finally:
        client.close()  # type: ignore[no-untyped-call]


class Minimal:
    """minimalmodbus.Instrument."""

    def __init__(self, port: serial.Serial, *, echo: bool) -> None:
        import minimalmodbus  # noqa: PLC0415 - of the bench's environment; tests of ours use this file without it

        self._instrument = minimalmodbus.Instrument(port, UNIT)
        self._instrument.handle_local_echo = echo

    async def read(self) -> int:
        return int(self._instrument.read_registers(STATUS, WORDS)[COUNTER])

    async def write(self, mask: int) -> None:
        self._instrument.write_bits(0, [int(bit) for bit in _bits(mask)])


@asynccontextmanager
async def minimal(path: str, echo: bool) -> AsyncIterator[Master]:
    """A peer: minimalmodbus."""
    with serial.Serial(path, BAUDRATE, timeout=TIMEOUT_S) as port:
        yield Minimal(port, echo=echo)


class Libmodbus:
    """libmodbus 3.1 through ctypes. Ref: its manual pages, modbus_set_error_recovery(3)."""

    def __init__(self, path: str, recovery: int) -> None:
        self._library = library = ctypes.CDLL(LIBMODBUS, use_errno=True)
        library.modbus_new_rtu.restype = ctypes.c_void_p
        library.modbus_strerror.restype = ctypes.c_char_p
        self._context = ctypes.c_void_p(library.modbus_new_rtu(path.encode(), BAUDRATE, ctypes.c_char(b"N"), 8, 1))
        self._words = (ctypes.c_uint16 * WORDS)()
        self._check(library.modbus_set_slave(self._context, UNIT))
        self._check(library.modbus_set_response_timeout(self._context, 0, int(TIMEOUT_S * 1e6)))
        self._check(library.modbus_set_byte_timeout(self._context, 0, int(TIMEOUT_S * 1e6)))
        self._check(library.modbus_set_error_recovery(self._context, recovery))
        self._check(library.modbus_connect(self._context))

    async def read(self) -> int:
        self._check(self._library.modbus_read_registers(self._context, STATUS, WORDS, self._words))
        return int(self._words[COUNTER])

    async def write(self, mask: int) -> None:
        bits = (ctypes.c_uint8 * COILS)(*_bits(mask))
        self._check(self._library.modbus_write_bits(self._context, 0, COILS, bits))

    def close(self) -> None:
        """Give the port and the memory back."""
        self._library.modbus_close(self._context)
        self._library.modbus_free(self._context)

    def _check(self, result: int) -> None:
        if result < 0:
            raise WrongAnswer(self._library.modbus_strerror(ctypes.get_errno()).decode())


@asynccontextmanager
async def libmodbus(path: str, echo: bool) -> AsyncIterator[Master]:
    """A peer: libmodbus as delivered, without error recovery; it knows no echo."""
    master = Libmodbus(path, 0)
    try:
        yield master
    finally:
        master.close()


@asynccontextmanager
async def libmodbus_recovering(path: str, echo: bool) -> AsyncIterator[Master]:
    """A peer: libmodbus that sleeps and flushes after each failure."""
    master = Libmodbus(path, RECOVER_LINK | RECOVER_PROTOCOL)
    try:
        yield master
    finally:
        master.close()


def _numbers(mask: int) -> frozenset[int]:
    return frozenset(number for number in range(COILS) if mask >> number & 1)


def _bits(mask: int) -> list[bool]:
    return [bool(mask >> number & 1) for number in range(COILS)]


def _sound(answer: ModbusPDU) -> ModbusPDU:
    if answer.isError():
        raise WrongAnswer(str(answer))
    return answer


def _word(answer: ModbusPDU) -> int:
    return _sound(answer).registers[COUNTER]


PEERS: dict[str, Opened] = {
    "ours": ours,
    "pymodbus sync": pymodbus_sync,
    "pymodbus async": pymodbus_async,
    "minimalmodbus": minimal,
    "libmodbus": libmodbus,
    "libmodbus recovering": libmodbus_recovering,
}
