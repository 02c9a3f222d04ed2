"""Register map of the amplifier controller "wardhub/amp8": a Modbus RTU server with eight relays.

Coils 0..7 are the relays. A closed relay is a lease: all are dropped when no valid write addressed to this
unit (function 5, 6, 15, 16, 23) came for `lease_ms`. Reading does not renew. A broadcast write acts, is not
answered, and renews. The status block is readable as input registers from STATUS_INPUT and as holding
registers from STATUS_HOLDING, so that function 23 (which writes first, then reads) can write a nonce and
read the status that proves it in one transaction.

Discrete inputs 0..7 are the relays read from the pins, 8..15 those of them that do not follow their order,
16..31 the bits of the status block's `flags`. Names of the block's registers and of those bits are in
`ward_protocol.portable.amplifier_reading`, which no controller carries.

Settings hold until the next reset. What holds after it is the configuration: CONFIG_SIZE registers from
CONFIG, staged in memory until COMMIT_STORE is written to COMMIT, which keeps them on the flash with a CRC.
Never by broadcast, and only while every relay is open. COMMIT_RESTART restarts the controller.

Ref: MODBUS Application Protocol Specification V1.1b3.
"""

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

RELAYS = 8

LEASE_MS = 0
MAX_ON_S = 1
NONCE = 2
SUPPLY = 3
ZONES = 4
WARM_UP_MS = 5
TEMPERATURE_LIMIT_DC = 6
CURRENT_LIMIT_MA = 7
SUPPLY_MIN_CV = 8
SETTINGS = 9
"""How many writable holding registers there are, from address 0."""

SETTING_RANGES = (
    (500, 10000),
    (1, 7200),
    (0, 0xFFFF),
    (0, 0xFF),
    (0, 0xFF),
    (0, 60000),
    (0, 1250),
    (0, 65000),
    (0, 6000),
)
"""Least and most of each setting; 0 as mask is no interlock, 0 as limit no trip."""

STATUS_INPUT = 0x0000
STATUS_HOLDING = 0x0100
DISCRETE_INPUTS = 32

TRIP_LEASE, TRIP_ON_TIME, TRIP_TEMPERATURE, TRIP_CURRENT, TRIP_VOLTAGE = 1, 2, 3, 4, 5

CONFIG = 0x0200
CONFIG_NAMES = (
    "unit",
    "baud",
    "lease_ms",
    "max_on_s",
    "supply",
    "zones",
    "warm_up_ms",
    "temperature_limit_dc",
    "current_limit_ma",
    "supply_min_cv",
)
CONFIG_DEFAULTS = (1, 192, 3000, 3600, 0, 0, 0, 850, 12000, 0)
CONFIG_SIZE = 10
CONFIG_SETTINGS = (LEASE_MS, MAX_ON_S, SUPPLY, ZONES, WARM_UP_MS, TEMPERATURE_LIMIT_DC, CURRENT_LIMIT_MA, SUPPLY_MIN_CV)
"""The settings that the configuration begins with, from its third register on."""
BAUDS = (96, 192, 384, 576, 1152)
"""What the register `baud` takes: hundreds of bit/s."""
COMMIT = CONFIG + CONFIG_SIZE
COMMIT_STORE, COMMIT_RESTART = 0x5AFE, 0xB007
"""What the register behind the configuration takes; it is read as 0."""


def setting_valid(register: int, value: int) -> bool:
    """Whether holding register `register` accepts `value`."""
    if not 0 <= register < SETTINGS:
        return False
    least, most = SETTING_RANGES[register]
    return least <= value <= most


def config_valid(index: int, value: int) -> bool:
    """Whether register `index` of the configuration accepts `value`."""
    if index == 0:
        return 1 <= value <= 247
    if index == 1:
        return value in BAUDS
    return setting_valid(CONFIG_SETTINGS[index - 2], value)


def pack_status(status: "Iterable[int]") -> bytes:
    """The block as register bytes, big-endian; counters wrap at 16 bits."""
    return b"".join([struct.pack(">H", value & 0xFFFF) for value in status])
