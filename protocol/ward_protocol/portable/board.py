"""Messages of the board controller: bodies of `ward_protocol.portable.link` frames, integers big-endian.

A reply repeats the request's seq, has op | REPLY, and its body begins with one status byte.

A show: STRIP allocates strips of the *pending* set, DATA fills them, SHOW checks their CRC-32s and swaps the
set in at once; the show before stays until then and is never disturbed. An accepted SHOW empties the pending
set; the very same SHOW sent again (its answer was lost) only restarts the lease. STRIP with width or height 0
frees its slot. Rows of a strip are padded to bytes, MSB = leftmost pixel.

CONFIGURE without a body tells the configuration that the flash holds; with one it keeps another, which is in
force after RESTART or any other reset. Both carry a magic number, and are refused with NOT_NOW while a show is lit.

Windows lie wholly inside the board, are opaque (dark pixels too) and are painted in order: a later one covers
an earlier one. Static: window pixel (c, r) shows strip pixel (c, r), dark where the strip ends. Scroll: strip
width S, window width W, period P = S + W <= 65535, offset o = floor(elapsed_us * speed / 1e6) mod P counted
from the SHOW; window column c shows strip column c + o - W, dark outside the strip. So at o = 0 the window is
dark and text enters from the right.
"""

import struct
from collections import namedtuple

from ward_protocol.portable.link import MAX_BODY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    class Ident(NamedTuple):
        """Answer to IDENT; `memory` is the bytes one set of strips may take."""

        width: int
        height: int
        version: int
        memory: int
        reset_cause: int
        serial: bytes  # 8 bytes

    class Strip(NamedTuple):
        """Body of STRIP."""

        slot: int
        width: int
        height: int

    class Data(NamedTuple):
        """Body of DATA: `data` goes to byte `offset` of the strip."""

        slot: int
        offset: int
        data: bytes

    class Window(NamedTuple):
        """One window of a SHOW; `crc32` is of the strip's bytes; `speed` in px/s, at least 1 to scroll."""

        slot: int
        crc32: int
        x: int
        y: int
        w: int
        h: int
        mode: int
        speed: int

    class Show(NamedTuple):
        """Body of SHOW."""

        show_id: int
        lease_ms: int
        windows: tuple[Window, ...]

    class Renew(NamedTuple):
        """Body of RENEW."""

        show_id: int
        lease_ms: int

    class Status(NamedTuple):
        """Answer to STATUS; `offsets` and `digest` are of the frame lit now.

        After BLANK show_id is 0; after a lease ran out it stays, with STATE_LEASE_OUT and no offsets.
        """

        show_id: int
        state: int
        lease_left_ms: int
        uptime_s: int
        offsets: tuple[int, ...]
        digest: bytes  # SHA-256 of the frame buffer, first 16 bytes

    class Info(NamedTuple):
        """Answer to INFO; `flags` are FLAG_*, counters wrap."""

        boots: int  # starts counted on the flash
        frames_ok: int
        frames_bad: int
        flags: int
        model: bytes

    class Config(NamedTuple):
        """Body of CONFIGURE and answer to it: bit/s, and modules of the panel."""

        baud: int
        modules_wide: int
        modules_high: int

else:
    Info = namedtuple("Info", ("boots", "frames_ok", "frames_bad", "flags", "model"))
    Config = namedtuple("Config", ("baud", "modules_wide", "modules_high"))
    Ident = namedtuple("Ident", ("width", "height", "version", "memory", "reset_cause", "serial"))
    Strip = namedtuple("Strip", ("slot", "width", "height"))
    Data = namedtuple("Data", ("slot", "offset", "data"))
    Window = namedtuple("Window", ("slot", "crc32", "x", "y", "w", "h", "mode", "speed"))
    Show = namedtuple("Show", ("show_id", "lease_ms", "windows"))
    Renew = namedtuple("Renew", ("show_id", "lease_ms"))
    Status = namedtuple("Status", ("show_id", "state", "lease_left_ms", "uptime_s", "offsets", "digest"))

IDENT, STRIP, DATA, SHOW, STATUS, RENEW, BLANK, INFO, CONFIGURE, RESTART = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
REPLY = 0x80

OK, BAD_OP, BAD_FIELD, NO_STRIP, CRC_MISMATCH, NO_MEMORY, NOT_NOW = 0, 1, 2, 3, 4, 5, 6
STATUS_NAMES = ("ok", "bad operation", "bad length or field", "no such strip", "CRC mismatch", "no memory", "not now")

STATE_BLANK, STATE_SHOWING, STATE_LEASE_OUT = 0, 1, 2
MODE_STATIC, MODE_SCROLL = 0, 1

FLAG_CONFIG_DEFAULT, FLAG_CONFIG_DAMAGED, FLAG_CONFIG_WAITING = 1, 2, 4
CONFIG_NAMES = ("baud", "modules_wide", "modules_high")
CONFIG_DEFAULTS = (115200, 2, 1)
BAUDS = (9600, 19200, 38400, 57600, 115200)
CONFIGURE_MAGIC, RESTART_MAGIC = 0x5AFE, 0xB007

SLOTS = 4
MAX_LEASE_MS = 60000
MAX_PERIOD = 0xFFFF
MAX_DATA = MAX_BODY - 5
"""Most strip bytes in one DATA."""

