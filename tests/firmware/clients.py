"""Bare clients on a line's tty, independent of the drivers: Modbus RTU and the board link."""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
from typing import TYPE_CHECKING, Self

from ward_protocol.portable import board, link
from ward_protocol.portable.amplifier_reading import STATUS_SIZE, Status, unpack_status
from ward_protocol.portable.crc16 import crc16, seal

if TYPE_CHECKING:
    from collections.abc import Callable

    from ward_sim.line import Line

DEADLINE_S = 20.0
ANSWER_S = 0.5


async def until(what: Callable[[], bool], why: str) -> None:
    """Wait for `what`; the deadline is a hang guard."""
    async with asyncio.timeout(DEADLINE_S):
        while not what():
            await asyncio.sleep(0.002)
    assert what(), why


class Client:
    """A program that has the tty open."""

    def __init__(self, line: Line, name: str = "hub") -> None:
        self.station = line.station(name)
        self.fd = os.open(self.station.path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)

    def received(self) -> bytes:
        """What has come in the meantime."""
        with contextlib.suppress(BlockingIOError):
            return os.read(self.fd, 4096)
        return b""


class ModbusClient(Client):
    """Sends PDUs in hex; answers come as bytes without address and CRC."""

    async def ask(self, unit: int, pdu: str) -> bytes:
        """The answer PDU; asks again when none comes, as noise may have eaten either."""
        request = seal(bytes((unit,)) + bytes.fromhex(pdu))
        async with asyncio.timeout(DEADLINE_S):
            while True:
                self.received()
                os.write(self.fd, request)
                answer = await self._answer(unit)
                if answer:
                    return answer
                await asyncio.sleep(0.02)

    async def _answer(self, unit: int) -> bytes:
        data = b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                while not (len(data) >= 5 and data[0] == unit and crc16(data) == 0):
                    await asyncio.sleep(0.002)
                    data += self.received()
                return data[1:-2]
        return b""

    async def status(self, unit: int) -> Status:
        """The status block."""
        block = (await self.ask(unit, f"04 0000 {STATUS_SIZE:04X}"))[2:]
        return unpack_status(struct.unpack(f">{STATUS_SIZE}H", block))


class BoardClient(Client):
    """Sends requests of the board link."""

    def __init__(self, line: Line, name: str = "hub") -> None:
        super().__init__(line, name)
        self._seq = 0
        self._deframer = link.Deframer()

    async def ask(self, op: int, body: bytes = b"") -> bytes:
        """Body of the answer, whose status must be ok; asks again when none comes."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                self._seq = (self._seq + 1) & 0xFF
                os.write(self.fd, b"\0" + link.encode(self._seq, op, body))
                answer = await self._answer()
                if answer is not None:
                    assert (answer.op, answer.body[0]) == (op | board.REPLY, board.OK)
                    return answer.body[1:]

    async def _answer(self) -> link.Frame | None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                while True:
                    for frame in self._deframer.feed(self.received()):
                        if frame.seq == self._seq:
                            return frame
                    await asyncio.sleep(0.002)
        return None

    async def upload(self, slot: int, width: int, height: int, data: bytes) -> None:
        """One strip, whole."""
        await self.ask(board.STRIP, board.pack_strip(board.Strip(slot, width, height)))
        for at in range(0, len(data), board.MAX_DATA):
            piece = board.Data(slot, at, data[at : at + board.MAX_DATA])
            await self.ask(board.DATA, board.pack_data(piece))

    async def status(self) -> board.Status:
        """What the board says of itself."""
        return board.unpack_status(await self.ask(board.STATUS))
