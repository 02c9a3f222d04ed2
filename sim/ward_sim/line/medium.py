"""A half-duplex RS-485 line in real time: stations, baud rate, seeded faults, collisions, unplugging.

Theory of operation. Every station owns a serial port: a pseudo-terminal for the outside (hub, mbpoll), one
end of a socket pair for a controller. What a station writes becomes characters, each at the station's next
free character time. Characters of two stations that overlap in time damage each other (both drive the
pair). A *burst* (characters of one station without a pause) is handed over in one piece when its last stop
bit is over: the moment on which every protocol's timing depends is exact, and a loaded machine that runs
late cannot tear silence (Modbus' t3.5) into the middle of a frame. A burst of more than BURST characters is
handed over in such pieces.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import itertools
import os
import random
import socket
import tempfile
import tty
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

BURST = 256
_READ = 4096


@dataclasses.dataclass(slots=True)
class LineStats:
    """What happened on a line, counted in characters."""

    carried: int = 0
    flipped: int = 0
    dropped: int = 0
    inserted: int = 0
    collided: int = 0


@dataclasses.dataclass(slots=True)
class _Character:
    start: float
    value: int
    damaged: bool = False


class Station:
    """One device on a line. `path` is its tty (outside stations), `fd` its port (controllers)."""

    def __init__(self, line: Line, name: str, *, controller: bool) -> None:
        self.name = name
        self.controller = controller
        self.plugged = False
        self._line = line
        self._link = line.directory / name
        self._ours = -1
        self._theirs = -1
        self._free_at = 0.0
        self._queue: collections.deque[_Character] = collections.deque()
        self._timer: asyncio.TimerHandle | None = None
        self.plug()

    @property
    def path(self) -> str:
        """The tty of an outside station; a stable name that survives unplugging, as udev's links do."""
        if self.controller:
            raise ValueError(f"line {self._line.name}: station {self.name} is a controller's: use fd")
        return str(self._link)

    @property
    def fd(self) -> int:
        """The port of a controller's station: a non-blocking stream, to be passed to its process."""
        if not self.controller:
            raise ValueError(f"line {self._line.name}: station {self.name} is an outside one: use path")
        return self._theirs

    def plug(self) -> None:
        """Attach the station (done once by `Line.station`)."""
        if self.plugged:
            return
        if self.controller:
            ours, theirs = socket.socketpair()
            self._ours, self._theirs = ours.detach(), theirs.detach()
            os.set_blocking(self._theirs, False)
        else:
            # Our own hold on the slave keeps the master readable while nobody has the tty open.
            self._ours, self._theirs = os.openpty()
            tty.setraw(self._ours)
            tty.setraw(self._theirs)
            self._link.symlink_to(os.ttyname(self._theirs))
        os.set_blocking(self._ours, False)
        self.plugged = True
        self._line.loop.add_reader(self._ours, self._readable)

    def unplug(self) -> None:
        """Detach it: whoever has the tty open gets EIO, as with a USB adapter that is pulled."""
        if not self.plugged:
            return
        self.plugged = False
        self._line.loop.remove_reader(self._ours)
        os.close(self._ours)
        os.close(self._theirs)
        self._link.unlink(missing_ok=True)
        self._forget()

    def deliver(self, data: bytes) -> None:
        """Hand received characters to the device; what it has no room for is lost, as in a UART's FIFO."""
        if self.plugged:
            with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
                os.write(self._ours, data)

    def flush(self) -> None:
        """Throw away what a controller has not read: a UART that starts begins with an empty FIFO."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self.fd, _READ):
                pass

    def overlapping(self, start: float) -> list[_Character]:
        """Characters of this station that are on the line during the one that begins at `start`."""
        width = self._line.character_s
        return [character for character in self._queue if abs(character.start - start) < width]

    def _readable(self) -> None:
        try:
            data = os.read(self._ours, _READ)
        except BlockingIOError:
            return
        at = max(self._line.loop.time(), self._free_at)
        for value in data:
            self._queue.append(self._line.place(self, at, value))
            at += self._line.character_s
        self._free_at = at
        self._arm()

    def _arm(self) -> None:
        """Aim at the end of the first burst, or of its first BURST characters."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if self._queue:
            count = self._burst()
            due = self._queue[count - 1].start + self._line.character_s + self._line.latency
            self._timer = self._line.loop.call_at(due, self._due, count)

    def _burst(self) -> int:
        """How many queued characters follow each other without a pause."""
        end = self._queue[0].start
        for index, character in enumerate(itertools.islice(self._queue, BURST)):
            if character.start - end > self._line.character_s / 2:
                return index
            end = character.start + self._line.character_s
        return min(len(self._queue), BURST)

    def _due(self, count: int) -> None:
        self._line.carry(self, [self._queue.popleft() for _ in range(count)])
        self._timer = None
        self._arm()

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._queue.clear()


class Line:
    """One serial line; an async context manager that closes every port at the end.

    `bits` a character takes with start, parity and stop; `ber` bit error rate; `drop` and `insert`
    probabilities a character; `echo` gives outside stations their own characters back; `latency` seconds
    added to each delivery. All faults may be changed at any time. Equal seeds and traffic give equal
    faults.
    """

    def __init__(
        self,
        baud: int,
        *,
        bits: int = 10,
        ber: float = 0.0,
        drop: float = 0.0,
        insert: float = 0.0,
        echo: bool = False,
        seed: int,
        latency: float = 0.0,
        name: str = "line",
    ) -> None:
        self.baud, self.bits, self.name = baud, bits, name
        self.ber, self.drop, self.insert, self.echo, self.latency = ber, drop, insert, echo, latency
        self.stats = LineStats()
        self.loop = asyncio.get_running_loop()
        self._rng = random.Random(seed)
        self._stations: list[Station] = []
        self._home = tempfile.TemporaryDirectory(prefix="ward-line-")
        self.directory = Path(self._home.name)

    @property
    def character_s(self) -> float:
        """Seconds that one character takes."""
        return self.bits / self.baud

    def station(self, name: str, *, controller: bool = False) -> Station:
        """Attach a new station; a controller's has an `fd`, any other a tty `path`."""
        station = Station(self, name, controller=controller)
        self._stations.append(station)
        return station

    def place(self, sender: Station, start: float, value: int) -> _Character:
        """A character on the line from `start` on, damaged when another station talks too."""
        character = _Character(start, value)
        for other in self._stations:
            if other is not sender:
                for hit in other.overlapping(start):
                    hit.damaged = character.damaged = True
        return character

    def carry(self, sender: Station, burst: list[_Character]) -> None:
        """Hand over what has been sent, faults applied."""
        received = bytearray()
        for character in burst:
            received += self._faulty(character)
        for station in self._stations:
            if station is not sender or (self.echo and not station.controller):
                station.deliver(bytes(received))

    def _faulty(self, character: _Character) -> bytes:
        stats, chance = self.stats, self._rng.random
        stats.carried += 1
        value = character.value
        if character.damaged:
            stats.collided += 1
            value &= self._rng.getrandbits(8)
        if self.drop and chance() < self.drop:
            stats.dropped += 1
            return b""
        if self.ber and chance() < 1 - (1 - self.ber) ** 8:
            stats.flipped += 1
            value ^= 1 << self._rng.randrange(8)
        if self.insert and chance() < self.insert:
            stats.inserted += 1
            return bytes((value, self._rng.randrange(256)))
        return bytes((value,))

    async def aclose(self) -> None:
        """Unplug every station and remove the links."""
        for station in self._stations:
            station.unplug()
        self._home.cleanup()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