_IDENT = ">HHHIB8s"
_WINDOW = ">BIHHHHBH"
_STATUS = ">IBIIB"
_INFO = ">HHHB"
_CONFIG = ">HIBB"


def row_bytes(width: int) -> int:
    """Bytes of one row of a strip `width` pixels wide."""
    return (width + 7) // 8


def _exact(layout: str, body: bytes) -> "tuple[int, ...]":
    return struct.unpack(layout, _sized(layout, body))


def _sized(layout: str, body: bytes) -> bytes:
    # MicroPython's struct.unpack ignores surplus bytes, CPython's does not.
    if len(body) != struct.calcsize(layout):
        raise ValueError("board: body of %d bytes" % len(body))
    return body


def pack_ident(ident: Ident) -> bytes:
    """Reply body of IDENT, behind the status byte."""
    return struct.pack(_IDENT, *ident)


def unpack_ident(body: bytes) -> Ident:
    """Inverse of `pack_ident`; like all of these raises ValueError on a malformed body."""
    width, height, version, memory, cause, serial = struct.unpack(_IDENT, _sized(_IDENT, body))
    return Ident(width, height, version, memory, cause, serial)


def pack_strip(strip: Strip) -> bytes:
    """Body of STRIP."""
    return struct.pack(">BHH", *strip)


def unpack_strip(body: bytes) -> Strip:
    """Inverse of `pack_strip`."""
    return Strip(*_exact(">BHH", body))


def pack_data(data: Data) -> bytes:
    """Body of DATA; raises ValueError over MAX_DATA bytes."""
    if len(data.data) > MAX_DATA:
        raise ValueError("board: over %d bytes of data" % MAX_DATA)
    return struct.pack(">BI", data.slot, data.offset) + data.data


def unpack_data(body: bytes) -> Data:
    """Inverse of `pack_data`."""
    slot, offset = _exact(">BI", body[:5])
    return Data(slot, offset, body[5:])


def pack_show(show: Show) -> bytes:
    """Body of SHOW."""
    head = struct.pack(">IIB", show.show_id, show.lease_ms, len(show.windows))
    return head + b"".join([struct.pack(_WINDOW, *window) for window in show.windows])


def unpack_show(body: bytes) -> Show:
    """Inverse of `pack_show`; sizes are checked, field ranges are the board's business."""
    show_id, lease_ms, count = _exact(">IIB", body[:9])
    size = struct.calcsize(_WINDOW)
    if len(body) != 9 + count * size:
        raise ValueError("board: show of %d bytes for %d windows" % (len(body), count))
    windows = [Window(*struct.unpack_from(_WINDOW, body, 9 + index * size)) for index in range(count)]
    return Show(show_id, lease_ms, tuple(windows))


def pack_renew(renew: Renew) -> bytes:
    """Body of RENEW."""
    return struct.pack(">II", *renew)


def unpack_renew(body: bytes) -> Renew:
    """Inverse of `pack_renew`."""
    return Renew(*_exact(">II", body))


def pack_status(status: Status) -> bytes:
    """Reply body of STATUS, behind the status byte."""
    show_id, state, lease_left_ms, uptime_s, offsets, digest = status
    head = struct.pack(_STATUS, show_id, state, lease_left_ms, uptime_s, len(offsets))
    return head + b"".join([struct.pack(">H", offset) for offset in offsets]) + digest


def unpack_status(body: bytes) -> Status:
    """Inverse of `pack_status`."""
    size = struct.calcsize(_STATUS)
    show_id, state, lease_left_ms, uptime_s, count = _exact(_STATUS, body[:size])
    if len(body) != size + 2 * count + 16:
        raise ValueError("board: status of %d bytes for %d windows" % (len(body), count))
    offsets = struct.unpack(">%dH" % count, body[size : size + 2 * count])
    return Status(show_id, state, lease_left_ms, uptime_s, offsets, body[-16:])


def pack_info(info: Info) -> bytes:
    """Reply body of INFO, behind the status byte."""
    counters = [value & 0xFFFF for value in info[:3]]
    return struct.pack(_INFO, *counters, info.flags) + info.model


def unpack_info(body: bytes) -> Info:
    """Inverse of `pack_info`."""
    size = struct.calcsize(_INFO)
    boots, frames_ok, frames_bad, flags = _exact(_INFO, body[:size])
    return Info(boots, frames_ok, frames_bad, flags, body[size:])


def config_valid(index: int, value: int) -> bool:
    """Whether field `index` of a Config can be `value`."""
    if index == 0:
        return value in BAUDS
    return 1 <= value <= (16, 8)[index - 1]


def pack_config(config: Config) -> bytes:
    """Body of CONFIGURE."""
    return struct.pack(_CONFIG, CONFIGURE_MAGIC, *config)


def unpack_config(body: bytes) -> Config:
    """Inverse of `pack_config`; ranges are judged by `config_valid`."""
    magic, baud, wide, high = _exact(_CONFIG, body)
    if magic != CONFIGURE_MAGIC:
        raise ValueError("board: not the number that keeps a configuration")
    return Config(baud, wide, high)


def pack_restart() -> bytes:
    """Body of RESTART, which has no other."""
    return struct.pack(">H", RESTART_MAGIC)
