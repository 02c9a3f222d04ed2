"""Virtual lines with what may be wrong with one, for the scan and for the agent's own eyes."""

from __future__ import annotations

import asyncio
import errno
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.sim.hw.units import Station
from tests.sim.hw.virtual import Line

if TYPE_CHECKING:
    from ward_hw.ports import Receiver, SerialPort


@dataclass
class TroubledLine(Line):
    """A line with faults that may be set at any time.

    `flips` is the chance of a character, either way, to lose a bit; `cut` lets nothing through behind the adapter;
    `swapped` has A and B exchanged; `held` is another program that holds the port; `bauds` are units that have a
    baud rate of their own. Units that answer at one time damage each other, as two drivers on one pair do.
    """

    seed: int = 1
    flips: float = 0.0
    cut: bool = False
    swapped: bool = False
    held: bool = False
    bauds: dict[int, int] = field(default_factory=dict)
    _port_baud: int = 0
    _busy_until: float = 0.0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def open(self, path: str, baudrate: int, receiver: Receiver) -> SerialPort:
        if self.held:
            raise BlockingIOError(errno.EAGAIN, "Could not exclusively lock port", path)
        self._port_baud = baudrate
        return super().open(path, baudrate, receiver)

    def transmit(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        self.sent.append((loop.time(), data))
        if self.echo:
            super().put(data)
        if not self.cut and not self.swapped:
            loop.call_later(len(data) * self.character_s, self._reaches, self._noisy(data))

    def _reaches(self, data: bytes) -> None:
        for unit in self.units:
            if isinstance(unit, Station) and self.bauds.get(unit.unit, self.baudrate) != self._port_baud:
                continue  # what it hears are no characters
            for reply in unit(data):
                self.put(reply.data, reply.after)

    def put(self, data: bytes, after: float = 0.0) -> None:
        begins = asyncio.get_running_loop().time() + after
        if begins < self._busy_until:
            data = bytes(value & self._random.getrandbits(8) for value in data)
        self._busy_until = max(self._busy_until, begins + len(data) * self.character_s)
        super().put(self._noisy(data), after)

    @property
    def free(self) -> bool:
        """Whether nobody is heard."""
        return asyncio.get_running_loop().time() > self._busy_until

    def _noisy(self, data: bytes) -> bytes:
        if not self.flips:
            return data
        return bytes(
            value ^ (1 << self._random.randrange(8) if self._random.random() < self.flips else 0) for value in data
        )
