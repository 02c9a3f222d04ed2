"""What a master makes of the amplifier's registers. Not on the controller, where every name costs flash.

Ref: ward_protocol.portable.amplifier (register map).
"""

from ward_protocol.portable.amplifier import STATUS_SIZE, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

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


def unpack_status(registers: "Sequence[int]") -> Status:
    """The block from its STATUS_SIZE register values. Raises ValueError on another number of them."""
    if len(registers) != STATUS_SIZE:
        raise ValueError("amplifier: status block of %d registers" % len(registers))
    values = list(registers)
    if values[4] >= 0x8000:
        values[4] -= 0x10000
    return Status(*values)


def flags_in(status: Status) -> "frozenset[str]":
    """Names of the set flags."""
    return frozenset(name for bit, name in enumerate(FLAG_NAMES) if status.flags >> bit & 1)
