"""The strict reader of profiles: TOML tables into frozen records; an unknown, missing or wrong key is fatal."""

from __future__ import annotations

import tomllib
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import TYPE_CHECKING, TypeVar, cast, get_args, get_origin, get_type_hints

from ward_hw.errors import MisuseError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
_LARGEST = 0xFFFFF
_KINDS: dict[object, str] = {int: "a number", bool: "true or false"}


def wrong(name: str, key: str, problem: str) -> MisuseError:
    """The error for a profile that cannot be used."""
    return MisuseError(f"profile {name}", "load profile", f"{key}: {problem}", remedy="correct the file")


def tables_of(name: str, text: str) -> dict[str, object]:
    """The tables of a profile's text; raises MisuseError for what is no TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise wrong(name, "file", str(error)) from error


def build(name: str, path: str, kind: type[T], table: dict[str, object]) -> T:
    """Read a table of the profile ``name`` into ``kind``; ``path`` is where it stands, ending in a dot."""
    known = {field.name: field for field in fields(kind)}
    for key in table:
        if key not in known:
            raise wrong(name, path + key, f"unknown key (known here: {', '.join(known)})")
    hints = get_type_hints(kind)
    values: dict[str, object] = {}
    for key, field in known.items():
        if key in table:
            values[key] = _value(name, path + key, hints[key], table[key])
        elif _required(field):
            raise wrong(name, path + key, "missing")
    return kind(**values)


def _value(name: str, key: str, hint: object, value: object) -> object:
    if get_origin(hint) is dict:
        if not isinstance(value, dict) or not value:
            raise wrong(name, key, "must be a table that is not empty")
        tables = cast("dict[str, object]", value)
        return {each: _value(name, f"{key}.{each}", get_args(hint)[1], table) for each, table in tables.items()}
    hint = next((option for option in get_args(hint) if is_dataclass(option)), hint)
    if is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, dict):
            raise wrong(name, key, "must be a table")
        return build(name, key + ".", hint, cast("dict[str, object]", value))
    if get_origin(hint) is tuple:
        if not isinstance(value, list) or not value:
            raise wrong(name, key, "must be a list that is not empty")
        return tuple(_value(name, key, get_args(hint)[0], item) for item in cast("list[object]", value))
    # To TOML and to us, true is no number.
    if isinstance(value, bool) != (hint is bool) or not isinstance(hint, type) or not isinstance(value, hint):
        raise wrong(name, key, f"must be {_KINDS.get(hint, 'text')}, is {value!r}")
    if isinstance(value, int) and not 0 <= value <= _LARGEST:
        raise wrong(name, key, f"{value} is out of range")
    return value


def _required(field: Field[object]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING
