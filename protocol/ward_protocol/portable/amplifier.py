"""Register map of the amplifier controller "wardhub/amp8": a Modbus RTU server with eight relays.

Coils 0..7 are the relays. A closed relay is a lease: all are dropped when no valid write addressed to this
unit (function 5, 6, 15, 16, 23) came for `lease_ms`. Reading does not renew. A broadcast write acts, is not
answered, and renews. The status block is readable as input registers from STATUS_INPUT and as holding
registers from STATUS_HOLDING, so that function 23 (which writes first, then reads) can write a nonce and
read the status that proves it in one transaction.

Ref: MODBUS Application Protocol Specification V1.1b3.
"""

import struct
from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NamedTuple

    class Status(NamedTuple):
        """The status block, in register order."""

        nonce: int
        relays: int  # bit n = relay n, read from the pins
        line_mv: int  # loudspeaker line level
        supply_cv: int  # amplifier supply in steps of 10 mV
        temperature_dc: int  # signed, 0.1 degC
        lease_left_ms: int  # 0 when no relay is closed
        uptime_s: int  # low 16 bits
        reset_cause: int  # ward_protocol.portable.reset_cause
        trips: int  # times the dead-man opened relays
        frames_ok: int
        frames_bad: int
        version: int  # major << 8 | minor

else:
    Status = namedtuple(
        "Status",
        (
            "nonce",
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
        ),
    )

RELAYS = 8

LEASE_MS = 0
MAX_ON_S = 1
NONCE = 2
SETTINGS = 3
"""How many writable holding registers there are, from address 0."""

LEASE_MIN_MS = 500
LEASE_MAX_MS = 10000
LEASE_DEFAULT_MS = 3000
MAX_ON_MIN_S = 1
MAX_ON_MAX_S = 7200
MAX_ON_DEFAULT_S = 3600

STATUS_INPUT = 0x0000
STATUS_HOLDING = 0x0100
STATUS_SIZE = 12


def setting_valid(register: int, value: int) -> bool:
    """Whether holding register `register` accepts `value`."""
    if register == LEASE_MS:
        return LEASE_MIN_MS <= value <= LEASE_MAX_MS
    if register == MAX_ON_S:
        return MAX_ON_MIN_S <= value <= MAX_ON_MAX_S
    return register == NONCE and 0 <= value <= 0xFFFF


def pack_status(status: Status) -> bytes:
    """The block as register bytes, big-endian; counters wrap at 16 bits."""
    return b"".join([struct.pack(">H", value & 0xFFFF) for value in status])


def unpack_status(registers: "Sequence[int]") -> Status:
    """The block from its STATUS_SIZE register values. Raises ValueError on another number of them."""
    if len(registers) != STATUS_SIZE:
        raise ValueError("amplifier: status block of %d registers" % len(registers))
    values = list(registers)
    if values[4] >= 0x8000:
        values[4] -= 0x10000
    return Status(*values)
