"""Requests and answers on the serial link of a board controller: one at a time, told apart by sequence number.

An answer carries the number of its request, so a late one cannot be taken for another. A request that stays
unanswered is sent again with the same number: every operation of the protocol may be repeated, and either
answer will do.

Ref: ward_protocol.portable.link (frames), ward_protocol.portable.board (operations).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from ward_hw.errors import LinkError, LinkTimeout, MisuseError, PeerError
from ward_hw.serial_port import open_tty
from ward_protocol.portable import board as wire
from ward_protocol.portable import link

if TYPE_CHECKING:
    from types import TracebackType

    from ward_hw.ports import SerialOpener, SerialPort

_BITS_OF_A_CHARACTER = 10  # 8N1
_REOPEN_S = 0.2


class BoardLink:
    """The link to one board. Use as an async context manager.

    ``timeout`` is the seconds a board has for an answer beyond the wire time. The port is opened when first
    needed, and again after it was lost.
    """

    def __init__(
        self, name: str, port: str, baudrate: int, *, opener: SerialOpener = open_tty, timeout: float = 0.3
    ) -> None:
        self.name = name
        self.port = port
        self.baudrate = baudrate
        self._opener = opener
        self._timeout = timeout
        self._line: SerialPort | None = None
        self._deframer = link.Deframer()
        self._turn = asyncio.Lock()
        self._seq = 0
        self._awaited: tuple[int, int] | None = None  # seq and op of the answer under way
        self._answer: asyncio.Future[bytes] | None = None
        self._entered = False

    async def __aenter__(self) -> Self:
        self._entered = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered = False
        self._lose("the link was closed")
        if self._line is not None:
            self._line.close()
            self._line = None

    async def request(self, op: int, body: bytes = b"", *, what: str, deadline: float) -> bytes:
        """Ask, repeat while unanswered, and return the answer's body behind its status byte.

        ``what`` names the operation in errors, ``deadline`` is loop time. Raises LinkTimeout, LinkError,
        and PeerError with the board's status as ``code``.
        """
        if not self._entered:
            raise MisuseError(self.name, what, "the link is not open", remedy="use it as a context manager")
        attempt = 0
        try:
            async with asyncio.timeout_at(deadline), self._turn:
                self._seq = (self._seq + 1) & 0xFF
                frame = link.encode(self._seq, op, body)
                while True:
                    attempt += 1
                    answer = await self._attempt(frame, op)
                    if answer is not None:
                        return self._judge(answer, what)
        except LinkTimeout:
            raise
        except TimeoutError as error:
            if self._line is None:
                raise LinkTimeout(
                    self.name, what, f"{self.port} is not open", remedy="plug the adapter in, check its path"
                ) from error
            remedy = "check power and cable of the board"
            raise LinkTimeout(self.name, what, "no answer", remedy=remedy, attempt=attempt) from error

    async def _attempt(self, frame: bytes, op: int) -> bytes | None:
        """Send once and wait for the usual time; None when nothing came."""
        loop = asyncio.get_running_loop()
        line = await self._open_line()
        self._awaited = self._seq, op | wire.REPLY
        answer: asyncio.Future[bytes] = loop.create_future()
        self._answer = answer
        # A delimiter first: whatever noise the board holds ends there, and is not glued to our frame.
        line.write(b"\0" + frame)
        wire_s = (len(frame) + 1 + link.OVERHEAD) * _BITS_OF_A_CHARACTER / self.baudrate
        try:
            async with asyncio.timeout(wire_s + self._timeout):
                return await answer
        except LinkError:
            raise
        except TimeoutError:
            return None
        finally:
            self._awaited = self._answer = None

    async def _open_line(self) -> SerialPort:
        while self._line is None:
            try:
                self._line = self._opener(self.port, self.baudrate, self)
                self._deframer = link.Deframer()
            except OSError:  # absent or busy: an adapter may come back before the deadline
                await asyncio.sleep(_REOPEN_S)
        return self._line

    def _judge(self, body: bytes, what: str) -> bytes:
        status = body[0] if body else wire.BAD_FIELD
        if status == wire.OK and body:
            return body[1:]
        known = status < len(wire.STATUS_NAMES)
        raise PeerError(
            self.name,
            what,
            f"refused: {wire.STATUS_NAMES[status] if known else f'status {status}'}",
            remedy="compare the firmware version and the size of the board with the configuration",
            code=status,
        )

    def _lose(self, problem: str) -> None:
        if self._answer is not None and not self._answer.done():
            remedy = "check adapter and cable"
            self._answer.set_exception(LinkError(self.name, "request", problem, remedy=remedy))

    def data_received(self, data: bytes) -> None:
        """Take bytes of the line (`Receiver`)."""
        for frame in self._deframer.feed(data):
            answer = self._answer
            if answer is not None and not answer.done() and (frame.seq, frame.op) == self._awaited:
                answer.set_result(frame.body)

    def connection_lost(self, reason: Exception) -> None:
        """Take the news that the port is gone (`Receiver`); the next request opens it again."""
        self._line = None
        self._lose(f"the serial port was lost ({reason})")
