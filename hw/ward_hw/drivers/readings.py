"""What an amplifier controller reports. ``at`` is the driver's clock at the moment the answer had arrived."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RelayReading:
    """Relays read back from the device after a write, in a transaction that cannot be an older one."""

    relays: frozenset[int]
    at: float


@dataclass(frozen=True, slots=True)
class AmplifierStatus:
    """A status reading; None for what the product does not measure.

    ``relays`` are the closed ones, ``temperature_dc`` tenths of a degree Celsius, ``reset_cause`` the raw
    number (names in `ward_protocol.portable.reset_cause`), ``trips`` how often a rule of the controller opened
    relays since it started, ``last_trip`` the latest of those rules. ``lasting`` are the causes for which no relay
    may close now, ``latched`` the relays that must be written open before they may. Rules and causes are named as
    in `ward_protocol.portable.amplifier_reading.TRIP_NAMES`. ``supply_present`` is whether what is measured behind the
    supply's contact is enough to be called supply.
    """

    relays: frozenset[int]
    at: float
    line_level_mv: int | None = None
    supply_mv: int | None = None
    temperature_dc: int | None = None
    lease_left_ms: int | None = None
    uptime_s: int | None = None
    reset_cause: int | None = None
    trips: int | None = None
    current_ma: int | None = None
    last_trip: str | None = None
    lasting: frozenset[str] = frozenset()
    latched: frozenset[int] = frozenset()
    supply_present: bool | None = None

    @property
    def forbids(self) -> str:
        """Why the controller closes a relay not at all, or not yet, in words for a log; empty where nothing says so."""
        if self.lasting:
            measured = {
                "temperature": f"at {(self.temperature_dc or 0) / 10:.1f} °C",
                "current": f"at {self.current_ma} mA",
                "voltage": f"at {self.supply_mv} mV",
            }
            causes = ", ".join(f"{cause} {measured[cause]}" for cause in sorted(self.lasting))
            return f"the controller forbids it: {causes}"
        if self.latched:
            return f"the controller keeps relays {sorted(self.latched)} open, last trip: {self.last_trip}"
        return ""
