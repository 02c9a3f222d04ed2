"""Products to buy on the simulated line: the stations of `tests.sim.hw.products`, joined to it by a tap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.sim.hw.units import Station

from ward_hw.ports import Receiver, SerialPort
from ward_sim.line.habits import Pieces, Sound
from ward_sim.line.inside import Port
from ward_sim.line.medium import Medium, Tap


class Product(Tap):
    """One product on a line; a burst without a pause is a frame to it."""

    def __init__(self, line: Medium, station: Station) -> None:
        super().__init__(line, f"unit-{station.unit}", outside=False)
        self.station = station

    def deliver(self, data: bytes) -> None:
        """Answer after its own time."""
        if len(data) < 4:
            return
        for reply in self.station(data):
            at = self._line.ended + reply.after
            self._line.loop.call_later(max(0.0, at - self._line.loop.time()), self.send, reply.data, at)

    def unplug(self) -> None:
        """Take it away with what it would still have sent."""
        self.forget()


@dataclass(slots=True)
class OtherBaud(Sound):
    """A unit with a baud rate of its own: both ends hear something else than was sent, unless `at` is the port's."""

    at: int = 9600
    now: Callable[[], int] = lambda: 0

    def hit(self, pieces: Pieces, rng: Random) -> Pieces:
        """Fewer or more characters, none of them right."""
        if self.now() == self.at:
            return pieces
        return [(pause, bytes(rng.randrange(256) for _ in piece[::2])) for pause, piece in pieces]

    def heard(self, data: bytes, rng: Random) -> bytes:
        """The same the other way."""
        return data if self.now() == self.at else bytes(value ^ 0x5A for value in data[::2])


class BaudPort(Port):
    """The master's end, which knows at which baud rate it was opened last."""

    baud = 0

    def open(self, path: str, baudrate: int, receiver: Receiver) -> SerialPort:
        self.baud = baudrate
        return super().open(path, baudrate, receiver)
