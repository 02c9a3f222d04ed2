"""Deterministic CBOR, read by what may stand at a place: a first byte is looked up, and what is not listed is refused.

The first byte of an item holds its major type and either its argument (0 to 23) or in how many bytes that follows.
So a table with a line for every first byte that a field accepts is all that there is to read it by:

    (n, value)      the next n bytes belong to it, and `value` makes what they mean of them
    (None, read)    it goes on: `read` takes what it needs itself

A table lists only first bytes of the deterministic encoding (RFC 8949 §4.2.1), and where an argument follows it must
be too large for any shorter form. No line stands for indefinite lengths, reserved values, tags, floats, null, simple
values in two bytes. So a table reads exactly one encoding of each of its values, and says so by induction: an array or
map is its count, and the items that it counts, each read by a table. What is refused raises KeyError or ValueError.

Reading an item is two lines, as in `read_whole`. They stand in each loop over items instead of in a function: this is
the hot path of every verification, and a call takes as long as they do. Why not cbor2: docs/adr/0018.
Ref: RFC 8949 §3 (heads), §4.2.1 (deterministic encoding), appendix B.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import Any, Final, TypeAlias

from ward_protocol.errors import MisuseError

Take: TypeAlias = Callable[[int], bytes]  # gives the next n bytes, or fewer at the end
Reader: TypeAlias = Callable[[Take], Any]
Heads: TypeAlias = dict[bytes, tuple[int | None, Callable[[Any], Any]]]

UINT: Final = 0x00
BYTES: Final = 0x40
TEXT: Final = 0x60
ARRAY: Final = 0x80
MAP: Final = 0xA0
# In how many bytes an argument follows: the low bits of the first byte that say so, and the least argument so large.
_WIDTHS = ((1, 0x18, 24), (2, 0x19, 0x100), (4, 0x1A, 0x10000), (8, 0x1B, 0x1_0000_0000))
_END = b"\0"
# Looked up once: that takes as long as calling them.
_from_bytes, _decode = int.from_bytes, bytes.decode


def read_whole(heads: Heads, data: bytes) -> Any:
    """Return the value of `data`, all of which is one item of that table; raises KeyError or ValueError else.

    A byte is put behind it. Who reads beyond the end takes that byte, so if it is left, and nothing else, then every
    item had all its bytes and none is left over. That is why no reader has to look how many bytes it was given.
    """
    take = BytesIO(data + _END).read
    size, value = heads[take(1)]
    item = value(take) if size is None else value(take(size))
    if take(2) != _END:
        raise ValueError("it does not end where its bytes end")
    return item


def read_noting(heads: Heads, take: Take) -> tuple[Any, bytes]:
    """Return the value of the next item, and its bytes as they stand there."""
    first = take(1)
    size, value = heads[first]
    if size is not None:
        content = take(size)
        return value(content), first + content
    parts = [first]

    def noting(size: int) -> bytes:
        parts.append(take(size))
        return parts[-1]

    return value(noting), b"".join(parts)


def integers(low: int, high: int) -> Heads:
    """Return the table of unsigned integers from `low` to `high`."""

    def wide(least: int) -> Callable[[bytes], int]:
        def value(content: bytes) -> int:
            number = _from_bytes(content)
            if not least <= number <= high:
                raise ValueError("an integer that is too large, too small, or not in its shortest form")
            return number

        return value

    heads = literals((_first(UINT, number), number) for number in range(low, min(high, 23) + 1))
    return heads | {first: (width, wide(least)) for first, width, least in _wide(UINT, low, high)}


def strings(major: int, low: int, high: int, value: Callable[[bytes], Any]) -> Heads:
    """Return the table of byte or text strings of `low` to `high` bytes, of which `value` makes what they mean."""

    def long(width: int, least: int) -> Reader:
        def read(take: Take) -> object:
            size = _from_bytes(take(width))
            if not least <= size <= high:
                raise ValueError("a string that is too long, too short, or has not its shortest head")
            return value(take(size))

        return read

    heads: Heads = {_first(major, size): (size, value) for size in range(low, min(high, 23) + 1)}
    return heads | {first: (None, long(width, least)) for first, width, least in _wide(major, low, high)}


def texts(low: int, high: int) -> Heads:
    """Return the table of texts of `low` to `high` characters, each of which has one to four bytes."""

    def measured(content: bytes) -> str:
        text = _decode(content)
        if not low <= len(text) <= high:
            raise ValueError("too few characters, or too many")
        return text

    def long(width: int, least: int) -> Reader:
        def read(take: Take) -> str:
            size = _from_bytes(take(width))
            if size < least or size > most:
                raise ValueError("a text that is too long, too short, or has not its shortest head")
            text = _decode(take(size))
            if not low <= len(text) <= high:
                raise ValueError("too few characters, or too many")
            return text

        return read

    most = 4 * high
    # Of a short text the number of bytes often says already that it has neither too few characters nor too many.
    heads: Heads = {
        _first(TEXT, size): (size, _decode if 4 * low - 3 <= size <= high else measured)
        for size in range(low, min(most, 23) + 1)
    }
    return heads | {first: (None, long(width, least)) for first, width, least in _wide(TEXT, low, most)}


def exactly(size: int) -> Heads:
    """Return the table of byte strings of exactly `size` bytes, 24 to 255: their heads are all the same."""
    rest = bytes((size,))

    def read(take: Take) -> bytes:
        if take(1) != rest:
            raise ValueError("a byte string of another size")
        return take(size)

    return {_first(BYTES, 0x18): (None, read)}


def counted(major: int, low: int, high: int, reader: Callable[[int], Reader]) -> Heads:
    """Return the table of arrays or maps of `low` to `high` items, which `reader(count)` reads."""

    def long(width: int, least: int) -> Reader:
        def read(take: Take) -> object:
            count = _from_bytes(take(width))
            if not least <= count <= high:
                raise ValueError("too many items, too few, or not in the shortest form")
            return reader(count)(take)

        return read

    heads: Heads = {_first(major, count): (None, reader(count)) for count in range(low, min(high, 23) + 1)}
    return heads | {first: (None, long(width, least)) for first, width, least in _wide(major, low, high)}


def literals(values: Iterable[tuple[bytes, Any]]) -> Heads:
    """Return the table of a closed set of values, given with their encodings; raises MisuseError for a long one."""
    ends: dict[bytes, dict[bytes, Any]] = {}
    for encoding, value in values:
        if len(encoding) > 24:
            raise MisuseError(
                f"{value}: of a literal the first byte must say the length, so a text has at most 23 bytes"
            )
        ends.setdefault(encoding[:1], {})[encoding[1:]] = value
    return {first: (len(next(iter(known))), known.__getitem__) for first, known in ends.items()}


def _first(major: int, low_bits: int) -> bytes:
    return bytes((major | low_bits,))


def _wide(major: int, low: int, high: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield for arguments from 24 to `high`: the first byte, in how many bytes they follow, the least allowed then."""
    for width, code, least in _WIDTHS:
        if least <= high:
            yield _first(major, code), width, max(least, low)
