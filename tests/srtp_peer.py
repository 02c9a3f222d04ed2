"""RTP packets made by hand and protected by libsrtp: the peer of our receiver, which shares no code with it."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from pylibsrtp import Policy, Session

MASTER = bytes(range(100, 130))
OTHER_MASTER = bytes(30)
SSRC = 0x9234ABCD
PAYLOAD_TYPE = 96


def rtp(
    sequence: int, payload: bytes, *, ssrc: int = SSRC, payload_type: int = PAYLOAD_TYPE, timestamp: int | None = None
) -> bytes:
    """Return a packet with a plain header; the timestamp is that of packets of 20 ms at 48 kHz."""
    moment = sequence * 960 if timestamp is None else timestamp
    return struct.pack(">BBHII", 0x80, payload_type, sequence & 0xFFFF, moment & 0xFFFFFFFF, ssrc) + payload


class Peer:
    """Protects packets in the order in which they are given, so that libsrtp counts the rollovers."""

    def __init__(self, master: bytes = MASTER) -> None:
        self._session = Session(Policy(key=master, ssrc_type=Policy.SSRC_ANY_OUTBOUND))

    def protect(self, packet: bytes) -> bytes:
        return self._session.protect(packet)

    def many(
        self, payloads: Iterable[bytes], *, first: int = 1, ssrc: int = SSRC, payload_type: int = PAYLOAD_TYPE
    ) -> list[bytes]:
        return [
            self.protect(rtp(number, payload, ssrc=ssrc, payload_type=payload_type))
            for number, payload in enumerate(payloads, first)
        ]


def flipped(packet: bytes, bit: int) -> bytes:
    """Return the packet with one bit changed."""
    at = bit // 8
    return packet[:at] + bytes([packet[at] ^ 1 << bit % 8]) + packet[at + 1 :]
