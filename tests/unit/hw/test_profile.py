"""Profiles: the installed ones load, every value has its source, and nothing unknown or wrong is let through."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from importlib.resources import files

import pytest

from ward_hw.errors import MisuseError
from ward_hw.meter_profile import is_meter, load_meter
from ward_hw.profile import known_profiles, load_profile, parse_profile
from ward_protocol.portable import amplifier as registers
from ward_protocol.portable.amplifier_reading import STATUS_POLLED, Status

OURS = "wardhub/amp8"


def text_of(name: str) -> str:
    return files("ward_hw").joinpath(f"profiles/{name}.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", known_profiles())
def test_every_installed_profile_loads(name: str) -> None:
    profile = load_meter(name) if is_meter(name) else load_profile(name)
    assert profile.title


@pytest.mark.parametrize("name", known_profiles())
def test_every_value_names_its_source(name: str) -> None:
    for line in text_of(name).splitlines():
        if "=" in line and not line.startswith(("#", "title")):
            assert "# Ref: " in line, line


def test_our_profile_is_the_register_map_of_the_firmware() -> None:
    profile = load_profile(OURS)
    lease, nonce, status = profile.register_lease, profile.nonce, profile.status
    assert lease is not None
    assert nonce is not None
    assert status is not None
    assert (lease.register, lease.max_on_register, nonce.register) == (
        registers.LEASE_MS,
        registers.MAX_ON_S,
        registers.NONCE,
    )
    delivered = dict(zip(registers.CONFIG_NAMES, registers.CONFIG_DEFAULTS, strict=True))
    assert (lease.min_ms, lease.max_ms) == registers.SETTING_RANGES[registers.LEASE_MS]
    assert (1, lease.max_on_limit_s) == registers.SETTING_RANGES[registers.MAX_ON_S]
    assert (lease.default_ms, lease.max_on_default_s) == (delivered["lease_ms"], delivered["max_on_s"])
    assert (nonce.status, nonce.inputs, nonce.count) == (
        registers.STATUS_HOLDING,
        registers.STATUS_INPUT,
        STATUS_POLLED,
    )
    lock = profile.interlock
    assert lock is not None
    assert [lock.register + index for index in range(3)] == [registers.SUPPLY, registers.ZONES, registers.WARM_UP_MS]
    assert lock.max_warm_up_ms == registers.SETTING_RANGES[registers.WARM_UP_MS][1]
    words = Status(*range(23))
    assert (words.nonce, words.identity) == (0, status.identity)
    assert (words.relays, words.line_mv, words.supply_cv) == (status.relays, status.line_level_mv, status.supply)
    assert (words.temperature_dc, words.lease_left_ms) == (status.temperature_dc, status.lease_left_ms)
    assert (words.uptime_s, words.reset_cause, words.trips) == (status.uptime_s, status.reset_cause, status.trips)
    assert (words.current_ma, words.flags, words.last_trip) == (status.current_ma, status.flags, status.last_trip)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("[relays]", "[relays]\nlatching = true", r"relays\.latching: unknown key \(known here: count, coil\)"),
        ("[nonce]", "[nonces]", "nonces: unknown key"),
        ("coil = 0", "", r"relays\.coil: missing"),
        ("count = 8", 'count = "8"', r"relays\.count: must be a number, is '8'"),
        ("count = 8", "count = true", r"relays\.count: must be a number, is True"),
        ("[interlock]\nregister = 3", "[interlock]\nregister = 4", r"interlock\.register: must be the register behind"),
        ("count = 8", "count = 33", r"relays\.count: must be 1 to 32"),
        ("count = 8", "count = -8", r"relays\.count: -8 is out of range"),
        ("baudrate = 19200", "baudrate = 300", r"serial\.baudrate: must be one of"),
        ("baudrates = [9600, 19200, 38400, 57600, 115200]", "baudrates = []", r"serial\.baudrates: must be a list"),
        ("title = ", "title = 3 #", "title: must be text, is 3"),
        ("[relays]", "[relays", "file: "),
        ("coil = 0 ", "coil = true ", r"relays\.coil: must be a number, is True"),
    ],
)
def test_a_wrong_profile_stops_with_its_name_and_the_key(old: str, new: str, complaint: str) -> None:
    text = text_of(OURS)
    assert old in text
    with pytest.raises(MisuseError, match=r"^profile site/test: load profile: " + complaint):
        parse_profile("site/test", text.replace(old, new, 1))


@pytest.mark.parametrize("missing", ["register_lease", "nonce", "status"])
def test_parts_that_belong_together_come_together(missing: str) -> None:
    tables = tomllib.loads(text_of(OURS))
    kept = text_of(OURS).replace(f"[{missing}]", f"[{missing}_gone]")
    assert missing in tables
    with pytest.raises(MisuseError):
        parse_profile("site/test", kept)


def test_a_section_left_out_whole_is_noticed() -> None:
    text = text_of(OURS)
    without_lease = text[: text.index("[register_lease]")] + text[text.index("[nonce]") :]
    with pytest.raises(MisuseError, match="exactly one of register_lease and timed_lease"):
        parse_profile("site/test", without_lease)
    without_nonce = text[: text.index("[nonce]")] + "[probe]\nregister = 1\n"
    with pytest.raises(MisuseError, match="needs nonce"):
        parse_profile("site/test", without_nonce)
    with pytest.raises(MisuseError, match="either nonce and status"):
        parse_profile("site/test", text[: text.index("[status]")])


@pytest.mark.parametrize("name", ["amp8", "../wardhub/amp8", "wardhub/../../x", "", "/", "wardhub/amp8.toml"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(MisuseError, match="not a profile name"):
        load_profile(name)


def test_an_unknown_product_is_answered_with_the_known_ones() -> None:
    with pytest.raises(
        MisuseError, match=r"known are: eastron/sdm120, .*wardhub/amp8, .*waveshare/modbus-rtu-relay-8ch"
    ):
        load_profile("wardhub/amp9")


def test_what_is_true_or_false_is_neither_number_nor_text() -> None:
    text = text_of("waveshare/modbus-rtu-relay-16ch")
    for wrong in ("0", '"no"'):
        with pytest.raises(MisuseError, match=r"timed_lease\.attested: must be true or false"):
            parse_profile("site/test", text.replace("attested = false", f"attested = {wrong}"))


@pytest.mark.parametrize(("number", "count"), [("8ch", 8), ("16ch", 16), ("32ch", 32)])
def test_relay_boards_of_one_maker_differ_in_their_number_and_in_what_is_attested(number: str, count: int) -> None:
    eight, board = load_profile("waveshare/modbus-rtu-relay-8ch"), load_profile(f"waveshare/modbus-rtu-relay-{number}")
    assert board.relays.count == count
    assert eight.timed_lease is not None
    assert eight.timed_lease.attested
    eight = replace(eight, timed_lease=replace(eight.timed_lease, attested=count != 16))
    assert (board.timed_lease, board.probe, board.serial.unit) == (eight.timed_lease, eight.probe, eight.serial.unit)


def test_a_meter_is_no_amplifier() -> None:
    with pytest.raises(MisuseError, match="readings: this product"):
        load_profile("peacefair/pzem-016")
