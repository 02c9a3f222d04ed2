"""A serial line inside the process, on a clock that jumps: thousands of time-outs take no time, and never vary.

Bytes take their time at the baud rate; units are functions that turn a request frame into answers. The port
given to the code under test is `Line.open`, a `ward_hw.ports.SerialOpener`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ward_sim.line.clock import run

if TYPE_CHECKING:
    from ward_hw.ports import Receiver, SerialPort

__all__ = ["BITS_OF_A_CHARACTER", "Line", "Reply", "Unit", "run"]
BITS_OF_A_CHARACTER = 10  # 8N1


@dataclass(frozen=True, slots=True)
class Reply:
    """Bytes that a station puts on the line ``after`` seconds past the end of the request."""

    data: bytes
    after: float = 0.002


Unit = Callable[[bytes], "list[Reply]"]


@dataclass
class Line:
    """Delivers every written frame to all units and their replies to the port, at baud rate."""

    baudrate: int = 19_200
    units: list[Unit] = field(default_factory=list)
    echo: bool = False
    plugged: bool = True
    sent: list[tuple[float, bytes]] = field(default_factory=list)
    _receiver: Receiver | None = None

    @property
    def character_s(self) -> float:
        return BITS_OF_A_CHARACTER / self.baudrate

    def open(self, path: str, baudrate: int, receiver: Receiver) -> SerialPort:
        if not self.plugged:
            raise FileNotFoundError(2, "no such device", path)
        self._receiver = receiver
        return _Port(self)

    def unplug(self) -> None:
        self.plugged = False
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.connection_lost(OSError(5, "unplugged"))

    def put(self, data: bytes, after: float = 0.0) -> None:
        """Let bytes arrive at the port one by one, beginning after so many seconds."""
        loop = asyncio.get_running_loop()
        for index in range(len(data)):
            at = after + (index + 1) * self.character_s
            loop.call_later(at, self._deliver, data[index : index + 1])

    def transmit(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        self.sent.append((loop.time(), data))
        if self.echo:
            self.put(data)
        loop.call_later(len(data) * self.character_s, self._request_ends, data)

    def _request_ends(self, data: bytes) -> None:
        for unit in self.units:
            for reply in unit(data):
                self.put(reply.data, reply.after)

    def _deliver(self, data: bytes) -> None:
        if self._receiver is not None:
            self._receiver.data_received(data)


@dataclass
class _Port:
    line: Line
    closed: bool = False

    def write(self, data: bytes) -> None:
        if not self.closed and self.line.plugged:
            self.line.transmit(data)

    def close(self) -> None:
        self.closed = True
        self.line._receiver = None
