"""Three Modbus masters behind one interface: mbpoll, libmodbus, and our own bus. They share no code.

Each call is one transaction. A list of values comes back from a read, an empty one from a write. An exception answer
raises `Exceptional`, no answer `Silent`.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
from collections.abc import Callable
from typing import Protocol, Self

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu import bit_message as bits
from pymodbus.pdu import register_message as registers

from ward_hw.bus import ModbusBus
from ward_hw.errors import LinkTimeout, PeerError

ANSWER_S = 0.5
GUARD_S = 60
LIBRARY = "libmodbus.so.5"
_EXCEPTION_BASE = 112345678  # Ref: modbus.h, MODBUS_ENOBASE; an exception code is added to it


class Exceptional(Exception):
    """The unit answered with a Modbus exception."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code}")
        self.code = code


class Silent(Exception):
    """Nobody answered."""


class Master(Protocol):
    """One master on the tty `path`; `unit` may be 0 in writes."""

    async def read(self, function: int, first: int, count: int) -> list[int]:
        """Functions 1 to 4."""
        ...

    async def write(self, function: int, first: int, values: list[int]) -> None:
        """Functions 5, 6, 15, 16."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...


# By function: mbpoll's tables. It chooses the function of a write by the number of values.
_TABLES = {1: 0, 2: 1, 3: 4, 4: 3, 5: 0, 15: 0, 6: 4, 16: 4}
# What it says of exceptions. Ref: libmodbus, modbus.c, modbus_strerror.
_WORDS = ("Illegal function", "Illegal data address", "Illegal data value", "Slave device or server failure")


class Mbpoll:
    """The program mbpoll, one process for each transaction. Ref: mbpoll(1)."""

    def __init__(self, path: str, baud: int, unit: int) -> None:
        options = f"mbpoll -m rtu -a {unit} -b {baud} -P none -0 -1 -q -o {ANSWER_S}"
        self._command = options.split()
        self._path = path

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def read(self, function: int, first: int, count: int) -> list[int]:
        output = await self._run("-t", _TABLES[function], "-r", first, "-c", count, self._path)
        lines = [line.partition("]:") for line in output.splitlines() if line.startswith("[")]
        return [int(value.split()[0]) for _, _, value in lines]

    async def write(self, function: int, first: int, values: list[int]) -> None:
        assert (len(values) == 1) == (function in {5, 6}), "mbpoll would use another function"
        await self._run("-t", _TABLES[function], "-r", first, self._path, *values)

    async def _run(self, *arguments: object) -> str:
        process = await asyncio.create_subprocess_exec(
            *self._command, *map(str, arguments), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        async with asyncio.timeout(GUARD_S):
            said = (await process.communicate())[0].decode()
        if process.returncode == 0:
            return said
        for code, words in enumerate(_WORDS, 1):
            if words in said:
                raise Exceptional(code)
        assert "timed out" in said, said
        raise Silent


class Libmodbus:
    """The library libmodbus by ctypes, with its own error recovery off. Ref: libmodbus(7)."""

    def __init__(self, path: str, baud: int, unit: int) -> None:
        self._library = ctypes.CDLL(LIBRARY, use_errno=True)
        self._library.modbus_new_rtu.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._library.modbus_new_rtu(path.encode(), baud, ctypes.c_char(b"N"), 8, 1))
        self._library.modbus_set_slave(self._context, unit)
        self._library.modbus_set_response_timeout(self._context, 0, round(ANSWER_S * 1e6))

    async def __aenter__(self) -> Self:
        assert self._library.modbus_connect(self._context) == 0
        return self

    async def __aexit__(self, *_: object) -> None:
        self._library.modbus_close(self._context)
        self._library.modbus_free(self._context)

    async def read(self, function: int, first: int, count: int) -> list[int]:
        name = {1: "read_bits", 2: "read_input_bits", 3: "read_registers", 4: "read_input_registers"}[function]
        found = (ctypes.c_uint8 * count)() if function < 3 else (ctypes.c_uint16 * count)()
        await self._call(getattr(self._library, f"modbus_{name}"), first, count, found)
        return list(found)

    async def write(self, function: int, first: int, values: list[int]) -> None:
        if function in {5, 6}:
            name = "write_bit" if function == 5 else "write_register"
            await self._call(getattr(self._library, f"modbus_{name}"), first, values[0])
        elif function == 15:
            await self._call(self._library.modbus_write_bits, first, len(values), bytes(values))
        else:
            array = (ctypes.c_uint16 * len(values))(*values)
            await self._call(self._library.modbus_write_registers, first, len(values), array)

    async def write_and_read(self, first: int, values: list[int], read_first: int, count: int) -> list[int]:
        """Function 23."""
        found = (ctypes.c_uint16 * count)()
        array = (ctypes.c_uint16 * len(values))(*values)
        call = self._library.modbus_write_and_read_registers
        await self._call(call, first, len(values), array, read_first, count, found)
        return list(found)

    async def raw(self, request: bytes) -> bytes:
        """Send address and PDU as they are, CRC by the library; the answer's PDU. For short answers only."""
        await self._call(self._library.modbus_send_raw_request, request, len(request))
        answer = ctypes.create_string_buffer(260)
        size = await self._call(self._library.modbus_receive_confirmation, answer)
        return answer.raw[1 : size - 2]

    async def _call(self, function: Callable[..., int], *arguments: object) -> int:
        result, number = await asyncio.to_thread(self._blocking, function, arguments)
        if result >= 0:
            return result
        if 0 < number - _EXCEPTION_BASE < 16:
            raise Exceptional(number - _EXCEPTION_BASE)
        assert number == errno.ETIMEDOUT, f"errno {number}"
        raise Silent

    def _blocking(self, function: Callable[..., int], arguments: tuple[object, ...]) -> tuple[int, int]:
        result = function(self._context, *arguments)
        return result, ctypes.get_errno()


