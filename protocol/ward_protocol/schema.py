"""From frozen dataclasses to CBOR maps with small integer keys and back, by a table of fields.

A field says its key and codec once (`key(3, uint())`); reading refuses unknown keys, missing required fields,
wrong types, unsorted keys and values out of their limits, and names the field.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from enum import Enum
from typing import Any, TypeAlias, TypeVar

from ward_protocol.cbor import in_order, sorted_map
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
        if item.__class__ is not list or not minimum <= len(item) <= maximum:
            raise ValueError(f"a list of {minimum} to {maximum} items is needed")
        return tuple(map(read, item))

    read = each.value
    return Codec(lambda items: [each.plain(one) for one in items], value)


def table(name: Codec, each: Codec, maximum: int) -> Codec:
    """A map of at most `maximum` entries."""

    def value(item: Any) -> dict[Any, Any]:
        if item.__class__ is not dict or len(item) > maximum:
            raise ValueError(f"a map of at most {maximum} entries is needed")
        if len(item) > 1 and not in_order(list(item)):
            raise StatementError(Reason.NOT_DETERMINISTIC, "the keys of a map are not sorted")
        return {read_name(one): read(other) for one, other in item.items()}

    read_name, read = name.value, each.value

    def plain(items: Any) -> dict[Any, Any]:
        return sorted_map({name.plain(one): each.plain(other) for one, other in items.items()})

    return Codec(plain, value)


def struct(kind: type[Any]) -> Codec:
    """A nested dataclass of fields declared with `key`."""
    return Codec(to_map, lambda item: from_map(kind, item))


# How one field is read: its name, what puts its value into an instance, its reader, its default or MISSING. Plain
# tuples: taking a NamedTuple apart takes twice the time, and this is the hot path of every verification.
_Field: TypeAlias = tuple[str, Callable[[Any, Any], None], Callable[[Any], Any], Any]
# The fields of a class by key; the optional ones by key, what puts them, and default; whether it has rules of its own.
_Plan: TypeAlias = tuple[dict[int, _Field], list[tuple[int, Callable[[Any, Any], None], Any]], bool]
_PLANS: dict[type[Any], _Plan] = {}


def _plan(kind: type[Any]) -> _Plan:
    """Return how a slotted dataclass is read, worked out once."""
    known: dict[int, _Field] = {}
    for one in fields(kind):
        codec: Codec = one.metadata["codec"]
        known[one.metadata["key"]] = (one.name, getattr(kind, one.name).__set__, codec.value, one.default)
    optional = [(number, put, default) for number, (_, put, _, default) in known.items() if default is not MISSING]
    plan = _PLANS[kind] = known, optional, hasattr(kind, "__post_init__")
    return plan


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
    if item.__class__ is not dict:
        raise StatementError(Reason.MALFORMED_STATEMENT, f"{kind.__name__}: a map is needed")
    known, optional, has_rules = _PLANS.get(kind) or _plan(kind)
    # Slots are filled one by one: a frozen dataclass that is called sets them by object.__setattr__, a quarter slower.
    thing = object.__new__(kind)
    name, last = "", -1
    try:
        for number, plain in item.items():
            if type(number) is not int or number not in known or number < last:
                raise _misplaced(kind, number, last, known)
            last = number
            name, put, read, default = known[number]
            value = read(plain)
            if default is not MISSING and value == default:
                raise StatementError(Reason.NOT_DETERMINISTIC, f"{kind.__name__}.{name}: its default is never sent")
            put(thing, value)
    except ValueError as error:
        raise StatementError(Reason.MALFORMED_STATEMENT, f"{kind.__name__}.{name}: {error}") from error
    if len(item) < len(known):
        missing = len(known) - len(item)
        for number, put, default in optional:
            if number not in item:
                put(thing, default)
                missing -= 1
        _need_none(missing, kind, item)
    if has_rules:
        _check(thing)
    return thing


def _misplaced(kind: type[Any], number: object, last: int, known: dict[int, _Field]) -> StatementError:
    if type(number) is int and number in known:
        return StatementError(Reason.NOT_DETERMINISTIC, f"{kind.__name__}: field {number} after {last}")
    return StatementError(Reason.UNKNOWN_FIELD, f"{kind.__name__}: field {number!r} is not known")


def _need_none(missing: int, kind: type[Any], item: dict[Any, Any]) -> None:
    if missing:
        names = ", ".join(one[0] for number, one in _plan(kind)[0].items() if one[3] is MISSING and number not in item)
        raise StatementError(Reason.MALFORMED_STATEMENT, f"{kind.__name__} without {names}")


def _check(thing: Any) -> None:
    try:
        thing.__post_init__()
    except ValueError as error:
        raise StatementError(Reason.MALFORMED_STATEMENT, f"{type(thing).__name__}: {error}") from error
