"""RTP packets, read strictly: what a datagram holds and where its payload begins.

Ref: RFC 3550 §5.1 (fixed header), §5.3.1 (header extension); RFC 6716 §3.1 (durations of Opus packets).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

FIXED_SIZE = 12
_FIXED = struct.Struct(">BBHII")
_VERSION = 2
_OPUS_CLOCK = 48_000
_LONGEST_OPUS = _OPUS_CLOCK * 120 // 1000
# Clock ticks of one frame for the four sizes of SILK, the two of hybrid and the four of CELT modes.
_SILK, _HYBRID, _CELT = (480, 960, 1920, 2880), (480, 960), (120, 240, 480, 960)


class BadPacket(Exception):
    """The datagram is no RTP packet, or its payload is none of its codec."""


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a packet; `size` is its length in bytes, lists of contributors and extension included."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    size: int
    padded: bool


def header(packet: bytes) -> Header:
    """Read the header. Raises BadPacket."""
    if len(packet) < FIXED_SIZE:
        raise BadPacket("shorter than a header")
    first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(packet)
    if first >> 6 != _VERSION:
        raise BadPacket("not version 2")
    size = FIXED_SIZE + 4 * (first & 0x0F)
    if first & 0x10:
        if len(packet) < size + 4:
            raise BadPacket("its extension is cut off")
        size += 4 + 4 * int.from_bytes(packet[size + 2 : size + 4], "big")
    if len(packet) < size:
        raise BadPacket("its header is cut off")
    return Header(second & 0x7F, sequence, timestamp, ssrc, size, bool(first & 0x20))


def unpadded(payload: bytes) -> bytes:
    """Return a padded payload without its padding, whose last byte counts it. Raises BadPacket."""
    count = payload[-1] if payload else 0
    if not 1 <= count <= len(payload):
        raise BadPacket("more padding than payload")
    return payload[:-count]


def duration(codec: str, channels: int, payload: bytes) -> int:
    """Return how long a payload sounds, in ticks of its RTP clock. Raises BadPacket."""
    if codec == "opus":
        return _opus_duration(payload)
    bytes_per_tick = channels if codec == "PCMA" else 2 * channels
    ticks, rest = divmod(len(payload), bytes_per_tick)
    if rest or not ticks:
        raise BadPacket("not whole samples")
    return ticks


def _opus_duration(payload: bytes) -> int:
    """Return the number of frames times their size, from the table-of-contents byte."""
    if not payload:
        raise BadPacket("an empty Opus packet")
    mode, code = payload[0] >> 3, payload[0] & 3
    if code == 3 and len(payload) < 2:
        raise BadPacket("an Opus packet without its frame count")
    count = payload[1] & 0x3F if code == 3 else min(code, 1) + 1
    size = _SILK[mode & 3] if mode < 12 else _HYBRID[mode & 1] if mode < 16 else _CELT[mode & 3]
    if not 0 < count * size <= _LONGEST_OPUS:
        raise BadPacket("an Opus packet of no or over 120 ms")
    return count * size
