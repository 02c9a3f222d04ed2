"""How many blocks may be under way at once: as many as the way holds without a queue. Pure, no clock.

The window is set by delay, not by loss: radio links lose without being full, and a queue of ours would stand in
front of the next alert. `queued` estimates our own datagrams in queues from how much longer a round trip takes
than the least one; the window grows below 3 of them and shrinks above 6.
Ref: Brakmo, Peterson, TCP Vegas, IEEE JSAC 13(8) 1995 §III-B (the estimate; its alpha and beta are 2 and 4).
"""

from __future__ import annotations

from dataclasses import dataclass

SMALLEST = 2.0
FIRST = 4.0
# 64 KiB under way: 1.3 MB/s at 50 ms, and still inside a default socket buffer.
LARGEST = 64.0
FEW_QUEUED, MANY_QUEUED = 3.0, 6.0
END_OF_START = 4.0
# Only a policer or a dead link loses more than this without delay; below that, loss says nothing of congestion.
TOO_MUCH_LOSS = 0.6
LOSS_WEIGHT = 1 / 64


@dataclass(slots=True)
class Window:
    """The window in blocks, moved by answers, losses and silences."""

    size: float = FIRST
    starting: bool = True
    loss: float = 0.0

    def answered(self, took: float, least: float) -> None:
        """A block came after `took` seconds where the least lately is `least`."""
        self.loss -= self.loss * LOSS_WEIGHT
        queued = self.size * (1 - least / took) if took > least else 0.0
        if self.starting:
            self.size += 1
            if queued > END_OF_START:
                self.starting = False
                self.size -= queued / 2
        elif queued < FEW_QUEUED:
            self.size += 1 / self.size
        elif queued > MANY_QUEUED:
            self.size -= 1 / self.size
        self._clamp()

    def lost(self) -> None:
        """An attempt's answer is late; cuts only where most are lost, half a block for each."""
        self.loss += (1 - self.loss) * LOSS_WEIGHT
        if self.loss > TOO_MUCH_LOSS:
            self.starting = False
            self.size *= 1 - 0.5 / self.size
            self._clamp()

    def silent(self) -> None:
        """Nothing at all came back for long: halve."""
        self.starting = False
        self.size /= 2
        self._clamp()

    def _clamp(self) -> None:
        self.size = min(max(self.size, SMALLEST), LARGEST)
