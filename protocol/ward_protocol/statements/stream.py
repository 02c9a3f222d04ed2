"""A live stream that an order puts on air: where it comes in, how it is protected, what it holds, when it ends.

Its key is symmetric: whoever has it can speak in the stream. So an order, which anybody may read, holds it locked to
each hub that is to have it, and to nobody else.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from ward_protocol import cbor
from ward_protocol.channel import BOX_OVERHEAD, ChannelKey, lock
from ward_protocol.schema import Codec, blob, key, one_of, table, uint
from ward_protocol.statements.documents import IDENTIFIER

MASTER_SIZE = 30  # of an SRTP master key and its master salt, RFC 3711 §3.2.1
MOST_HUBS = 64
WHAT = "wardhub stream key 1"
LONGEST_S = 3600
_DYNAMIC = range(96, 128)  # payload types without a fixed meaning, RFC 3551 §6


class Suite(IntEnum):
    """How packets are encrypted and authenticated, by the number of the SRTP protection profile (RFC 5764 §4.1.2)."""

    AES_CM_128_HMAC_SHA1_80 = 1


class StreamCodec(StrEnum):
    """What packets hold, by its RTP encoding name (RFC 7587 §7, RFC 3551 §4.5)."""

    OPUS = "opus"
    PCMA = "PCMA"
    L16 = "L16"


# Clock rates and the highest number of channels of each, and the payload types that have a fixed meaning.
# Ref: RFC 7587 §4.1 (always 48,000), RFC 3551 §4.5.14 and table 4.
_RATES = {
    StreamCodec.OPUS: frozenset({48_000}),
    StreamCodec.PCMA: frozenset({8000}),
    StreamCodec.L16: frozenset({8000, 16_000, 24_000, 32_000, 44_100, 48_000}),
}
_CHANNELS = {StreamCodec.OPUS: 2, StreamCodec.PCMA: 1, StreamCodec.L16: 2}
_FIXED = {8: (StreamCodec.PCMA, 8000, 1), 10: (StreamCodec.L16, 44_100, 2), 11: (StreamCodec.L16, 44_100, 1)}


def _group(item: object) -> str:
    """Read a multicast group in its one canonical form."""
    if type(item) is not str:
        raise ValueError("a text is needed")
    try:
        address = ipaddress.ip_address(item)
    except ValueError as error:
        raise ValueError("an IPv4 or IPv6 address is needed") from error
    if not address.is_multicast or str(address) != item or "%" in item:
        raise ValueError("a multicast group in its shortest form is needed")
    return item


@dataclass(frozen=True, slots=True)
class Stream:
    """RTP over UDP, protected as SRTP; `keys` holds its master key and salt by hub id, as `lock_master` gives them.

    `address` is a multicast group to join; without one the stream comes to the hub's own addresses. With `ssrc` only
    packets of that source count; without it the first that authenticates chooses. It ends `max_s` after its beginning,
    and earlier where nothing authentic came for `silence_s`.
    """

    port: int = key(1, uint(65_535, 1024))
    suite: Suite = key(2, one_of(Suite))
    keys: Mapping[str, bytes] = key(3, table(IDENTIFIER, blob(MASTER_SIZE + BOX_OVERHEAD), MOST_HUBS))
    codec: StreamCodec = key(4, one_of(StreamCodec))
    payload_type: int = key(5, uint(127))
    clock_rate: int = key(6, uint(48_000, 8000))
    channels: int = key(7, uint(2, 1))
    max_s: int = key(8, uint(LONGEST_S, 1))
    address: str = key(9, Codec(str, _group), default="")
    ssrc: int | None = key(10, uint(2**32 - 1), default=None)
    silence_s: int = key(11, uint(30, 1), default=10)

    def __post_init__(self) -> None:
        if not self.keys:
            raise ValueError("a stream whose key no hub can have")
        if self.clock_rate not in _RATES[self.codec] or self.channels > _CHANNELS[self.codec]:
            raise ValueError(f"{self.codec} has no {self.channels} channels at a clock of {self.clock_rate} Hz")
        if self.payload_type in _DYNAMIC:
            return
        if _FIXED.get(self.payload_type) != (self.codec, self.clock_rate, self.channels):
            raise ValueError(f"payload type {self.payload_type} means something else; 96 to 127 are free")


def lock_master(master: bytes, public: bytes, *, issuer: str, sequence: int, hub: str) -> bytes:
    """Lock a stream's master key and salt to a hub's end of its channel, for one order alone. Raises MisuseError."""
    return lock(master, public, _info(issuer, sequence, hub))


def unlock_master(box: bytes, own: ChannelKey, *, issuer: str, sequence: int, hub: str) -> bytes:
    """Return what `lock_master` locked for the same order and hub; raises MisuseError for anything else."""
    return own.unlock(box, _info(issuer, sequence, hub))


def _info(issuer: str, sequence: int, hub: str) -> bytes:
    """Whoever copies a box into an order of their own has nothing of it: the order's number is part of the lock."""
    return cbor.encode([WHAT, issuer, sequence, hub])
