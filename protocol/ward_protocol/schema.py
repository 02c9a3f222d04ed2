"""From frozen dataclasses to CBOR maps with small integer keys and back, by a table of fields.

A field says its key and codec once (`key(3, uint())`). `decode` reads a statement straight from its bytes, which have
one form only (`ward_protocol.heads`). What is not in that form is refused; only then a general decoder and `from_map`
look at it, to name the rule that it breaks: unknown keys, missing required fields, wrong types, values out of their
limits, unsorted keys, defaults that were sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, field
from enum import Enum
from typing import Any, NoReturn, TypeVar

from ward_protocol import cbor, heads
from ward_protocol.errors import MisuseError, StatementError
from ward_protocol.heads import ARRAY, BYTES, MAP, TEXT, Heads, Reader, Take
from ward_protocol.reasons import Reason
from ward_protocol.structs import fields_of, map_heads

T = TypeVar("T")
MAX_STRING = 0xFFFF  # no statement is longer


@dataclass(frozen=True, slots=True)
class Codec:
    """How one field is written, and read in two ways that accept the same.

    `plain` makes of it what a CBOR encoder takes. `heads` reads it from its bytes. `value` makes it of what a general
    decoder found, and raises ValueError saying what is wrong. A codec without heads is a string on the wire: its
    `plain` is `bytes` or `str`, and its `value` alone says which are good.
    """

    plain: Callable[[Any], Any]
    value: Callable[[Any], Any]
    heads: Heads = field(default_factory=dict[bytes, Any], repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.heads:
            object.__setattr__(self, "heads", _string_heads(self.plain, self.value))


def _string_heads(plain: Callable[[Any], Any], value: Callable[[Any], Any]) -> Heads:
    if plain is bytes:
        return heads.strings(BYTES, 0, MAX_STRING, value)
    if plain is str:
        return heads.strings(TEXT, 0, MAX_STRING, lambda content: value(content.decode()))
    raise MisuseError("a codec without heads needs `bytes` or `str` as its `plain`")


def key(number: int, codec: Codec, **options: Any) -> Any:
    """Declare a dataclass field with its CBOR map key; a default makes it optional (absent on the wire)."""
    return field(metadata={"key": number, "codec": codec}, **options)


def _same(value: Any) -> Any:
    return value


def uint(maximum: int = 2**53, minimum: int = 0) -> Codec:
    """An unsigned integer within limits."""

    def value(item: Any) -> int:
        if type(item) is not int or not minimum <= item <= maximum:
            raise ValueError(f"an integer from {minimum} to {maximum} is needed")
        return item

    return Codec(_same, value, heads.integers(minimum, maximum))


def text(maximum: int, minimum: int = 1) -> Codec:
    """A text of `minimum` to `maximum` characters."""

    def value(item: Any) -> str:
        if type(item) is not str or not minimum <= len(item) <= maximum:
            raise ValueError(f"a text of {minimum} to {maximum} characters is needed")
        return item

    return Codec(_same, value, heads.texts(minimum, maximum))


def blob(maximum: int, minimum: int | None = None) -> Codec:
    """A byte string of exactly `maximum` bytes, or of `minimum` to `maximum`."""
    least = maximum if minimum is None else minimum

    def value(item: Any) -> bytes:
        if type(item) is not bytes or not least <= len(item) <= maximum:
            raise ValueError(f"a byte string of {least} to {maximum} bytes is needed")
        return item

    is_digest = least == maximum and 24 <= maximum < 256
    return Codec(_same, value, heads.exactly(maximum) if is_digest else heads.strings(BYTES, least, maximum, bytes))


def flag() -> Codec:
    """A boolean."""

    def value(item: Any) -> bool:
        if type(item) is not bool:
            raise ValueError("true or false is needed")
        return item

    return Codec(_same, value, heads.literals((cbor.encode(item), item) for item in (False, True)))


def one_of(kind: type[Enum]) -> Codec:
    """A value of a closed set of integers, or of texts of at most 23 bytes."""
    known = {member.value: member for member in kind}

    def value(item: Any) -> Enum:
        if type(item) not in (int, str) or item not in known:
            raise ValueError("one of " + ", ".join(str(name) for name in known) + " is needed")
        return known[item]

    encoded = ((cbor.encode(member.value), member) for member in kind)
    return Codec(lambda member: member.value, value, heads.literals(encoded))


def many(each: Codec, maximum: int, minimum: int = 0) -> Codec:
    """A list of `minimum` to `maximum` items, read as a tuple."""

    def value(item: Any) -> tuple[Any, ...]:
        if not cbor.is_array(item) or not minimum <= len(item) <= maximum:
            raise ValueError(f"a list of {minimum} to {maximum} items is needed")
        return tuple(each.value(one) for one in item)

    def reader(count: int) -> Reader:
        turns, lines = range(count), each.heads

        def read_single(take: Take) -> tuple[Any]:  # most lists have one item: a list on the way takes longer than it
            size, make = lines[take(1)]
            return (make(take) if size is None else make(take(size)),)

        def read(take: Take) -> tuple[Any, ...]:
            found: list[Any] = []
            for _ in turns:
                size, make = lines[take(1)]
                found.append(make(take) if size is None else make(take(size)))
            return tuple(found)

        return read_single if count == 1 else read

    return Codec(
        lambda items: [each.plain(one) for one in items], value, heads.counted(ARRAY, minimum, maximum, reader)
    )


def table(name: Codec, each: Codec, maximum: int) -> Codec:
    """A map of at most `maximum` entries."""

    def plain(items: Any) -> dict[Any, Any]:
        return cbor.sorted_map({name.plain(one): each.plain(other) for one, other in items.items()})

    def value(item: Any) -> dict[Any, Any]:
        if not cbor.is_map(item) or len(item) > maximum:
            raise ValueError(f"a map of at most {maximum} entries is needed")
        if not cbor.in_order(list(item)):
            raise StatementError(Reason.NOT_DETERMINISTIC, "the keys of a map are not sorted")
        return {name.value(one): each.value(other) for one, other in item.items()}

    def reader(count: int) -> Reader:
        turns, names, lines = range(count), name.heads, each.heads

        def read_single(take: Take) -> dict[Any, Any]:  # most tables have one entry: it stands in order
            size, make = names[take(1)]
            one = make(take) if size is None else make(take(size))
            size, make = lines[take(1)]
            return {one: make(take) if size is None else make(take(size))}

        def read(take: Take) -> dict[Any, Any]:
            found: dict[Any, Any] = {}
            last = b""
            for _ in turns:
                one, encoded = heads.read_noting(names, take)
                if encoded <= last:
                    raise ValueError("keys that are not sorted, or one that stands twice")
                last = encoded
                size, make = lines[take(1)]
                found[one] = make(take) if size is None else make(take(size))
            return found

        return read_single if count == 1 else read

    return Codec(plain, value, heads.counted(MAP, 0, maximum, reader))


def struct(kind: type[Any]) -> Codec:
    """A nested dataclass of fields declared with `key`."""
    return Codec(to_map, lambda item: from_map(kind, item), map_heads(kind))


def decode(kind: type[T], data: bytes) -> T:
    """Return the `kind` whose one encoding `data` is; else raises StatementError or EnvelopeError naming the rule."""
    try:
        thing: T = heads.read_whole(map_heads(kind), data)
    except (KeyError, ValueError):
        _refuse(kind, data)
    return thing


def _refuse(kind: type[Any], data: bytes) -> NoReturn:
    from_map(kind, cbor.decode_in_any_order(data, "statement"))
    raise StatementError(Reason.MALFORMED_STATEMENT, f"{kind.__name__}: not in the one form of ward.cddl")


def to_map(thing: Any) -> dict[int, Any]:
    """Return the CBOR map of a dataclass instance; raises MisuseError for a value its reader would refuse."""
    kind = thing.__class__
    out: dict[int, Any] = {}
    for number, one in fields_of(kind).items():
        value = getattr(thing, one.name)
        if one.default is not MISSING and value == one.default:
            continue
        codec: Codec = one.metadata["codec"]
        plain = codec.plain(value)
        try:
            codec.value(plain)
        except (ValueError, StatementError) as error:
            raise MisuseError(f"{kind.__name__}.{one.name}: {error}") from error
        out[number] = plain
    return out


def from_map(kind: type[T], item: Any) -> T:
    """Return a `kind` read from a CBOR map; raises StatementError naming the field that is wrong."""
    if not cbor.is_map(item):
        raise StatementError(Reason.MALFORMED_STATEMENT, f"{kind.__name__}: a map is needed")
    known = fields_of(kind)
    found: dict[str, Any] = {}
    last = -1
    for number, plain in item.items():
        if type(number) is not int or number not in known:
            raise StatementError(Reason.UNKNOWN_FIELD, f"{kind.__name__}: field {number!r} is not known")
        if number < last:
            raise StatementError(Reason.NOT_DETERMINISTIC, f"{kind.__name__}: field {number} after {last}")
        last = number
        found[known[number].name] = _value(kind, known[number], plain)
    missing = [one.name for one in known.values() if one.default is MISSING and one.name not in found]
    if missing:
        raise StatementError(Reason.MALFORMED_STATEMENT, f"{kind.__name__} without {', '.join(missing)}")
    try:
        return kind(**found)
    except ValueError as error:
        raise StatementError(Reason.MALFORMED_STATEMENT, f"{kind.__name__}: {error}") from error


def _value(kind: type[Any], one: Field[Any], plain: Any) -> Any:
    try:
        value = one.metadata["codec"].value(plain)
    except ValueError as error:
        raise StatementError(Reason.MALFORMED_STATEMENT, f"{kind.__name__}.{one.name}: {error}") from error
    if one.default is not MISSING and value == one.default:
        raise StatementError(Reason.NOT_DETERMINISTIC, f"{kind.__name__}.{one.name}: its default is never sent")
    return value
