"""One thing to play, between the thread that decodes and the callback of the sound device.

The decoder puts pieces in and is held back when enough wait; the device takes what it needs now and never
waits. Only samples that the device took count as played, and only they are measured.
"""

from __future__ import annotations

import math
import threading
from array import array
from collections import deque

FULL_SCALE = 32767
_WAITING_S = 1.0  # decoded sound that may wait for the device
_TENTH = 10  # envelope points per second


class Programme:
    """Samples on their way to the device, `lead_in` frames of silence first. Any thread may call any method."""

    def __init__(self, rate: int, lead_in: int) -> None:
        self.played = 0  # frames of sound taken by the device, the lead-in not counted
        self.taken = 0  # frames the device asked for
        self.underruns = 0
        self.finished = False
        self._rate = rate
        self._lead_in = lead_in
        self._pieces: deque[bytes] = deque()
        self._waiting = 0  # bytes in _pieces
        self._complete = False
        self._fade: tuple[int, int] | None = None  # frames left, frames in all
        self._begins = False
        self._levels: list[int] = []
        self._point = bytearray()  # samples of the envelope point that is being filled
        self._changed = threading.Condition()

    # --- the decoder's side ---

    def put(self, piece: bytes) -> bool:
        """Add samples; False when nobody wants more. The caller heeds `has_room`."""
        with self._changed:
            if self.stopping:
                return False
            self._pieces.append(piece)
            self._waiting += len(piece)
            return True

    def wait(self, timeout: float, *, room: bool) -> None:
        """Wait for news: the sound began, it ended, or (with ``room``) more may be put; at most ``timeout``."""
        with self._changed:
            self._changed.wait_for(
                lambda: self.finished or self._begins or (room and (self.has_room or self.stopping)), timeout
            )

    @property
    def has_room(self) -> bool:
        """Whether more should be put."""
        return self._waiting < self._rate * 2 * _WAITING_S

    @property
    def waiting(self) -> int:
        """Frames that wait for the device."""
        return self._waiting // 2

    @property
    def stopping(self) -> bool:
        """Whether nobody wants more."""
        return self.finished or self._fade is not None

    def take_begin(self) -> bool:
        """Whether the device took the first sound since the last call; true once."""
        with self._changed:
            begins, self._begins = self._begins, False
            return begins

    def abort(self) -> None:
        """End at once, without a device that takes anything."""
        with self._changed:
            self._finish()
            self._changed.notify_all()

    def complete(self) -> None:
        """Say that no more comes."""
        with self._changed:
            self._complete = True
            self._changed.notify_all()

    def stop(self, fade_ms: int) -> None:
        """End soon: fade out, drop the rest. What waits is all that can fade: nothing more is taken."""
        with self._changed:
            frames = max(1, min(self._rate * fade_ms // 1000, self.waiting))
            if self._fade is None:
                self._fade = frames, frames
            if self._lead_in:  # nothing was heard yet: nothing to fade
                self._finish()
            self._changed.notify_all()

    def take_levels(self) -> list[int]:
        """RMS per 100 ms (0..32767) of what was played since the last call; the last point may be shorter."""
        with self._changed:
            if self.finished and self._point:
                self._measure()
            levels, self._levels = self._levels, []
            return levels

    # --- the device's side ---

    def take(self, frames: int) -> bytes:
        """What the device shall output now, at most ``frames``; less when there is no more."""
        with self._changed:
            self.taken += frames
            if self.finished:
                return b""
            lead = min(frames, self._lead_in)
            self._lead_in -= lead
            sound = self._faded(self._cut((frames - lead) * 2))
            if len(sound) < (frames - lead) * 2:
                if self._complete or self._fade is not None:
                    self._finish()
                elif self.played or sound:
                    self.underruns += 1
            self._count(sound)
            self._changed.notify_all()
            return bytes(lead * 2) + sound

    def _cut(self, size: int) -> bytes:
        """The next ``size`` bytes, fewer when fewer wait."""
        out = bytearray()
        while self._pieces and len(out) < size:
            piece = self._pieces.popleft()
            wanted = size - len(out)
            out += piece[:wanted]
            if len(piece) > wanted:
                self._pieces.appendleft(piece[wanted:])
        self._waiting -= len(out)
        return bytes(out)

    def _faded(self, sound: bytes) -> bytes:
        if self._fade is None or not sound:
            return sound
        left, whole = self._fade
        samples = array("h", sound)[:left]
        for index in range(len(samples)):
            samples[index] = samples[index] * (left - index) // whole
        self._fade = left - len(samples), whole
        if left <= len(samples):
            self._finish()
        return samples.tobytes()

    def _finish(self) -> None:
        self.finished = True
        self._pieces.clear()
        self._waiting = 0

    def _count(self, sound: bytes) -> None:
        if sound and not self.played:
            self._begins = True
        self.played += len(sound) // 2
        self._point += sound
        size = self._rate // _TENTH * 2
        while len(self._point) >= size:
            self._measure(size)

    def _measure(self, size: int | None = None) -> None:
        """Close an envelope point. hypot is the one root of a sum of squares that runs at the speed of C."""
        with memoryview(self._point)[:size].cast("h") as samples:
            level = math.hypot(*samples) / math.sqrt(len(samples))
        self._levels.append(min(FULL_SCALE, round(level)))
        del self._point[:size]
