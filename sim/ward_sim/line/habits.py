"""How a station spoils what it says or hears: each habit one fault, any number of them one after another.

A transmission is a list of pieces, (pause before it in seconds, characters). `share` is the probability with which a
habit meets a transmission.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ward_protocol.portable.crc16 import crc16, seal

if TYPE_CHECKING:
    from random import Random

Pieces = list[tuple[float, bytes]]
APART_S = 0.002
"""Between a frame and the one that follows it without having been asked for."""


class Habit(Protocol):
    """One fault of one station."""

    def spoil(self, pieces: Pieces, rng: Random) -> Pieces:
        """Return what is sent instead."""
        ...

    def heard(self, data: bytes, rng: Random) -> bytes:
        """Return what is heard instead."""
        ...


@dataclass(slots=True)
class Sound:
    """Base: spoils nothing."""

    share: float = 1.0

    def spoil(self, pieces: Pieces, rng: Random) -> Pieces:
        """Meet the transmission, or leave it as it is."""
        return self.hit(pieces, rng) if pieces and rng.random() < self.share else pieces

    def heard(self, data: bytes, rng: Random) -> bytes:
        """As it is."""
        return data

    def hit(self, pieces: Pieces, rng: Random) -> Pieces:
        """Spoil it."""
        return pieces


@dataclass(slots=True)
class Late(Sound):
    """Thinks `seconds` longer, as a controller that is busy."""

    seconds: float = 0.0

    def hit(self, pieces: Pieces, rng: Random) -> Pieces:
        """Pause before the first piece."""
        pause, data = pieces[0]
        return [(pause + self.seconds, data), *pieces[1:]]


@dataclass(slots=True)
class Mute(Sound):
    """Says nothing: a driver that is dead, while the controller hears and acts."""

    def hit(self, pieces: Pieces, rng: Random) -> Pieces:
        """Nothing."""
        return []


@dataclass(slots=True)
class Deaf(Sound):
    """Does not hear."""

    def spoil(self, pieces: Pieces, rng: Random) -> Pieces:
        """As it is."""
        return pieces

    def heard(self, data: bytes, rng: Random) -> bytes:
        """Nothing, or all of it."""
        return b"" if rng.random() < self.share else data


@dataclass(slots=True)
class LeadingZero(Sound):
    """A driver whose switching on looks like a character."""

    def hit(self, pieces: Pieces, rng: Random) -> Pieces:
        """0x00 before the first piece."""
        pause, data = pieces[0]
        return [(pause, b"\0" + data), *pieces[1:]]


@dataclass(slots=True)
class Truncated(Sound):
    """Switches its driver off too early."""

    def hit(self, pieces: Pieces, rng: Random) -> Pieces:
        """Only some characters of the last piece."""
        pause, data = pieces[-1]
        return [*pieces[:-1], (pause, data[: rng.randrange(len(data)) if data else 0])]


@dataclass(slots=True)
class Torn(Sound):
    """Stops for `seconds` in the middle, as an adapter whose computer is late."""

    seconds: float = 0.0

    def hit(self, pieces: Pieces, rng: Random) -> Pieces:
        """The last piece in two."""
        pause, data = pieces[-1]
        if len(data) < 2:
            return pieces
        cut = rng.randrange(1, len(data))
        return [*pieces[:-1], (pause, data[:cut]), (self.seconds, data[cut:])]


@dataclass(slots=True)
class Duplicated(Sound):
    """Says everything twice."""

    def hit(self, pieces: Pieces, rng: Random) -> Pieces:
        """Once more, at once: after a silence it would meet the next request."""
        return [*pieces, *pieces]


@dataclass(slots=True)
class Foreign(Sound):
    """A frame of unit `other` comes before its own: what was late there meets the answer here."""

    other: int = 0

    def hit(self, pieces: Pieces, rng: Random) -> Pieces:
        """The same frame in the other's name, first."""
        pause, data = pieces[0]
        return [(pause, readdressed(data, self.other)), (APART_S, data), *pieces[1:]]


@dataclass(slots=True)
class Impostor(Sound):
    """A controller with a wrong number: `own` in its settings, it answers for `other`, also when that is asked."""

    own: int = 0
    other: int = 0
    _asked: int = field(default=0, init=False, compare=False)

    def heard(self, data: bytes, rng: Random) -> bytes:
        """Requests to the other are its own."""
        self._asked = data[0] if data else 0
        return readdressed(data, self.own) if self._asked == self.other else data

    def hit(self, pieces: Pieces, rng: Random) -> Pieces:
        """Answers carry the number that was asked."""
        if self._asked != self.other:
            return pieces
        return [(pause, readdressed(data, self.other)) for pause, data in pieces]


def readdressed(frame: bytes, unit: int) -> bytes:
    """Return a Modbus RTU frame in another unit's name; what is no whole frame stays as it is."""
    if len(frame) < 4 or crc16(frame) != 0:
        return frame
    return seal(bytes((unit,)) + frame[1:-2])
