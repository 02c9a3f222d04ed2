"""Frames of the board link: COBS( seq u8 | op u8 | body | CRC-32 little-endian ) 0x00.

The CRC is zlib's (binascii.crc32) over seq, op and body. A delimiter always ends a frame, so a receiver is in
step again after the first 0x00 whatever came before. Empty frames are ignored: a sender that met noise may
begin with a delimiter.
"""

import binascii
import struct
from collections import namedtuple

from ward_protocol.portable import cobs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    class Frame(NamedTuple):
        """One decoded frame: sequence number, operation, body."""

        seq: int
        op: int
        body: bytes

else:
    Frame = namedtuple("Frame", ("seq", "op", "body"))

MAX_FRAME = 1024
"""Largest decoded frame in bytes, with seq, op and CRC."""
OVERHEAD = 6
MAX_BODY = MAX_FRAME - OVERHEAD
MAX_WIRE = cobs.encoded_size(MAX_FRAME)
"""Most bytes between two delimiters."""


def encode(seq: int, op: int, body: bytes = b"") -> bytes:
    """The bytes on the wire, delimiter included. Raises ValueError when `body` is over MAX_BODY bytes."""
    if len(body) > MAX_BODY:
        raise ValueError("link: body over %d bytes" % MAX_BODY)
    content = bytes((seq & 0xFF, op)) + body
    return cobs.encode(content + struct.pack("<I", binascii.crc32(content))) + b"\0"


def decode(stuffed: bytes) -> Frame:
    """The frame between two delimiters. Raises ValueError when it is damaged."""
    content = cobs.decode(stuffed)
    if not OVERHEAD <= len(content) <= MAX_FRAME:
        raise ValueError("link: bad frame size")
    body = content[:-4]
    if struct.pack("<I", binascii.crc32(body)) != content[-4:]:
        raise ValueError("link: bad CRC")
    return Frame(body[0], body[1], body[2:])


class Deframer:
    """Cuts a byte stream, in whatever chunks it comes, into frames; damage costs the frame it fell into only.

    `good` and `bad` count frames. Memory stays below MAX_WIRE bytes plus one chunk.
    """

    def __init__(self) -> None:
        self.good = 0
        self.bad = 0
        self._held = b""
        self._skipping = False

    def feed(self, data: bytes) -> "list[Frame]":
        """The frames completed by `data`, in order."""
        frames: list[Frame] = []
        pieces = (self._held + bytes(data)).split(b"\0")
        self._held = pieces.pop()
        for piece in pieces:
            if self._skipping:
                self._skipping = False  # the delimiter that ends an oversized frame, counted already
            elif piece:
                self._take(piece, frames)
        if len(self._held) > MAX_WIRE:
            self._held = b""
            if not self._skipping:
                self._skipping = True
                self.bad += 1
        return frames

    def _take(self, piece: bytes, frames: "list[Frame]") -> None:
        try:
            frames.append(decode(piece))
        except ValueError:
            self.bad += 1
        else:
            self.good += 1
