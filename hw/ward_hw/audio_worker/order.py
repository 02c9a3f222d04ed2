"""What the worker is told to play, as values and as the message between agent and worker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, cast

from ward_hw.audio_worker.pipe import Message


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a sound file, in ms from the file's beginning; without `end_ms` up to its end."""

    path: Path
    begin_ms: int = 0
    end_ms: int | None = None


Sound: TypeAlias = Path | Part  # a path alone is the whole file


@dataclass(frozen=True, slots=True)
class PlayOrder:
    """What to play: parts in order, louder or softer by ``gain_db``, behind ``lead_in_ms`` of silence."""

    parts: tuple[Part, ...]
    gain_db: float = 0.0
    lead_in_ms: int = 0

    @classmethod
    def of(cls, sounds: Iterable[Sound], gain_db: float, lead_in_ms: int) -> PlayOrder:
        """Return the order for these sounds."""
        parts = tuple(one if isinstance(one, Part) else Part(one) for one in sounds)
        return cls(parts, gain_db, lead_in_ms)

    @classmethod
    def read(cls, message: Message) -> PlayOrder:
        """Return the order in a message; raises TypeError, KeyError or ValueError for what is none."""
        parts = message["parts"]
        if not isinstance(parts, list):
            raise TypeError("parts must be a list")
        gain_db, lead_in_ms = float(str(message["gain_db"])), int(str(message["lead_in_ms"]))
        return cls(tuple(map(_part, cast("list[object]", parts))), gain_db, lead_in_ms)

    def message(self, number: int) -> Message:
        """Return the message that orders it under that number."""
        parts = [[str(one.path), one.begin_ms, one.end_ms] for one in self.parts]
        return {"id": number, "do": "play", "parts": parts, "gain_db": self.gain_db, "lead_in_ms": self.lead_in_ms}


def _part(item: object) -> Part:
    path, begin_ms, end_ms = cast("list[object]", item)
    return Part(Path(str(path)), int(str(begin_ms)), None if end_ms is None else int(str(end_ms)))
