"""Profiles of products that measure: analogue input modules and power meters.

Such a profile names readings: where a number stands, how it is coded, and its unit. What distinguishes one site from
another (which reading, from which value on sound counts as heard) is configuration.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ward_hw.errors import MisuseError
from ward_hw.profile import SerialFacts, check_serial, profile_text
from ward_hw.profile_reader import build, tables_of, wrong

_WORDS = {"u16": 1, "i16": 1, "u32": 2, "i32": 2, "float32": 2}
_ORDERS = ("high-first", "low-first")


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """A number in registers: read with ``function`` 3 or 4, of ``type``, its words in the order ``words``."""

    function: int
    register: int
    type: str
    words: str = "high-first"

    @property
    def count(self) -> int:
        """How many registers it takes."""
        return _WORDS[self.type]

    def decode(self, registers: Sequence[int]) -> float:
        """The number in ``count`` registers as the device sent them; not finite where the device says so."""
        ordered = registers if self.words == "high-first" else registers[::-1]
        raw = b"".join(word.to_bytes(2, "big") for word in ordered)
        if self.type == "float32":
            (number,) = struct.unpack(">f", raw)
            return float(number)
        return float(int.from_bytes(raw, "big", signed=self.type.startswith("i")))


@dataclass(frozen=True, slots=True)
class CheckFacts(NumberFacts):
    """A number that is known beforehand: one of ``values``, or without any the unit's own number.

    It is read with another function than the readings: its answer cannot be taken for one of theirs.
    """

    values: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadingFacts(NumberFacts):
    """A measured number: ``per_unit`` counts are one ``unit``.

    With ``channels`` over 1 there are as many of it, one behind the other, called NAME-1, NAME-2 and so on; a
    ``check`` of its own stands behind that of the channel before likewise.
    """

    unit: str = ""
    per_unit: int = 1
    channels: int = 1
    check: CheckFacts | None = None


@dataclass(frozen=True, slots=True)
class MeterProfile:
    """A product that measures. ``check`` is the number by which it shows that it is that product."""

    title: str
    serial: SerialFacts
    check: CheckFacts
    readings: dict[str, ReadingFacts]

    def names(self) -> list[str]:
        """The readings that can be asked for, each channel by itself."""
        return [
            name if facts.channels == 1 else f"{name}-{channel}"
            for name, facts in self.readings.items()
            for channel in range(1, facts.channels + 1)
        ]

    def reading(self, name: str) -> ReadingFacts:
        """The facts of one reading, with its own registers and its check; raises MisuseError."""
        if name not in self.names():
            known = ", ".join(self.names())
            raise MisuseError(self.title, "find reading", f"no reading {name}", remedy=f"known are: {known}")
        base, _, channel = (name, "", "1") if name in self.readings else name.rpartition("-")
        facts = self.readings[base]
        further = int(channel) - 1
        check = facts.check
        if check is not None:
            check = replace(check, register=check.register + further * check.count)
        return replace(facts, register=facts.register + further * facts.count, check=check or self.check)


def load_meter(name: str) -> MeterProfile:
    """The meter profile called ``vendor/model``; raises MisuseError naming file and key."""
    return parse_meter(name, profile_text(name))


def is_meter(name: str) -> bool:
    """Whether the installed profile is that of a product that measures."""
    return "readings" in tables_of(name, profile_text(name))


def parse_meter(name: str, text: str) -> MeterProfile:
    """Read the text of a meter's profile; raises MisuseError naming ``name`` and the key."""
    table = tables_of(name, text)
    if "relays" in table:
        raise wrong(name, "relays", "this product switches; name it in an amplifier's section")
    profile = build(name, "", MeterProfile, table)
    check_serial(name, profile.serial)
    _check_number(name, "check", profile.check)
    for key, reading in profile.readings.items():
        _check_number(name, f"readings.{key}", reading)
        if reading.unit == "" or reading.per_unit < 1 or not 1 <= reading.channels <= 32:
            raise wrong(name, f"readings.{key}", "needs a unit, per_unit from 1 and 1 to 32 channels")
        check = reading.check or profile.check
        _check_number(name, f"readings.{key}.check", check)
        if check.function == reading.function:
            raise wrong(name, f"readings.{key}.check", "must be read with the other function than the reading")
    return profile


def _check_number(name: str, key: str, number: NumberFacts) -> None:
    if number.function not in {3, 4}:
        raise wrong(name, f"{key}.function", "must be 3 or 4")
    if number.type not in _WORDS:
        raise wrong(name, f"{key}.type", f"must be one of {', '.join(_WORDS)}")
    if number.words not in _ORDERS:
        raise wrong(name, f"{key}.words", f"must be one of {', '.join(_ORDERS)}")
