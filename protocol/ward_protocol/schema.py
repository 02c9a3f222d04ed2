"""From frozen dataclasses to CBOR maps with small integer keys and back, by a table of fields.

A field says its key and codec once (`key(3, uint())`); reading refuses unknown keys, missing required fields,
wrong types and values out of their limits, and names the field.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from enum import Enum
from typing import Any, TypeVar

from ward_protocol.cbor import is_array, is_map
from ward_protocol.errors import MisuseError, StatementError
from ward_protocol.reasons import Reason

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Codec:
    """How one field is written (`plain`) and read (`value`, which raises ValueError saying what is wrong)."""

    plain: Callable[[Any], Any]
    value: Callable[[Any], Any]


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

    return Codec(_same, value)


def text(maximum: int, minimum: int = 1) -> Codec:
    """A text of `minimum` to `maximum` characters."""

    def value(item: Any) -> str:
        if type(item) is not str or not minimum <= len(item) <= maximum:
            raise ValueError(f"a text of {minimum} to {maximum} characters is needed")
        return item

    return Codec(_same, value)


def blob(maximum: int, minimum: int | None = None) -> Codec:
    """A byte string of exactly `maximum` bytes, or of `minimum` to `maximum`."""
    least = maximum if minimum is None else minimum

    def value(item: Any) -> bytes:
        if type(item) is not bytes or not least <= len(item) <= maximum:
            raise ValueError(f"a byte string of {least} to {maximum} bytes is needed")
        return item

    return Codec(_same, value)


def flag() -> Codec:
    """A boolean."""

    def value(item: Any) -> bool:
        if type(item) is not bool:
            raise ValueError("true or false is needed")
        return item

    return Codec(_same, value)


def one_of(kind: type[Enum]) -> Codec:
    """A value of a closed set."""
    known = {member.value: member for member in kind}

    def value(item: Any) -> Enum:
        if type(item) not in (int, str) or item not in known:
            raise ValueError("one of " + ", ".join(str(name) for name in known) + " is needed")
        return known[item]

    return Codec(lambda member: member.value, value)


def many(each: Codec, maximum: int, minimum: int = 0) -> Codec:
    """A list of `minimum` to `maximum` items, read as a tuple."""

    def value(item: Any) -> tuple[Any, ...]:
        if not is_array(item) or not minimum <= len(item) <= maximum:
            raise ValueError(f"a list of {minimum} to {maximum} items is needed")
        return tuple(each.value(one) for one in item)

    return Codec(lambda items: [each.plain(one) for one in items], value)


def table(name: Codec, each: Codec, maximum: int) -> Codec:
    """A map of at most `maximum` entries."""

    def value(item: Any) -> dict[Any, Any]:
        if not is_map(item) or len(item) > maximum:
            raise ValueError(f"a map of at most {maximum} entries is needed")
        return {name.value(one): each.value(other) for one, other in item.items()}

    return Codec(lambda items: {name.plain(one): each.plain(other) for one, other in items.items()}, value)


def struct(kind: type[Any]) -> Codec:
    """A nested dataclass of fields declared with `key`."""
    return Codec(to_map, lambda item: from_map(kind, item))


def to_map(thing: Any) -> dict[int, Any]:
    """Return the CBOR map of a dataclass instance; raises MisuseError for a value its reader would refuse."""
    out: dict[int, Any] = {}
    for one in fields(thing):
        if "key" not in one.metadata:
            continue
        value = getattr(thing, one.name)
        if one.default is not MISSING and value == one.default:
            continue
        codec: Codec = one.metadata["codec"]
        plain = codec.plain(value)
        try:
            codec.value(plain)
        except (ValueError, StatementError) as error:
            raise MisuseError(f"{type(thing).__name__}.{one.name}: {error}") from error
        out[one.metadata["key"]] = plain
    return out


def from_map(kind: type[T], item: Any) -> T:
    """Return a `kind` read from a CBOR map; raises StatementError naming the field that is wrong."""
    name = kind.__name__
    if not is_map(item):
        raise StatementError(Reason.MALFORMED_STATEMENT, f"{name}: a map is needed")
    known = {one.metadata["key"]: one for one in fields(kind) if "key" in one.metadata}  # type: ignore[arg-type]
    for number in item:
        if type(number) is not int or number not in known:
            raise StatementError(Reason.UNKNOWN_FIELD, f"{name}: field {number!r} is not known")
    values: dict[str, Any] = {}
    for number, one in known.items():
        if number not in item:
            if one.default is MISSING:
                raise StatementError(Reason.MALFORMED_STATEMENT, f"{name}.{one.name} is missing")
            continue
        values[one.name] = _read(f"{name}.{one.name}", one.metadata["codec"], item[number])
        if one.default is not MISSING and values[one.name] == one.default:
            raise StatementError(Reason.NOT_DETERMINISTIC, f"{name}.{one.name}: its default is never sent")
    try:
        return kind(**values)
    except ValueError as error:
        raise StatementError(Reason.MALFORMED_STATEMENT, f"{name}: {error}") from error


def _read(where: str, codec: Codec, item: Any) -> Any:
    try:
        return codec.value(item)
    except ValueError as error:
        raise StatementError(Reason.MALFORMED_STATEMENT, f"{where}: {error}") from error
