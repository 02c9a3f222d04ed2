"""The channel computed a second time, from the RFCs' text alone: nothing of ours, nothing of aiocoap.

Slow and short: X25519 as RFC 7748 §5 writes it, HKDF from HMAC, OSCORE's keys, nonces and additional data from bytes.
Only AES-CCM itself is the cryptography library's.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESCCM

P = 2**255 - 19
A24 = 121665
OSCORE, TAG_SIZE, ALG = 9, 8, 10


def x25519(scalar: bytes, point: bytes) -> bytes:
    """RFC 7748 §5."""
    k = int.from_bytes(scalar, "little") & ~7 & ~(1 << 255) | 1 << 254
    x1 = int.from_bytes(point, "little") & ~(1 << 255)
    x2, z2, x3, z3, swapped = 1, 0, x1, 1, 0
    for t in reversed(range(255)):
        bit = k >> t & 1
        if bit ^ swapped:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swapped = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + A24 * e) % P
    if swapped:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


def hkdf(salt: bytes, ikm: bytes, info: bytes, size: int) -> bytes:
    """RFC 5869, with SHA-256."""
    return hkdf_expand(hkdf_extract(salt, ikm), info, size)


def hkdf_extract(salt: bytes, ikm: bytes) -> bytes:
    """RFC 5869 §2.2."""
    return hmac.digest(salt or bytes(32), ikm, hashlib.sha256)


def hkdf_expand(prk: bytes, info: bytes, size: int) -> bytes:
    """RFC 5869 §2.3."""
    out, last = b"", b""
    for number in range(1, -(-size // 32) + 1):
        last = hmac.digest(prk, last + info + bytes([number]), hashlib.sha256)
        out += last
    return out[:size]


def bstr(data: bytes) -> bytes:
    """A byte string in CBOR, of up to 65,535 bytes."""
    return _head(0x40, len(data)) + data


def tstr(words: str) -> bytes:
    """A text in CBOR."""
    data = words.encode()
    return _head(0x60, len(data)) + data


def _head(major: int, size: int) -> bytes:
    if size < 24:
        return bytes([major | size])
    return bytes([major | 24, size]) if size < 256 else struct.pack("!BH", major | 25, size)


def uint(number: int) -> bytes:
    """A small unsigned integer in CBOR."""
    return _head(0, number)


def agreement(shared: bytes, hub: str, hub_key: bytes, source_key: bytes, enrolment: bytes) -> tuple[bytes, ...]:
    """Secret, salt and context as docs/protocol.md says."""

    def derived(what: str, size: int) -> bytes:
        info = b"\x85" + tstr("wardhub channel 1") + tstr(what) + tstr(hub) + bstr(hub_key) + bstr(source_key)
        return hkdf(enrolment, shared, info, size)

    return derived("secret", 16), derived("salt", 8), derived("context", 8)


@dataclass(frozen=True, slots=True)
class Keys:
    """RFC 8613 §3.2.1: what both ends derive from secret, salt and context; the ids are `hub` and `source`."""

    secret: bytes
    salt: bytes
    context: bytes | None
    hub: bytes = b"h"
    source: bytes = b"s"

    def key(self, who: bytes) -> bytes:
        """The Sender Key of whoever has that id."""
        return self._derived(who, "Key", 16)

    @property
    def iv(self) -> bytes:
        """The Common IV."""
        return self._derived(b"", "IV", 13)

    def _derived(self, who: bytes, what: str, size: int) -> bytes:
        context = b"\xf6" if self.context is None else bstr(self.context)
        return hkdf(self.salt, self.secret, b"\x85" + bstr(who) + context + uint(ALG) + tstr(what) + uint(size), size)

    def _nonce(self, who: bytes, piv: bytes) -> bytes:
        """RFC 8613 §5.2."""
        plain = bytes([len(who)]) + who.rjust(7, b"\0") + piv.rjust(5, b"\0")
        return bytes(one ^ other for one, other in zip(self.iv, plain, strict=True))

    def _aad(self, piv: bytes) -> bytes:
        """RFC 8613 §5.4: kid and partial IV of the request, also in its answer."""
        external = b"\x85" + uint(1) + b"\x81" + uint(ALG) + bstr(self.hub) + bstr(piv) + bstr(b"")
        return b"\x83" + tstr("Encrypt0") + bstr(b"") + bstr(external)

    def seal_request(self, piv: bytes, inside: bytes) -> bytes:
        """Return what the hub sends for a message inside: its code, options and payload."""
        return AESCCM(self.key(self.hub), TAG_SIZE).encrypt(self._nonce(self.hub, piv), inside, self._aad(piv))

    def open_request(self, piv: bytes, sealed: bytes) -> bytes:
        """Return the message inside a request; raises InvalidTag."""
        return AESCCM(self.key(self.hub), TAG_SIZE).decrypt(self._nonce(self.hub, piv), sealed, self._aad(piv))

    def seal_answer(self, asked: bytes, inside: bytes, piv: bytes = b"") -> bytes:
        """Return what the source sends, to the request of partial IV `asked`; without its own it takes that one's."""
        return AESCCM(self.key(self.source), TAG_SIZE).encrypt(self._answered(asked, piv), inside, self._aad(asked))

    def open_answer(self, asked: bytes, sealed: bytes, piv: bytes = b"") -> bytes:
        """Return the message inside an answer; raises InvalidTag."""
        return AESCCM(self.key(self.source), TAG_SIZE).decrypt(self._answered(asked, piv), sealed, self._aad(asked))

    def _answered(self, asked: bytes, piv: bytes) -> bytes:
        return self._nonce(self.source, piv) if piv else self._nonce(self.hub, asked)


