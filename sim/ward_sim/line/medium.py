"""The wire: characters in time, who hears them, what damages them.

Theory of operation. What a station sends becomes characters, each at the station's next free character time.
Characters of two stations that overlap in time damage each other (both drive the pair). A *burst* (characters of one
station without a pause that matters) is handed over in one piece when its last stop bit is over: the moment on which
every protocol's timing depends is exact, and a loaded machine that runs late cannot tear silence (Modbus' t3.5) into
the middle of a frame. What matters is a pause of more than Modbus' t1.5. A burst of more than BURST characters is
handed over in such pieces.

Each tap has a baud rate. Where it is not the sender's, what it hears is what its UART would (`ward_sim.line.uart`), at
the end of the sender's burst.
"""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import itertools
import random
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Self

from ward_sim.line.uart import sampled

if TYPE_CHECKING:
    from types import TracebackType

    from ward_sim.line.habits import Habit

BURST = 256
# Ref: MODBUS over Serial Line V1.02, section 2.5.1.1: 1.5 characters of 11 bits, 750 us above 19200 baud.
_PAUSE_BITS, _PAUSE_S = 16.5, 750e-6
_EXACT_S = 1e-9  # loop times are sums


@dataclasses.dataclass(slots=True)
class LineStats:
    """What happened on a line, counted in characters."""

    carried: int = 0
    flipped: int = 0
    dropped: int = 0
    inserted: int = 0
    collided: int = 0


@dataclasses.dataclass(slots=True)
class Character:
    """One character on the line, from `start` on, for `width` seconds."""

    start: float
    width: float
    value: int
    damaged: bool = False


class Tap(ABC):
    """Where a device is joined to a line, whatever the device is.

    `habits` spoil what it sends and hears; `cut` from the others it is on its own; `bauds` are rates at which its UART
    runs by some fault, the last of them; `outside` ones (hub, tools) hear their own characters on a line with an echo.
    All may be changed at any time.
    """

    def __init__(self, line: Medium, name: str, *, outside: bool) -> None:
        self.name = name
        self.outside = outside
        self.cut = False
        self.habits: list[Habit] = []
        self.bauds: list[int] = []
        self._line = line
        self._free_at = 0.0
        self._queue: collections.deque[Character] = collections.deque()
        self._timer: asyncio.TimerHandle | None = None
        line.taps.append(self)

    @abstractmethod
    def deliver(self, data: bytes) -> None:
        """Hand received characters to the device."""

    @abstractmethod
    def unplug(self) -> None:
        """Take it from the line."""

    def send(self, data: bytes, at: float | None = None) -> None:
        """Put characters on the line at a loop time (now), or behind its earlier ones, spoilt by its habits.

        A device that counts from what it heard says when: what this process is late by is not the line's.
        """
        pieces = [(0.0, data)]
        for habit in self.habits:
            pieces = habit.spoil(pieces, self._line.rng)
        at = max(self._line.loop.time() if at is None else at, self._free_at)
        others = [tap for tap in self._line.taps if tap.busy and tap is not self and tap.cut == self.cut]
        width = self.character_s
        for pause, piece in pieces:
            at += pause
            for value in piece:
                self._queue.append(_placed(Character(at, width, value), others))
                at += width
        self._free_at = at
        self._arm()

    @property
    def configured_baud(self) -> int:
        """Bit/s to which its device has set it."""
        return self._line.baud

    @property
    def character_s(self) -> float:
        """Seconds that one character takes at the rate at which it really runs."""
        return self._line.bits / (self.bauds[-1] if self.bauds else self.configured_baud)

    @property
    def busy(self) -> bool:
        """Whether it is sending, or going to."""
        return bool(self._queue)

    def hear(self, data: bytes) -> None:
        """Take what is on the line."""
        for habit in self.habits:
            data = habit.heard(data, self._line.rng)
        if data:
            self.deliver(data)

    def overlapping(self, one: Character) -> list[Character]:
        """Characters of this tap that are on the line during that one."""
        return [each for each in self._queue if -each.width < each.start - one.start < one.width]

    def forget(self) -> None:
        """Send nothing of what is still to be sent."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._queue.clear()
        self._free_at = 0.0

    def _arm(self) -> None:
        """Aim at the end of the first burst, or of its first BURST characters."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if self._queue:
            count = self._burst()
            last = self._queue[count - 1]
            due = last.start + last.width + self._line.latency
            self._timer = self._line.loop.call_at(due, self._due, count)

    def _burst(self) -> int:
        """How many queued characters follow each other without a pause that matters."""
        end = self._queue[0].start
        longest = max(_PAUSE_BITS * self._queue[0].width / self._line.bits, _PAUSE_S) + _EXACT_S
        for index, character in enumerate(itertools.islice(self._queue, BURST)):
            if character.start - end > longest:
                return index
            end = character.start + character.width
        return min(len(self._queue), BURST)

    def _due(self, count: int) -> None:
        burst = [self._queue.popleft() for _ in range(count)]
        self._line.came = burst[0].start + burst[0].width
        self._line.ended = burst[-1].start + burst[-1].width
        self._line.carry(self, burst)
        self._timer = None
        self._arm()


class Medium:
    """One serial line, whoever is on it; an async context manager that takes every tap away at the end.

    `baud` is what devices set if nobody says otherwise; `bits` a character takes with start, parity and stop; `ber`
    bit error rate; `drop` and `insert` probabilities a character; `echo` gives outside stations their own characters
    back; `latency` seconds added to each delivery. All faults may be changed at any time. Equal seeds and traffic give
    equal faults. `came` and `ended` are the loop times at which the first character of the burst that is being heard
    had come, and the last.
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
        self.rng = random.Random(seed)
        self.taps: list[Tap] = []
        self.came = self.ended = 0.0

    @property
    def character_s(self) -> float:
        """Seconds that one character takes at the line's rate."""
        return self.bits / self.baud

    def carry(self, sender: Tap, burst: list[Character]) -> None:
        """Hand over what has been sent, faults applied."""
        received = [(value, character.width) for character in burst for value in self._faulty(character)]
        for tap in self.taps:
            if (tap is not sender and not tap.cut and not sender.cut) or (tap is sender and self.echo and tap.outside):
                tap.hear(sampled(received, tap.character_s, self.bits))

    def _faulty(self, character: Character) -> bytes:
        stats, chance = self.stats, self.rng.random
        stats.carried += 1
        value = character.value
        if character.damaged:
            stats.collided += 1
            value &= self.rng.getrandbits(8)
        if self.drop and chance() < self.drop:
            stats.dropped += 1
            return b""
        if self.ber and chance() < 1 - (1 - self.ber) ** 8:
            stats.flipped += 1
            value ^= 1 << self.rng.randrange(8)
        if self.insert and chance() < self.insert:
            stats.inserted += 1
            return bytes((value, self.rng.randrange(256)))
        return bytes((value,))

    async def aclose(self) -> None:
        """Take every tap from the line."""
        for tap in self.taps:
            tap.unplug()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _placed(character: Character, others: list[Tap]) -> Character:
    """The character on the line, damaged when another talks too."""
    for other in others:
        for hit in other.overlapping(character):
            hit.damaged = character.damaged = True
    return character
