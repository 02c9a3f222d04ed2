"""An amplifier in this process: the real core of its firmware with relays and sensors, on a line of this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ward_protocol.portable import reset_cause
from ward_sim.devices.contacts import Contacts
from ward_sim.line.inside import Core, Unit
from ward_sim.line.medium import Medium, Tap

RELAYS = 8
TEMPERATURE_DC = 250
CURRENT_MA = 350
SUPPLY_RELAY, SUPPLY_CV = 0, 2400


class CoreFactory(Protocol):
    """Makes a core, as `ward_firmware.amplifier.core.Amplifier` does; injected, for we do not know the firmware."""

    def __call__(
        self, unit: int, relays: CoreAmplifier, sensors: CoreAmplifier, *, baud: int, cause: int, now_us: int
    ) -> Core:
        """Start a core; `relays` and `sensors` stand for its pins."""
        ...


class CoreAmplifier:
    """Amplifier `unit` on `line`; `on_change(relay, closed)` is called for every contact that moves."""

    def __init__(
        self,
        name: str,
        unit: int,
        line: Medium,
        make: CoreFactory,
        *,
        on_change: Callable[[int, bool], None] = lambda _relay, _closed: None,
    ) -> None:
        self.name = name
        self.unit = unit
        self.level_mv = 0
        self._heat_dc = self._leak_ma = self._sag_mv = 0
        self.contacts = Contacts(RELAYS, on_change)
        self._cause = reset_cause.POWER_ON
        self._make = make
        self._baud = line.baud
        self._controller = Unit(line, name, self._boot, floating=self.contacts.release)

    @property
    def tap(self) -> Tap:
        """Where it is joined to the line."""
        return self._controller

    @property
    def alive(self) -> bool:
        """Whether the controller runs."""
        return self._controller.alive

    @property
    def relays(self) -> tuple[bool, ...]:
        """What each relay really is, True = closed."""
        return self.contacts.closed

    def strain(self, *, heat_dc: int = 0, leak_ma: int = 0, sag_mv: int = 0) -> None:
        """Be hotter (0.1 degC), draw more by a short, have less supply than now; what is negative undoes it."""
        self._heat_dc += heat_dc
        self._leak_ma += leak_ma
        self._sag_mv += sag_mv

    def hang(self) -> None:
        """Let the controller hang; its watchdog restarts it."""
        self._controller.hang()

    async def kill(self) -> None:
        """Cut the controller's power."""
        self._controller.kill()

    async def start(self) -> None:
        """Give it power again."""
        self._controller.start()

    def write(self, mask: int) -> None:
        """Drive all relays (the core's relay port)."""
        for relay in range(RELAYS):
            self.contacts.drive(relay, bool(mask >> relay & 1))

    def read(self) -> int:
        """What the pins carry (the core's relay port)."""
        return sum(on << relay for relay, on in enumerate(self.contacts.driven))

    def line_mv(self) -> int:
        """Loudspeaker line level (the core's sensors)."""
        return self.level_mv if self.relays[SUPPLY_RELAY] else 0

    def supply_cv(self) -> int:
        """Supply, steps of 10 mV (the core's sensors)."""
        return max(0, SUPPLY_CV - self._sag_mv // 10) if self.relays[SUPPLY_RELAY] else 0

    def temperature_dc(self) -> int:
        """Temperature, 0.1 degC (the core's sensors)."""
        return TEMPERATURE_DC + self._heat_dc

    def current_ma(self) -> int:
        """What the amplifier draws, mA (the core's sensors)."""
        if not self.supply_cv():
            return 0
        return CURRENT_MA + (self._leak_ma if sum(self.relays) > 1 else 0)

    def _boot(self, now_us: int) -> Core:
        return self._make(self.unit, self, self, baud=self._baud, cause=self._cause, now_us=now_us)
