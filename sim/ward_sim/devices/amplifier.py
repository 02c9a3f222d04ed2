"""A simulated amplifier: the controller's relays switch its supply and zones, its sensors see the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ward_sim.devices.contacts import Contacts
from ward_sim.devices.device import Device

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ward_sim.line import Line

# How the controller's board is soldered, as its schematic says; kept apart from the firmware's own pins file.
RELAY_PINS = (6, 7, 8, 9, 10, 11, 12, 13)
LINE_PIN, LINE_FULL_SCALE_MV = 26, 50_000
SUPPLY_PIN, SUPPLY_FULL_SCALE_MV = 27, 40_000
TEMPERATURE_PIN, REFERENCE_MV = 28, 3300
CURRENT_PIN, CURRENT_FULL_SCALE_MA = 29, 20_000

SUPPLY_RELAY = 0
SUPPLY_MV = 24_000

# What a class D amplifier draws: itself, and the power of its horns over its efficiency.
IDLE_MA = 350
ZONE_OHM = 50
EFFICIENCY = 0.8


class SimAmplifier(Device):
    """Amplifier `unit` on `line`; `on_change(amplifier, relay, closed)` is called for every relay that moves."""

    def __init__(
        self,
        name: str,
        unit: int,
        line: Line,
        *,
        on_change: Callable[[SimAmplifier, int, bool], None],
        settings: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(name, "amplifier", line, self, {"unit": unit, "baud": line.baud, **(settings or {})})
        self.unit = unit
        self.line_mv = 0
        self.mains_mv = SUPPLY_MV
        self.leak_ma = 0
        self.temperature_dc = 250
        self._on_change = on_change
        self.contacts = Contacts(len(RELAY_PINS), self._moved)
        self.set_temperature(self.temperature_dc)
        self._feed()

    @property
    def relays(self) -> tuple[bool, ...]:
        """What each relay really is, True = closed."""
        return self.contacts.closed

    @property
    def supply_mv(self) -> int:
        """Supply of the amplifier behind the supply relay."""
        return max(0, self.mains_mv) if self.relays[SUPPLY_RELAY] else 0

    @property
    def current_ma(self) -> int:
        """What the amplifier draws from its supply: itself, the horns behind closed zones, and what is broken."""
        if not self.supply_mv:
            return 0
        zones = sum(self.relays) - 1
        horns_mw = zones * self.line_mv**2 // (ZONE_OHM * 1000)
        return IDLE_MA + round(horns_mw * 1000 / self.supply_mv / EFFICIENCY) + (self.leak_ma if zones else 0)

    def set_line_level(self, millivolts: int) -> None:
        """What the amplifier would put on the loudspeaker line; without supply it puts out nothing."""
        self.line_mv = millivolts
        self._feed()

    def set_mains(self, millivolts: int) -> None:
        """What the supply gives once its relay is closed: less than SUPPLY_MV is a brown-out."""
        self.mains_mv = millivolts
        self._feed()

    def set_leak(self, milliamps: int) -> None:
        """What a short on the loudspeaker line draws as soon as a zone is closed."""
        self.leak_ma = milliamps
        self._feed()

    def set_temperature(self, tenths: int) -> None:
        """Temperature of the heat sink in 0.1 degC."""
        self.temperature_dc = tenths
        self._controller.set_analogue(TEMPERATURE_PIN, round((tenths + 500) * 65535 / REFERENCE_MV))

    def strain(self, *, heat_dc: int = 0, leak_ma: int = 0, sag_mv: int = 0) -> None:
        """Be hotter (0.1 degC), draw more by a short, have less supply than now; what is negative undoes it."""
        self.set_temperature(self.temperature_dc + heat_dc)
        self.set_leak(self.leak_ma + leak_ma)
        self.set_mains(self.mains_mv - sag_mv)

    def pin(self, number: int, level: int) -> None:
        """Wires: a pin of the controller was driven."""
        if number in RELAY_PINS:
            self.contacts.drive(RELAY_PINS.index(number), bool(level))

    def spi(self, data: bytes) -> None:
        """Wires: nothing is on the amplifier's SPI."""

    def floating(self) -> None:
        """Wires: pull-downs open every relay."""
        self.contacts.release()

    def _moved(self, relay: int, closed: bool) -> None:
        self._feed()
        self._on_change(self, relay, closed)

    def _feed(self) -> None:
        level = self.line_mv if self.supply_mv else 0
        self._controller.set_analogue(LINE_PIN, round(level * 65535 / LINE_FULL_SCALE_MV))
        self._controller.set_analogue(SUPPLY_PIN, round(self.supply_mv * 65535 / SUPPLY_FULL_SCALE_MV))
        self._controller.set_analogue(CURRENT_PIN, round(self.current_ma * 65535 / CURRENT_FULL_SCALE_MA))
