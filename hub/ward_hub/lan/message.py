"""CoAP messages as bytes, read strictly and without remembering anything. Pure.

aiocoap's own reader is not used for what strangers send: it keeps every option number and Content-Format that it ever
saw (0.3 kB each, for good), and its message layer keeps each answer for 247 s (docs/adr/0011). Here a message is its
header, its options as numbers and bytes, and its payload; whoever needs an option's meaning asks for it.
Ref: RFC 7252 §3 (format), §3.1 (options), §5.4.3 (lengths), §5.10 (numbers); RFC 7959 §2.2; RFC 9175 §2.2.1, §3.2.1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

VERSION_1 = 0x40
MARKER = 0xFF
LONGEST_TOKEN = 8
HEADER = 4
# What is understood here has ten at most beside its tags; 1,500 bytes hold as many options, at 2 ms of a processor.
MOST_OPTIONS = 32
EMPTY = 0


class Type(IntEnum):
    """What a message wants of the message layer (RFC 7252 §4)."""

    CON = 0
    NON = 1
    ACK = 2
    RST = 3


class Code(IntEnum):
    """The codes that are used here, as class << 5 | detail (RFC 7252 §12.1; RFC 7959 §2.9)."""

    GET = 0x01
    POST = 0x02
    PUT = 0x03
    CREATED = 0x41
    CHANGED = 0x44
    CONTENT = 0x45
    CONTINUE = 0x5F
    BAD_REQUEST = 0x80
    UNAUTHORIZED = 0x81
    BAD_OPTION = 0x82
    FORBIDDEN = 0x83
    NOT_FOUND = 0x84
    METHOD_NOT_ALLOWED = 0x85
    NOT_ACCEPTABLE = 0x86
    INCOMPLETE = 0x88
    TOO_LARGE = 0x8D
    UNPROCESSABLE = 0x96
    INTERNAL_ERROR = 0xA0
    UNAVAILABLE = 0xA3
    NO_PROXY = 0xA5


class Option(IntEnum):
    """The options that are used here; odd numbers are critical (RFC 7252 §5.4.6)."""

    URI_HOST = 3
    URI_PORT = 7
    URI_PATH = 11
    CONTENT_FORMAT = 12
    MAX_AGE = 14
    URI_QUERY = 15
    ACCEPT = 17
    BLOCK2 = 23
    BLOCK1 = 27
    PROXY_URI = 35
    PROXY_SCHEME = 39
    SIZE1 = 60
    ECHO = 252
    REQUEST_TAG = 292


class NotCoap(ValueError):
    """The bytes are no CoAP message."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `options` are (number, value) in ascending order of numbers, as often as they stand there."""

    type: Type
    code: int
    mid: int
    token: bytes = b""
    options: tuple[tuple[int, bytes], ...] = ()
    payload: bytes = field(default=b"", repr=False)

    def first(self, option: Option) -> bytes | None:
        """Return the value of an option that stands there at most once."""
        return next((value for number, value in self.options if number == option), None)

    def all(self, option: Option) -> tuple[bytes, ...]:
        """Return the values of an option that may stand there several times."""
        return tuple(value for number, value in self.options if number == option)

    @property
    def is_request(self) -> bool:
        """Whether its code is one of a method."""
        return EMPTY < self.code < 0x20


def read(data: bytes) -> Message:
    """Return the message in a datagram; raises NotCoap."""
    if len(data) < HEADER or data[0] & 0xC0 != VERSION_1:
        raise NotCoap("no header of version 1")
    length = data[0] & 0x0F
    at = HEADER + length
    if length > LONGEST_TOKEN or at > len(data):
        raise NotCoap("a token that is too long or cut off")
    kind, code, mid = Type(data[0] >> 4 & 3), data[1], int.from_bytes(data[2:4], "big")
    if code == EMPTY and len(data) != HEADER:
        raise NotCoap("an empty message that is not empty")  # RFC 7252 §4.1
    options, end = _options(data, at)
    if end == len(data) - 1:
        raise NotCoap("a marker and no payload behind it")  # RFC 7252 §3
    return Message(kind, code, mid, data[HEADER:at], options, data[end + 1 :])


def write(message: Message) -> bytes:
    """Return the datagram of a message; its options must be in order."""
    parts = [
        bytes((VERSION_1 | message.type << 4 | len(message.token), message.code)),
        message.mid.to_bytes(2, "big"),
        message.token,
    ]
    last = 0
    for number, value in message.options:
        (delta, more_delta), (length, more_length) = _extended(number - last), _extended(len(value))
        parts += [bytes((delta << 4 | length,)), more_delta, more_length, value]
        last = number
    if message.payload:
        parts += [bytes((MARKER,)), message.payload]
    return b"".join(parts)


def uint(value: bytes) -> int:
    """Return an option's number."""
    return int.from_bytes(value, "big")


def of_uint(number: int) -> bytes:
    """Return a number as an option holds it: in as few bytes as it needs, zero in none (RFC 7252 §3.2)."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _options(data: bytes, at: int) -> tuple[tuple[tuple[int, bytes], ...], int]:
    """Return the options from `at` on, and where they end: at the payload's marker or at the end."""
    options: list[tuple[int, bytes]] = []
    number = 0
    while at < len(data) and data[at] != MARKER:
        delta, length = data[at] >> 4, data[at] & 0x0F
        delta, at = _whole(data, delta, at + 1)
        length, at = _whole(data, length, at)
        if at + length > len(data):
            raise NotCoap("an option that is cut off")
        if len(options) == MOST_OPTIONS:
            raise NotCoap(f"more than {MOST_OPTIONS} options")
        number += delta
        options.append((number, data[at : at + length]))
        at += length
    return tuple(options), at


def _whole(data: bytes, nibble: int, at: int) -> tuple[int, int]:
    """Return a delta or length with what may extend it, and where the next thing stands (RFC 7252 §3.1)."""
    if nibble < 13:
        return nibble, at
    size = nibble - 12
    if nibble == 15 or at + size > len(data):
        raise NotCoap("an option's head that is reserved or cut off")
    return int.from_bytes(data[at : at + size], "big") + (13 if size == 1 else 269), at + size


def _extended(number: int) -> tuple[int, bytes]:
    if number < 13:
        return number, b""
    if number < 269:
        return 13, bytes((number - 13,))
    return 14, (number - 269).to_bytes(2, "big")
