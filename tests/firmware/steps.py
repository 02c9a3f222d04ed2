"""Random steps for the controllers' cores: good requests, bad ones, noise, torn frames, time that wraps."""

from __future__ import annotations

import binascii
import random
import struct
from typing import TYPE_CHECKING

from ward_protocol.portable import board as b
from ward_protocol.portable import link
from ward_protocol.portable.crc16 import seal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UNIT = 17
WRAP_US = 2**30


def amplifier_request(rng: random.Random) -> bytes:
    """One Modbus request, mostly to the unit, mostly in range."""
    unit = rng.choice((UNIT, UNIT, UNIT, UNIT, 0, 18))
    address = rng.choice((0, 0, 0, 0, 0, 0, 1, 2, 3, 7, 0x100, 0x10B, 0x200, 0x202, 0x204, 0x20A))
    count = rng.choice((1, 1, 2, 3, 8, 8, 12))
    function = rng.choice((1, 2, 3, 4, 5, 5, 6, 15, 15, 15, 16, 23, 43, 8))
    if function == 5:
        rest = struct.pack(">HH", address, rng.choice((0, 0xFF00, 0xFF00, 1)))
    elif function == 6:
        rest = struct.pack(">HH", address, rng.choice((0, 6, 500, 700, 3000, 0x5AFE, 0xB007, rng.randrange(65536))))
    elif function == 15:
        rest = struct.pack(">HHBB", address, count, 1, rng.randrange(256))
    elif function in {16, 23}:
        values = struct.pack(f">{count}H", *(rng.choice((1, 500, 600, 3000)) for _ in range(count)))
        rest = struct.pack(">HHB", address, count, len(values)) + values
        if function == 23:
            rest = struct.pack(">HH", rng.choice((0x100, 0)), rng.choice((12, 3, 1))) + rest
    elif function == 43:
        rest = bytes((rng.choice((14, 14, 14, 13)), rng.randrange(6), rng.choice((0, 0, 2, 4, 5, 0x80, 0x81))))
    else:
        rest = struct.pack(">HH", address, count)
    return seal(bytes((unit, function)) + rest)


def board_request(rng: random.Random) -> bytes:
    """One frame of the board link; shows use a strip whose contents follow from its width, so that CRCs often hold."""
    slot = rng.choice((0, 0, 0, 1, 1, 3, 4))
    width = (8, 100, 20, 64, 64)[slot]
    strip = bytes((7 * at + width) & 0xFF for at in range(b.row_bytes(width) * 16))
    kind = rng.randrange(9)
    if kind == 0:
        op, body = b.STRIP, b.pack_strip(b.Strip(slot, width, rng.choice((16, 16, 16, 16, 16, 0, 40))))
    elif kind <= 2:
        op, body = b.DATA, b.pack_data(b.Data(slot, rng.choice((0, 0, 0, 0, 0, 3)), strip))
    elif kind <= 4:
        window = b.Window(slot, binascii.crc32(strip), rng.randrange(9), 0, 50, 16, rng.choice((0, 1)), 40)
        op, body = b.SHOW, b.pack_show(b.Show(rng.randrange(2), rng.choice((900, 30000)), (window,)))
    elif kind == 5:
        op, body = b.RENEW, b.pack_renew(b.Renew(rng.randrange(2), 2000))
    else:
        op, body = rng.choice(((b.IDENT, b""), (b.STATUS, b""), (b.STATUS, b""), (b.BLANK, b""), (9, b""), (2, b"?")))
    return link.encode(rng.randrange(256), op, body)


def steps(rng: random.Random, request: Callable[[random.Random], bytes], count: int) -> Iterator[str]:
    """Lines for `lockstep.py`, three for each request: where it is torn, the line is looked at in between."""
    now_us = WRAP_US - 5_000_000
    for _ in range(count):
        data = request(rng)
        damage = rng.random()
        if damage < 0.05:
            data = data[: rng.randrange(len(data))]
        elif damage < 0.1:
            data = rng.randbytes(rng.randrange(1, 9)) + data
        elif damage < 0.15:
            at = rng.randrange(len(data))
            data = data[:at] + bytes((data[at] ^ 1 << rng.randrange(8),)) + data[at + 1 :]
        cut = rng.randrange(len(data) + 1) if rng.random() < 0.3 else len(data)
        for piece in (data[:cut], b"", data[cut:]):
            now_us = (now_us + rng.choice((0, 500, 500, 500, 1500, 3000, 30_000, 100_000, 800_000))) % WRAP_US
            yield f"{now_us} {piece.hex()}"
