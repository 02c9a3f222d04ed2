"""Clocks for tests: the hub's, on scales that a test moves as it likes."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.statements import NOW

from ward_hub.clock import Clock
from ward_protocol.statements import TimeTrust

RELEASED = NOW - 100 * 86_400
BOOT = "boot-1"


def clock(now: Callable[[], float], trust: TimeTrust = TimeTrust.GOOD) -> Clock:
    """A hub's clock that shows what `now` does, Unix seconds that never go back, and trusts it so far."""
    one = Clock(now, now, ntp=lambda: False, rng=random.Random(0), boot=BOOT, released=RELEASED)
    if trust is not TimeTrust.NONE:
        one.heard(int(now()), one.ask())
    if trust is TimeTrust.COARSE:
        one = Clock(now, now, ntp=lambda: False, rng=random.Random(0), boot=BOOT, released=int(now()))
        one.heard(int(now()))
    return one


@dataclass
class Machine:
    """A machine around a clock: true time, its system's clock and its monotonic clock, each in seconds."""

    true: float = float(NOW)
    system: float = float(NOW)
    monotonic: float = 1000.0
    ntp: bool | None = False
    rtc: bool = False
    boot: str = BOOT
    released: int = RELEASED
    rng: random.Random = field(default_factory=lambda: random.Random(1))

    def clock(self) -> Clock:
        """The clock of an agent that starts now."""
        return Clock(
            lambda: self.system,
            lambda: self.monotonic,
            lambda: self.ntp,
            rtc=self.rtc,
            rng=self.rng,
            boot=self.boot,
            released=self.released,
        )

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.true += seconds
        self.system += seconds
        self.monotonic += seconds

    def sleep(self, seconds: float) -> None:
        """Suspend the machine: its monotonic clock stands."""
        self.true += seconds
        self.system += seconds

    def reboot(self, off_s: float, system: float | None = None) -> None:
        """Switch it off for so long; its system's clock shows `system` then, the truth where that is None."""
        self.true += off_s
        self.system = self.true if system is None else system
        self.monotonic = 5.0
        self.boot += "x"
