"""What really happened at the outputs, seen from the physical side: relays, sound behind them, lit frames.

The witness knows nothing of the hub. It judges what receipts claim; moments are Unix milliseconds.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

DIGEST_SIZE = 16
AUDIBLE = 100  # RMS of 16-bit samples; -50 dB below full scale


@dataclass(slots=True)
class Span:
    """A stretch of time; `end` is None while it lasts."""

    begin: int
    end: int | None = None

    def overlap(self, begin: int, end: int, now: int) -> int:
        """Return for how many ms this span and begin..end coincide."""
        return max(0, min(end, self.end if self.end is not None else now) - max(begin, self.begin))


class Witness:
    """Keeps what relays, loudspeakers and panels did."""

    def __init__(self) -> None:
        self._closed: dict[str, list[Span]] = {}
        self._loud: dict[str, list[Span]] = {}
        self._frames: dict[str, list[tuple[int, bytes]]] = {}
        self._now = 0

    def relay(self, zone: str, closed: bool, now: int) -> None:
        """Note that a zone's loudspeakers were connected or disconnected."""
        self._mark(self._closed, zone, closed, now)

    def sound(self, zone: str, rms: int, now: int) -> None:
        """Note how loud it is behind a zone's relay, amplifier powered; 0 to 32767."""
        self._mark(self._loud, zone, rms >= AUDIBLE, now)

    def frame(self, board: str, frame: bytes, now: int) -> None:
        """Note what a board's LEDs show."""
        self._now = max(self._now, now)
        self._frames.setdefault(board, []).append((now, hashlib.sha256(frame).digest()[:DIGEST_SIZE]))

    def closed_ms(self, zone: str, begin: int, end: int) -> int:
        """Return for how long the zone was connected between two moments."""
        return sum(span.overlap(begin, end, self._now) for span in self._closed.get(zone, ()))

    def heard_ms(self, zone: str, begin: int, end: int) -> int:
        """Return for how long sound came out of the zone's horns between two moments."""
        return sum(span.overlap(begin, end, self._now) for span in self._loud.get(zone, ()))

    def showed(self, board: str, digest: bytes, begin: int, end: int) -> bool:
        """Say whether the frame of that digest was lit between two moments."""
        frames = self._frames.get(board, [])
        for number, (since, seen) in enumerate(frames):
            until = frames[number + 1][0] if number + 1 < len(frames) else self._now
            if seen == digest and since <= end and until >= begin:
                return True
        return False

    def first_closing(self, zone: str, after: int) -> int | None:
        """Return when the zone was first connected at or after a moment."""
        return next((span.begin for span in self._closed.get(zone, ()) if span.begin >= after), None)

    def anything_moved(self, begin: int, end: int) -> bool:
        """Say whether any relay closed or any frame changed between two moments."""
        closings = (span.begin for spans in self._closed.values() for span in spans)
        changes = (since for frames in self._frames.values() for since, _ in frames)
        return any(begin <= moment <= end for moment in (*closings, *changes))

    def _mark(self, kept: dict[str, list[Span]], zone: str, on: bool, now: int) -> None:
        self._now = max(self._now, now)
        spans = kept.setdefault(zone, [])
        lasting = bool(spans) and spans[-1].end is None
        if on and not lasting:
            spans.append(Span(now))
        elif not on and lasting:
            spans[-1].end = now
