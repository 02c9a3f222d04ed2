"""What a master makes of the amplifier's registers. Not on the controller, where every name costs flash.

Ref: ward_protocol.portable.amplifier (register map).
"""

from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NamedTuple

    class Status(NamedTuple):
        """The status block, in register order."""

        nonce: int
        identity: int  # CRC-16 of the serial number: which controller answers
        relays: int  # bit n = relay n, read from the pins
        line_mv: int  # loudspeaker line level
        supply_cv: int  # amplifier supply in steps of 10 mV
        temperature_dc: int  # signed, 0.1 degC
        lease_left_ms: int  # 0 when no relay is closed
        uptime_s: int  # low 16 bits
        reset_cause: int  # ward_protocol.portable.reset_cause
        trips: int  # times a rule opened relays, of all causes
        frames_ok: int
        frames_bad: int
        version: int  # major << 8 | minor
        current_ma: int  # what the amplifier draws
        flags: int  # FLAG_NAMES, and from bit 8 on the relays that must be written open first
        last_trip: int  # TRIP_NAMES, 0 = none since reset
        lease_trips: int
        on_time_trips: int
        temperature_trips: int
        current_trips: int
        voltage_trips: int
        boots: int  # starts counted on the flash
        refused: int  # orders to close a relay that interlock or trip forbade

else:
    Status = namedtuple(
        "Status",
        (
            "nonce",
            "identity",
            "relays",
            "line_mv",
            "supply_cv",
            "temperature_dc",
            "lease_left_ms",
            "uptime_s",
            "reset_cause",
            "trips",
            "frames_ok",
            "frames_bad",
            "version",
            "current_ma",
            "flags",
            "last_trip",
            "lease_trips",
            "on_time_trips",
            "temperature_trips",
            "current_trips",
            "voltage_trips",
            "boots",
            "refused",
        ),
    )

STATUS_SIZE = 23
STATUS_POLLED = 16
"""How much of the block, from its beginning, a hub reads all the time; the rest is for a look at what happened."""

FLAG_NAMES = (
    "supply_present",
    "warm",
    "over_temperature",
    "over_current",
    "under_voltage",
    "config_default",
    "config_damaged",
    "config_waiting",
)
"""Bits 0 to 7 of `flags`."""
TRIP_NAMES = ("none", "lease", "on-time", "temperature", "current", "voltage")
"""Values of `last_trip`."""
LASTING = {"over_temperature": "temperature", "over_current": "current", "under_voltage": "voltage"}
"""Flags that say that the cause of a trip lasts, and its name in TRIP_NAMES."""


def unpack_status(registers: "Sequence[int]") -> Status:
    """The block from its STATUS_SIZE register values. Raises ValueError on another number of them."""
    if len(registers) != STATUS_SIZE:
        raise ValueError("amplifier: status block of %d registers" % len(registers))
    values = list(registers)
    if values[5] >= 0x8000:
        values[5] -= 0x10000
    return Status(*values)


def flags_in(status: Status) -> "frozenset[str]":
    """Names of the set flags."""
    return frozenset(name for bit, name in enumerate(FLAG_NAMES) if status.flags >> bit & 1)