_READS: dict[int, Callable[..., ModbusPDU]] = {
    1: bits.ReadCoilsRequest,
    2: bits.ReadDiscreteInputsRequest,
    3: registers.ReadHoldingRegistersRequest,
    4: registers.ReadInputRegistersRequest,
}


class OurBus:
    """The bus owner that the hub uses."""

    def __init__(self, path: str, baud: int, unit: int) -> None:
        self._bus = ModbusBus(path, baud, timeout=ANSWER_S)
        self._unit = unit

    async def __aenter__(self) -> Self:
        await self._bus.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._bus.__aexit__(None, None, None)

    async def read(self, function: int, first: int, count: int) -> list[int]:
        answer = await self._ask(_READS[function](address=first, count=count))
        return [int(bit) for bit in answer.bits[:count]] if function < 3 else list(answer.registers)

    async def write(self, function: int, first: int, values: list[int]) -> None:
        if function == 5:
            pdu: ModbusPDU = bits.WriteSingleCoilRequest(address=first, bits=[bool(values[0])])
        elif function == 15:
            pdu = bits.WriteMultipleCoilsRequest(address=first, bits=[bool(value) for value in values])
        elif function == 6:
            pdu = registers.WriteSingleRegisterRequest(address=first, registers=values)
        else:
            pdu = registers.WriteMultipleRegistersRequest(address=first, registers=values)
        if self._unit:
            await self._ask(pdu)
        else:
            await self._bus.broadcast(pdu, deadline=asyncio.get_running_loop().time() + GUARD_S)
            raise Silent

    async def _ask(self, pdu: ModbusPDU) -> ModbusPDU:
        deadline = asyncio.get_running_loop().time() + GUARD_S
        try:
            return await self._bus.request(pdu, unit=self._unit, deadline=deadline)
        except PeerError as error:
            raise Exceptional(error.code or 0) from error
        except LinkTimeout as error:
            raise Silent from error
