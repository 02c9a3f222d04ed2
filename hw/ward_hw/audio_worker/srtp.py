"""The receiving end of SRTP: only packets that whoever has the key sent, each once.

One suite, AES_CM_128_HMAC_SHA1_80, without MKI and with a key derivation rate of 0, as SDP's `crypto` offers it by
default. What libraries leave out is the reason that this one is ours (docs/adr): a receiver that joins late finds the
rollover counter by trying, and one that begins again refuses what it has heard before.

Ref: RFC 3711 §3.3 (order of the steps), §3.3.1 (index), §3.3.2 (replay), §4.1.1 (AES-CM), §4.2.1 (HMAC-SHA1), §4.3.1
(key derivation).
"""

from __future__ import annotations

import hmac
import struct
from dataclasses import dataclass
from enum import StrEnum

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ward_hw.audio_worker import rtp
from ward_hw.audio_worker.stream_order import Position

TAG_SIZE = 10
WINDOW = 128
_KEY_SIZE, _SALT_SIZE, _AUTH_SIZE = 16, 14, 20
_LABEL_CIPHER, _LABEL_AUTH, _LABEL_SALT = 0, 1, 2
# Rollover counters that a stream may have when we join it: 64 times 65,536 packets is an hour of packets of 1 ms.
_ROLLOVERS = 64
_HALF, _ROUND = 1 << 15, 1 << 16
_ROLLOVER = struct.Struct(">I")


class Refusal(StrEnum):
    """Why a datagram makes no sound."""

    MALFORMED = "malformed"
    OTHER = "other"
    FORGED = "forged"
    REPLAYED = "replayed"


class Refused(Exception):
    """The datagram does not count; `refusal` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """What is derived from a master key and salt for one direction of RTP."""

    cipher: bytes
    auth: bytes
    salt: bytes

    @classmethod
    def of(cls, master: bytes) -> SessionKeys:
        """Derive them from 16 bytes of key and 14 of salt."""
        salt = int.from_bytes(master[_KEY_SIZE:], "big")

        def derived(label: int, size: int) -> bytes:
            return keystream(master[:_KEY_SIZE], (salt ^ label << 48) << 16, bytes(size))

        return cls(
            derived(_LABEL_CIPHER, _KEY_SIZE), derived(_LABEL_AUTH, _AUTH_SIZE), derived(_LABEL_SALT, _SALT_SIZE)
        )


def keystream(key: bytes, start: int, data: bytes) -> bytes:
    """Add AES in counter mode to `data`; `start` is the first counter block as a number."""
    return Cipher(algorithms.AES(key), modes.CTR(start.to_bytes(16, "big"))).encryptor().update(data)


@dataclass(frozen=True, slots=True)
class Packet:
    """What an authentic packet holds; `index` counts the packets of its source without ever rolling over."""

    index: int
    payload: bytes


class SrtpReceiver:
    """Opens the packets of one source; `ssrc` None takes the source of the first that authenticates.

    With `after`, only packets behind that position count, of that source.
    """

    def __init__(
        self, master: bytes, *, payload_type: int, ssrc: int | None = None, after: Position | None = None
    ) -> None:
        self._keys = SessionKeys.of(master)
        self._salt = int.from_bytes(self._keys.salt, "big") << 16
        self._mac = hmac.new(self._keys.auth, digestmod="sha1")
        self._payload_type = payload_type
        self._ssrc = after.ssrc if after else ssrc
        self._floor = after.index if after else -1
        self._highest = self._floor
        self._seen = 0  # bit n: index _highest - n was accepted
        self._joined = False

    @property
    def position(self) -> Position | None:
        """How far it has come; None before the first packet of all."""
        return Position(self._ssrc, self._highest) if self._ssrc is not None and self._highest >= 0 else None

    def open(self, packet: bytes) -> Packet:
        """Authenticate and decrypt a datagram. Raises Refused."""
        try:
            header = rtp.header(packet)
        except rtp.BadPacket as error:
            raise Refused(Refusal.MALFORMED) from error
        if len(packet) < header.size + TAG_SIZE:
            raise Refused(Refusal.MALFORMED)
        if header.payload_type != self._payload_type or self._ssrc not in {None, header.ssrc}:
            raise Refused(Refusal.OTHER)
        index = self._authentic(packet, header.sequence)
        start = self._salt ^ header.ssrc << 64 ^ index << 16
        payload = keystream(self._keys.cipher, start, packet[header.size : -TAG_SIZE])
        self._accept(header.ssrc, index)
        try:
            return Packet(index, rtp.unpadded(payload) if header.padded else payload)
        except rtp.BadPacket as error:
            raise Refused(Refusal.MALFORMED) from error

    def _authentic(self, packet: bytes, sequence: int) -> int:
        """Return the index under which the packet authenticates and was not accepted before."""
        if self._joined:
            candidates = [self._estimate(sequence)]
            if self._was_accepted(candidates[0]):  # before the costlier question
                raise Refused(Refusal.REPLAYED)
        else:
            candidates = [rollover * _ROUND + sequence for rollover in range(_ROLLOVERS)]
        mac = self._mac.copy()
        mac.update(packet[:-TAG_SIZE])
        for index in candidates:
            tag = mac.copy()
            tag.update(_ROLLOVER.pack(index >> 16))
            if hmac.compare_digest(tag.digest()[:TAG_SIZE], packet[-TAG_SIZE:]):
                if index <= self._floor:
                    raise Refused(Refusal.REPLAYED)
                return index
        raise Refused(Refusal.FORGED)

    def _estimate(self, sequence: int) -> int:
        """Return the index nearest to the highest one that has this sequence number."""
        index = (self._highest & ~0xFFFF) + sequence
        if index > self._highest + _HALF:
            return index - _ROUND
        if index <= self._highest - _HALF:
            return index + _ROUND
        return index

    def _was_accepted(self, index: int) -> bool:
        """Say whether it came already, or is too old to know."""
        age = self._highest - index
        return index < 0 or age >= WINDOW or (age >= 0 and bool(self._seen >> age & 1))

    def _accept(self, ssrc: int, index: int) -> None:
        self._ssrc = ssrc
        if not self._joined:
            self._joined, self._seen, self._highest = True, 1, index
        elif index > self._highest:
            self._seen = (self._seen << min(index - self._highest, WINDOW) | 1) & (1 << WINDOW) - 1
            self._highest = index
        else:
            self._seen |= 1 << (self._highest - index)
