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
    number (names in `ward_protocol.portable.reset_cause`), ``trips`` how often the dead-man opened the
    relays since the controller started.
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
