"""Meter profiles: numbers as the makers' manuals code them, channels, and what is refused."""

from __future__ import annotations

import math
import struct
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ward_hw.errors import MisuseError
from ward_hw.meter_profile import NumberFacts, is_meter, load_meter, parse_meter
from ward_hw.profile import known_profiles

PZEM, SDM, ANALOG = "peacefair/pzem-016", "eastron/sdm120", "waveshare/modbus-rtu-analog-input-8ch"


def text_of(name: str) -> str:
    return files("ward_hw").joinpath(f"profiles/{name}.toml").read_text(encoding="utf-8")


def test_which_profiles_measure() -> None:
    assert [name for name in known_profiles() if is_meter(name)] == [SDM, PZEM, ANALOG]


@pytest.mark.parametrize(
    ("facts", "registers", "value"),
    [
        (NumberFacts(4, 0, "u16"), [0xFFFE], 65534.0),
        (NumberFacts(4, 0, "i16"), [0xFFFE], -2.0),
        (NumberFacts(4, 0, "u32"), [1, 2], 65538.0),
        (NumberFacts(4, 0, "u32", "low-first"), [2, 1], 65538.0),
        (NumberFacts(4, 0, "i32"), [0xFFFF, 0xFFFE], -2.0),
        (NumberFacts(4, 0, "float32"), [0x4366, 0x3333], pytest.approx(230.2, abs=1e-5)),  # Ref: IEEE 754, single
        (NumberFacts(4, 0, "float32"), [0x3F80, 0x0000], 1.0),
        (NumberFacts(4, 0, "float32", "low-first"), [0x0000, 0x3F80], 1.0),
    ],
)
def test_numbers_by_hand(facts: NumberFacts, registers: list[int], value: float) -> None:
    assert facts.count == len(registers)
    assert facts.decode(registers) == value


@given(st.integers(-(2**31), 2**31 - 1), st.sampled_from(["high-first", "low-first"]))
def test_every_signed_number_comes_through(number: int, words: str) -> None:
    registers = list(struct.unpack(">HH", struct.pack(">i", number)))
    ordered = registers if words == "high-first" else registers[::-1]
    assert NumberFacts(3, 0, "i32", words).decode(ordered) == number


@given(st.floats(width=32))
def test_every_float_comes_through_also_those_that_are_no_number(number: float) -> None:
    decoded = NumberFacts(4, 0, "float32").decode(struct.unpack(">HH", struct.pack(">f", number)))
    assert decoded == number or (math.isnan(decoded) and math.isnan(number))


def test_channels_stand_one_behind_the_other_with_their_checks() -> None:
    profile = load_meter(ANALOG)
    third = profile.reading("voltage-3")
    assert (third.register, third.unit, third.per_unit) == (2, "mV", 1)
    assert third.check is not None
    assert (third.check.register, third.check.values) == (0x1002, (0, 1))
    assert len(profile.names()) == 16


def test_a_reading_without_a_check_of_its_own_has_the_products() -> None:
    power = load_meter(PZEM).reading("power")
    assert (power.register, power.count, power.words, power.per_unit, power.unit) == (3, 2, "low-first", 10, "W")
    assert power.check == load_meter(PZEM).check


@pytest.mark.parametrize("name", ["voltage", "voltage-0", "voltage-9", "power", "", "voltage-1-1"])
def test_a_reading_that_is_none_is_answered_with_those_there_are(name: str) -> None:
    with pytest.raises(MisuseError, match=f"no reading {name}; known are: voltage-1, "):
        load_meter(ANALOG).reading(name)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('type = "u32"', 'type = "u48"', r"readings\.current\.type: must be one of u16, i16, u32, i32, float32"),
        ("function = 4", "function = 2", r"readings\.voltage\.function: must be 3 or 4"),
        ("function = 4", "function = 3", r"readings\.voltage\.check: must be read with the other function"),
        ('words = "low-first"', 'words = "middle"', r"readings\.current\.words: must be one of high-first, low-first"),
        ("per_unit = 10 ", "per_unit = 0 ", r"readings\.voltage: needs a unit, per_unit from 1"),
        ('unit = "V"', "", r"readings\.voltage: needs a unit"),
        ("per_unit = 10 ", "per_unit = 10.5 ", r"readings\.voltage\.per_unit: must be a number, is 10\.5"),
        ("register = 0x0000", "", r"readings\.voltage\.register: missing"),
        ("register = 0x0000", "register = 0\nprecise = 1", r"readings\.voltage\.precise: unknown key"),
        ("[check]", "[checks]", "checks: unknown key"),
        ("[readings.voltage]", "[relays]\n[readings.voltage]", "relays: this product switches"),
        ("baudrate = 9600", "baudrate = 300", r"serial\.baudrate: must be one of"),
    ],
)
def test_a_wrong_profile_stops_with_its_name_and_the_key(old: str, new: str, complaint: str) -> None:
    text = text_of(PZEM)
    assert old in text
    with pytest.raises(MisuseError, match=r"^profile site/test: load profile: " + complaint):
        parse_meter("site/test", text.replace(old, new, 1))


def test_readings_must_be_there() -> None:
    text = text_of(PZEM)
    with pytest.raises(MisuseError, match="readings: must be a table that is not empty"):
        parse_meter("site/test", text[: text.index("[readings")] + "[readings]\n")


def test_an_amplifier_is_no_meter() -> None:
    with pytest.raises(MisuseError, match="relays: this product switches"):
        load_meter("wardhub/amp8")
