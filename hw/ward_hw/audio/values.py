"""What goes into and comes out of the audio worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from ward_hw.audio_worker.stream_order import Position
from ward_hw.errors import HardwareError

ENVELOPE_STEP_MS = 100


@dataclass(frozen=True, slots=True)
class AudioSettings:
    """Which device plays; ``capture`` names a WAV file that gets what the device took."""

    backend: Literal["null", "alsa", "default"] = "default"
    capture: Path | None = None
    sample_rate: int = 48_000
    recycle_s: float = 10.0
    """So long after the last sound the worker is replaced by a fresh one that holds no decoder in memory."""


@dataclass(frozen=True, slots=True)
class Clip:
    """What a file holds; it was decoded to its end."""

    duration_ms: int
    codec: str
    sample_rate: int
    channels: int


class Ended(StrEnum):
    """Why a stream ended: nothing authentic came at all, or for too long, its time was up, or somebody stopped it."""

    ABSENT = "absent"
    SILENCE = "silence"
    LIMIT = "limit"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Reception:
    """What came of a stream, in packets; ``ended`` is None where the worker or its device failed first.

    ``refused`` counts by reason: ``malformed``, ``other`` (of another source or payload type), ``forged`` (does not
    authenticate) and ``replayed``. ``lost`` never came, or too late; ``skipped`` were left out to keep the delay small.
    """

    ended: Ended | None
    accepted: int
    refused: Mapping[str, int]
    lost: int
    skipped: int
    position: Position | None


@dataclass(frozen=True, slots=True)
class Played:
    """What was really output: milliseconds of sound (lead-in not counted) of those asked for.

    ``envelope`` is the RMS of each 100 ms of it, 0..32767; ``underruns`` counts periods in which the
    decoder was late. Of a ``stream`` only what was authentic counts as output, and what was asked for is
    the time from its first packet to its last.
    """

    played_ms: int
    requested_ms: int
    envelope: tuple[int, ...]
    underruns: int = 0
    stream: Reception | None = None


class AudioError(HardwareError):
    """A file cannot be used, or the worker or its device failed.

    ``reason`` says why; ``played`` holds what was output before, when something was being played.
    """

    def __init__(self, operation: str, reason: str, *, remedy: str, played: Played | None = None) -> None:
        super().__init__("audio", operation, reason, remedy=remedy)
        self.reason = reason
        self.played = played
