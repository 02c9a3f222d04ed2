"""The CBOR map of a dataclass whose fields say their keys and codecs, as a table of `ward_protocol.heads`.

A map is read field by field in the order of keys, so that they are sorted, none stands twice and none is unknown is
seen by where each is looked up. A key has one byte, and the fields without a default have the lowest. So a key and the
first byte of its value are one look-up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, fields, make_dataclass
from typing import Any, TypeAlias

from ward_protocol import cbor, heads
from ward_protocol.errors import MisuseError
from ward_protocol.heads import MAP, Heads, Reader, Take

_Line: TypeAlias = tuple[int, Any, int | None, Callable[[Any], Any]]
_FIELDS: dict[type[Any], dict[int, Field[Any]]] = {}
_HEADS: dict[type[Any], Heads] = {}


def fields_of(kind: type[Any]) -> dict[int, Field[Any]]:
    """Return the fields of a dataclass by their keys, in the order of these."""
    if kind not in _FIELDS:
        by_key = {one.metadata["key"]: one for one in fields(kind)}
        _FIELDS[kind] = {number: by_key[number] for number in sorted(by_key)}
    return _FIELDS[kind]


def map_heads(kind: type[Any]) -> Heads:
    """Return the table of the map of a frozen, slotted dataclass; raises MisuseError where its keys do not fit."""
    if kind not in _HEADS:
        _HEADS[kind] = _heads_of(kind)
    return _HEADS[kind]


def _heads_of(kind: type[Any]) -> Heads:
    known = fields_of(kind)
    required = [(number, one) for number, one in known.items() if one.default is MISSING]
    optional = [(number, one) for number, one in known.items() if one.default is not MISSING]
    if (
        len(known) < len(fields(kind))
        or [*required, *optional] != list(known.items())
        or not known.keys() <= set(range(24))
    ):
        raise MisuseError(f"{kind.__name__}: keys are distinct, below 24, and highest where a field has a default")
    defaults = [one.default for _, one in optional]
    reader = _reader(kind, [_led_by(number, one) for number, one in required], _placed(optional), defaults)
    return heads.counted(MAP, len(required), len(known), reader)


def _led_by(number: int, one: Field[Any]) -> Heads:
    """Return the table of a field's value with the key before it: its lines are found by both first bytes at once."""
    codec_heads: Heads = one.metadata["codec"].heads
    return {bytes((number,)) + first: line for first, line in codec_heads.items()}


def _placed(optional: list[tuple[int, Field[Any]]]) -> dict[bytes, _Line]:
    """Return one table of all optional fields: a line says also the field's place among them, and what is never sent.

    That is its default. Most have one byte, and then no line is needed to refuse it: there is none.
    """
    placed: dict[bytes, _Line] = {}
    for place, (number, one) in enumerate(optional):
        default = b"" if one.default is None else cbor.encode(one.metadata["codec"].plain(one.default))
        never = one.default if len(default) > 1 else None
        lines = {first: (place, never, *line) for first, line in _led_by(number, one).items()}
        lines.pop(bytes((number,)) + default, None)
        placed |= lines
    return placed


def _reader(
    kind: type[Any], required: list[Heads], optional: dict[bytes, _Line], defaults: list[Any]
) -> Callable[[int], Reader]:
    """Return what makes, for a number of entries, the reader of a map of so many."""
    end = len(defaults)
    # A frozen dataclass sets its fields by object.__setattr__, which takes as long as reading them. So a twin that has
    # the same slots and is not frozen is filled, and then becomes one of its kind.
    twin = make_dataclass(kind.__name__, [one.name for one in fields_of(kind).values()], slots=True)
    has_rules = hasattr(kind, "__post_init__")

    def reader(count: int) -> Reader:
        turns = range(count - len(required))

        def read(take: Take) -> object:
            values: list[Any] = []
            for lines in required:
                size, make = lines[take(2)]
                values.append(make(take) if size is None else make(take(size)))
            place = 0
            for _ in turns:
                at, never, size, make = optional[take(2)]
                if at != place:
                    if at < place:
                        raise ValueError("fields that are not sorted, or one that stands twice")
                    values += defaults[place:at]
                value = make(take) if size is None else make(take(size))
                if never is not None and value == never:
                    raise ValueError("a default, which is never sent")
                values.append(value)
                place = at + 1
            if place != end:
                values += defaults[place:]
            thing = twin(*values)
            thing.__class__ = kind
            if has_rules:
                thing.__post_init__()
            return thing

        return read

    return reader