@dataclass(frozen=True, slots=True)
class Datagram:
    """A CoAP message taken apart (RFC 7252 §3): options in order, with repeats."""

    kind: int
    code: int
    message_id: bytes
    token: bytes
    options: tuple[tuple[int, bytes], ...]
    payload: bytes

    @classmethod
    def parse(cls, data: bytes) -> Datagram:
        """Take a datagram apart."""
        size = data[0] & 15
        options, payload = taken_apart(data[4 + size :])
        return cls(data[0] >> 4 & 3, data[1], data[2:4], data[4 : 4 + size], options, payload)

    def wire(self) -> bytes:
        """Put it together again."""
        head = bytes([0x40 | self.kind << 4 | len(self.token), self.code]) + self.message_id + self.token
        return head + put_together(self.options) + (b"\xff" + self.payload if self.payload else b"")

    def option(self, number: int) -> bytes | None:
        """The first option of that number."""
        return next((value for one, value in self.options if one == number), None)

    @property
    def piv(self) -> bytes:
        """The partial IV of a protected message: its sender sequence number (RFC 8613 §6.1)."""
        option = self.option(OSCORE) or b"\0"
        return option[1 : 1 + (option[0] & 7)]


def taken_apart(data: bytes) -> tuple[tuple[tuple[int, bytes], ...], bytes]:
    """Return options and payload of what follows the token, or the code inside a protected message."""
    options: list[tuple[int, bytes]] = []
    at = number = 0
    while at < len(data) and data[at] != 0xFF:
        delta, size, at = data[at] >> 4, data[at] & 15, at + 1
        delta, at = _extended(data, delta, at)
        size, at = _extended(data, size, at)
        number += delta
        options.append((number, data[at : at + size]))
        at += size
    return tuple(options), data[at + 1 :]


def put_together(options: tuple[tuple[int, bytes], ...]) -> bytes:
    """Return options as they go over the wire."""
    out, last = b"", 0
    for number, value in options:
        nibbles, more = [], b""
        for one in (number - last, len(value)):
            nibbles.append(one if one < 13 else 13 if one < 269 else 14)
            more += b"" if one < 13 else bytes([one - 13]) if one < 269 else struct.pack("!H", one - 269)
        out += bytes([nibbles[0] << 4 | nibbles[1]]) + more + value
        last = number
    return out


def _extended(data: bytes, value: int, at: int) -> tuple[int, int]:
    if value == 13:
        return data[at] + 13, at + 1
    if value == 14:
        return int.from_bytes(data[at : at + 2], "big") + 269, at + 2
    return value, at
