"""docs/hardware.md says of registers, operations, statuses and profiles what the code does."""

from __future__ import annotations

import re

from tests.unit.project.tables import table_after

from ward_hw.profile import known_profiles
from ward_protocol.portable import amplifier, board

DOC = "docs/hardware.md"


def test_settings_are_those_of_the_register_map() -> None:
    rows = table_after(DOC, "settings")
    names = {amplifier.LEASE_MS: "lease_ms", amplifier.MAX_ON_S: "max_on_s", amplifier.NONCE: "nonce"}
    assert {int(row[0]): row[1] for row in rows} == names
    assert len(rows) == amplifier.SETTINGS


def test_limits_of_settings_are_where_the_controller_draws_them() -> None:
    for number, _, _, least, most, _ in table_after(DOC, "settings"):
        register, low, high = int(number), int(least), int(most)
        assert amplifier.setting_valid(register, low)
        assert amplifier.setting_valid(register, high)
        assert not amplifier.setting_valid(register, low - 1)
        assert not amplifier.setting_valid(register, high + 1)


def test_settings_after_reset() -> None:
    values = {row[1]: int(row[5]) for row in table_after(DOC, "settings")}
    assert values == {
        "lease_ms": amplifier.LEASE_DEFAULT_MS,
        "max_on_s": amplifier.MAX_ON_DEFAULT_S,
        "nonce": 0,
    }


def test_status_block_is_in_the_order_of_the_registers() -> None:
    rows = table_after(DOC, "status")
    assert [row[0] for row in rows] == [f"+{offset}" for offset in range(amplifier.STATUS_SIZE)]
    assert tuple(row[1] for row in rows) == amplifier.Status._fields


def test_operations_of_the_board() -> None:
    rows = {row[1]: int(row[0]) for row in table_after(DOC, "operations")}
    assert rows == {
        "IDENT": board.IDENT,
        "STRIP": board.STRIP,
        "DATA": board.DATA,
        "SHOW": board.SHOW,
        "STATUS": board.STATUS,
        "RENEW": board.RENEW,
        "BLANK": board.BLANK,
    }


def test_statuses_of_the_board() -> None:
    rows = table_after(DOC, "statuses")
    assert [(int(number), meaning) for number, meaning in rows] == list(enumerate(board.STATUS_NAMES))


def test_profiles_are_those_installed() -> None:
    named = [re.fullmatch(r"`(.+)`", row[0]) for row in table_after(DOC, "profiles")]
    assert sorted(match.group(1) for match in named if match) == known_profiles()
