"""docs/hardware.md says of registers, operations, statuses and profiles what the code does."""

from __future__ import annotations

import re

from tests.unit.firmware.ports import RelayBank
from tests.unit.firmware.ports import amplifier as controller
from tests.unit.project.tables import table_after

from ward_hw.bus import Priority
from ward_hw.bus.quarantine import LONGEST_S
from ward_hw.profile import known_profiles
from ward_protocol.portable import amplifier, board
from ward_protocol.portable import amplifier_reading as reading
from ward_protocol.portable.crc16 import seal

DOC = "docs/hardware.md"


NAMES = (*amplifier.CONFIG_NAMES[2:4], "nonce", *amplifier.CONFIG_NAMES[4:])


def test_functions_are_those_of_the_firmware() -> None:
    rows = {int(row[0]): row[2] == "yes" for row in table_after(DOC, "functions")}
    answers = {function: answer(function) for function in range(1, 128)}
    assert set(rows) == {function for function, pdu in answers.items() if pdu != bytes((function | 0x80, 1))}
    assert {function for function, renews in rows.items() if renews} == {5, 6, 15, 16, 23}


# The fields of each request, where zeros will not do.
FIELDS = {15: "0000 0001 01 00", 16: "0000 0001 02 0BB8", 23: "0000 0001 0000 0001 02 0BB8", 43: "0E 01 00"}


def answer(function: int) -> bytes:
    """The PDU that the firmware answers a plausible request of `function` with."""
    body = bytes.fromhex(FIELDS.get(function, "0000 0001"))
    return controller(RelayBank()).rx(seal(bytes((17, function)) + body), 0)[1:3]


def test_settings_are_those_of_the_register_map() -> None:
    rows = table_after(DOC, "settings")
    assert [(int(row[0]), row[1]) for row in rows] == list(enumerate(NAMES))
    assert len(rows) == amplifier.SETTINGS
    assert [NAMES[register] for register in amplifier.CONFIG_SETTINGS] == list(amplifier.CONFIG_NAMES[2:])


def test_limits_of_settings_are_where_the_controller_draws_them() -> None:
    for number, _, _, least, most, _ in table_after(DOC, "settings"):
        register, low, high = int(number), int(least), int(most)
        assert amplifier.setting_valid(register, low)
        assert amplifier.setting_valid(register, high)
        assert not amplifier.setting_valid(register, low - 1)
        assert not amplifier.setting_valid(register, high + 1)


def test_settings_as_delivered() -> None:
    values = [int(row[5]) for row in table_after(DOC, "settings") if row[1] != "nonce"]
    assert values == list(amplifier.CONFIG_DEFAULTS[2:])


def test_the_configuration_is_that_of_the_register_map() -> None:
    rows = table_after(DOC, "configuration")
    assert [int(row[0], 16) for row in rows] == list(range(amplifier.CONFIG, amplifier.COMMIT + 1))
    assert [row[1] for row in rows] == [*amplifier.CONFIG_NAMES, "commit"]
    assert [int(row[3]) for row in rows] == [*amplifier.CONFIG_DEFAULTS, 0]
    bauds = [int(word) for word in rows[1][2].partition(": ")[2].split(", ")]
    assert bauds == list(amplifier.BAUDS)
    assert [int(number, 16) for number in re.findall(r"0x[0-9A-F]{4}", rows[-1][2])] == [
        amplifier.COMMIT_STORE,
        amplifier.COMMIT_RESTART,
    ]


def test_discrete_inputs_are_the_flags() -> None:
    rows = table_after(DOC, "inputs")
    names = {int(row[0]): row[1] for row in rows if " to " not in row[0]}
    assert names == {16 + bit: name for bit, name in enumerate(reading.FLAG_NAMES)}
    assert rows[-1][0].endswith(str(amplifier.DISCRETE_INPUTS - 1))


def test_status_block_is_in_the_order_of_the_registers() -> None:
    rows = table_after(DOC, "status")
    assert [row[0] for row in rows] == [f"+{offset}" for offset in range(reading.STATUS_SIZE)]
    assert tuple(row[1] for row in rows) == reading.Status._fields
    trips = next(row[3] for row in rows if row[1] == "last_trip")
    assert trips == ", ".join(f"{number} {name}" for number, name in enumerate(reading.TRIP_NAMES))


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
        "INFO": board.INFO,
        "CONFIGURE": board.CONFIGURE,
        "RESTART": board.RESTART,
    }


def test_statuses_of_the_board() -> None:
    rows = table_after(DOC, "statuses")
    assert [(int(number), meaning) for number, meaning in rows] == list(enumerate(board.STATUS_NAMES))


def test_profiles_are_those_installed() -> None:
    named = [re.fullmatch(r"`(.+)`", row[0]) for row in table_after(DOC, "profiles")]
    assert sorted(match.group(1) for match in named if match) == known_profiles()


def test_priorities_of_a_line_in_their_order() -> None:
    pauses = {one.name: f"{LONGEST_S[one]:g} s" if one in LONGEST_S else "none" for one in sorted(Priority)}
    assert {row[0].strip("`"): row[2] for row in table_after(DOC, "priorities")} == pauses
    assert [row[0].strip("`") for row in table_after(DOC, "priorities")] == [one.name for one in sorted(Priority)]
