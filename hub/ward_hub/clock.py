"""What the hub knows of the time, and how far it trusts that."""

from __future__ import annotations

import time
from collections.abc import Callable

from ward_protocol.statements import TimeTrust

AGREES_S = 90


class Clock:
    """UTC with a floor: never earlier than the newest time that a verified beat has shown.

    `read` returns the system's Unix time in seconds.
    """

    def __init__(self, read: Callable[[], float] = time.time) -> None:
        self._read = read
        self.floor = 0
        self.trust = TimeTrust.NONE

    def restore(self, floor: int) -> None:
        """Take the floor that the last run kept."""
        self.floor, self.trust = floor, TimeTrust.COARSE

    def now(self) -> float:
        """Return the best known Unix time in seconds."""
        return max(self._read(), float(self.floor))

    def ms(self) -> int:
        """Return the best known Unix time in milliseconds."""
        return int(self.now() * 1000)

    def heard(self, beat_time: int) -> None:
        """Take the time of a verified beat: it raises the floor and says whether the system's clock agrees."""
        agrees = abs(self._read() - beat_time) <= AGREES_S
        self.floor = max(self.floor, beat_time)
        self.trust = TimeTrust.GOOD if agrees else TimeTrust.COARSE
