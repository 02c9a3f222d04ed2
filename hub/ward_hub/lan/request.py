"""What a request asks, as far as this server understands it, and what an answer says. Pure.

Ref: RFC 7252 §5.4.1 (critical options), §5.4.3 (a length out of range is an option not understood), §5.4.5 (repeated
ones), §5.7.2 (no proxy); RFC 7959 §2.2 (block options), §4 (Size1); RFC 9175 §2, §3.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from ward_hub.lan.message import Code, Message, Option, Type, of_uint, uint

LARGEST_EXPONENT = 6  # blocks of 1,024 bytes; 7 is reserved over UDP
# The lengths in bytes that the options have which are understood here.
LENGTHS: dict[int, range] = {
    Option.URI_HOST: range(1, 256),
    Option.URI_PORT: range(3),
    Option.URI_PATH: range(256),
    Option.URI_QUERY: range(256),
    Option.ACCEPT: range(3),
    Option.BLOCK2: range(4),
    Option.BLOCK1: range(4),
    Option.SIZE1: range(5),
    Option.ECHO: range(1, 41),
    Option.REQUEST_TAG: range(9),
}
REPEATABLE = frozenset({Option.URI_PATH, Option.URI_QUERY, Option.REQUEST_TAG})
PROXY = frozenset({Option.PROXY_URI, Option.PROXY_SCHEME})


class Block(NamedTuple):
    """A block option: its number, whether more follow, the exponent of its size (RFC 7959 §2.2)."""

    number: int
    more: bool
    exponent: int

    @property
    def size(self) -> int:
        """The size in bytes."""
        return 16 << self.exponent

    @property
    def start(self) -> int:
        """Where the block begins."""
        return self.number * self.size

    def value(self) -> bytes:
        """Return it as an option holds it."""
        return of_uint(self.number << 4 | self.more << 3 | self.exponent)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: a code, options by number, and a payload, which is a diagnostic where the code is an error."""

    code: Code
    payload: bytes = field(default=b"", repr=False)
    options: tuple[tuple[int, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose options were all understood; `path` as its segments, `tags` are Request-Tags."""

    code: int
    path: tuple[bytes, ...]
    payload: bytes = field(repr=False)
    block1: Block | None = None
    block2: Block | None = None
    size1: int | None = None
    accept: int | None = None
    echo: bytes | None = None
    tags: tuple[bytes, ...] = ()


def refusal(code: Code, diagnostic: str, *options: tuple[int, bytes]) -> Answer:
    """Return an error with a diagnostic for people (RFC 7252 §5.5.2), in one datagram whatever it says."""
    return Answer(code, diagnostic.encode()[:500].decode(errors="ignore").encode(), options)


def understood(message: Message) -> Request | Answer:
    """Return the request in a message, or the answer that says which option is not understood."""
    counts = Counter(number for number, _ in message.options)
    if not PROXY.isdisjoint(counts):
        return refusal(Code.NO_PROXY, "no proxy")
    understandable: dict[int, bytes] = {}
    for number, value in message.options:
        good = len(value) in LENGTHS.get(number, ()) and (counts[number] == 1 or number in REPEATABLE)
        if good:
            understandable[number] = value
        elif number % 2:
            return refusal(Code.BAD_OPTION, f"critical option {number} is not understood, or not like this")
    block1, block2 = (_block(understandable.get(one)) for one in (Option.BLOCK1, Option.BLOCK2))
    if any(one is not None and one.exponent > LARGEST_EXPONENT for one in (block1, block2)):
        return refusal(Code.BAD_REQUEST, "blocks have at most 1024 bytes")
    return Request(
        code=message.code,
        path=message.all(Option.URI_PATH),
        payload=message.payload,
        block1=block1,
        block2=block2,
        size1=_number(understandable.get(Option.SIZE1)),
        accept=_number(understandable.get(Option.ACCEPT)),
        echo=understandable.get(Option.ECHO),
        tags=message.all(Option.REQUEST_TAG),
    )


def response(message: Message, answer: Answer, mid: int) -> Message:
    """Return the answer to a request: on the acknowledgement of a confirmable one, else in a message of its own."""
    confirmable = message.type is Type.CON
    return Message(
        type=Type.ACK if confirmable else Type.NON,
        code=answer.code,
        mid=message.mid if confirmable else mid,
        token=message.token,
        options=tuple(sorted(answer.options)),
        payload=answer.payload,
    )


def _number(value: bytes | None) -> int | None:
    return None if value is None else uint(value)


def _block(value: bytes | None) -> Block | None:
    if value is None:
        return None
    number = uint(value)
    return Block(number >> 4, bool(number & 8), number & 7)
