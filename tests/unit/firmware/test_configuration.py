"""What a controller is after a reset: staged over Modbus, committed, damaged, and told."""

from __future__ import annotations

import struct

import pytest
from tests.unit.firmware.benches import AmplifierBench
from tests.unit.firmware.ports import Flash

from ward_firmware.amplifier.factory import defaults, factory
from ward_firmware.board import factory as of_boards
from ward_protocol.portable import amplifier as registers
from ward_protocol.portable import board as messages

STORE, RESTART = "06 020A 5AFE", "06 020A B007"
# Unit 18, 9,600 baud, lease 1 s, on-time 600 s, supply 0, zones 1 to 4, warm-up 800 ms, 70 degrees, 6 A, 20 V.
VALUES = (18, 96, 1000, 600, 1, 0x1E, 800, 700, 6000, 2000)
WRITE = "10 0200 000A 14 " + struct.pack(">10H", *VALUES).hex()
WRITTEN = "10 02 00 00 0A"


def test_a_committed_configuration_is_in_force_after_the_next_start() -> None:
    bench = AmplifierBench()
    assert bench.ask(WRITE) == WRITTEN
    assert bench.ask(STORE) == "06 02 0A 5A FE"
    assert bench.flags() >= {"config_waiting", "config_default"}
    assert bench.ask("03 0000 0001") == "03 02 0B B8"  # nothing of it holds yet
    again = AmplifierBench(bench.flash, unit=1)
    again.unit = 18
    assert again.ask("03 0000 0009") == "03 12 03 E8 02 58 00 00 00 01 00 1E 03 20 02 BC 17 70 07 D0"
    assert again.core.turnaround_us == 4010
    assert not again.flags() & {"config_waiting", "config_default", "config_damaged"}


def test_staging_alone_changes_nothing() -> None:
    bench = AmplifierBench()
    bench.ask(WRITE)
    assert bench.ask("03 0200 000B")[:17] == "03 16 00 12 00 60"
    assert bench.flash.load() is None
    assert "config_waiting" not in bench.flags()


def test_one_register_can_be_staged_alone() -> None:
    bench = AmplifierBench()
    assert bench.ask("06 0206 0320") == "06 02 06 03 20"
    bench.ask(STORE)
    again = AmplifierBench(bench.flash)
    assert again.ask("03 0005 0001") == "03 02 03 20"


def test_window_and_commit_in_one_request() -> None:
    bench = AmplifierBench()
    assert bench.ask("10 0200 000B 16 " + struct.pack(">11H", *VALUES, 0x5AFE).hex()) == "10 02 00 00 0B"
    assert bench.flash.load() is not None


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("06 0200 0000", "86 03"),
        ("06 0200 00F8", "86 03"),
        ("06 0201 0064", "86 03"),
        ("06 0202 0000", "86 03"),
        ("06 020A 0001", "86 03"),
        ("06 020B 0001", "86 02"),
        ("10 0209 0003 06 0000 5AFE 0000", "90 02"),
        ("17 0200 0001 0200 0001 02 00F8", "97 03"),
    ],
)
def test_what_the_window_does_not_take(request_: str, answer: str) -> None:
    bench = AmplifierBench()
    before = bench.ask("03 0200 000B")
    assert bench.ask(request_) == answer
    assert bench.ask("03 0200 000B") == before


@pytest.mark.parametrize("commit", [STORE, RESTART])
def test_nothing_is_committed_while_a_relay_is_closed(commit: str) -> None:
    bench = AmplifierBench()
    bench.ask(WRITE)
    bench.coils(1)
    assert bench.ask(commit) == "86 04"
    assert (bench.flash.load(), bench.core.restart_wanted) == (None, False)
    bench.coils(0)
    assert bench.ask(commit)[:2] == "06"


@pytest.mark.parametrize("request_", [WRITE, STORE, RESTART])
def test_nobody_is_configured_by_broadcast(request_: str) -> None:
    bench = AmplifierBench()
    before = bench.ask("03 0200 000B")
    assert bench.ask(request_, unit=0) == ""
    assert bench.ask("03 0200 000B") == before
    assert (bench.flash.load(), bench.core.restart_wanted) == (None, False)


def test_a_flash_that_takes_nothing_is_told_to_the_master() -> None:
    flash = Flash()
    flash.broken = True
    bench = AmplifierBench(flash)
    bench.ask(WRITE)
    assert bench.ask(STORE) == "86 04"
    assert "config_waiting" not in bench.flags()


def test_a_restart_is_asked_for() -> None:
    bench = AmplifierBench()
    assert not bench.core.restart_wanted
    assert bench.ask(RESTART) == "06 02 0A B0 07"
    assert bench.core.restart_wanted


@pytest.mark.parametrize(
    "record",
    [b"", bytes(40), struct.pack(">10I", 0, *VALUES[1:]), struct.pack(">9I", *VALUES[1:])],
    ids=["empty", "zeros", "unit 0", "short"],
)
def test_a_record_that_cannot_be_leaves_the_factory_values_and_a_flag(record: bytes) -> None:
    bench = AmplifierBench(Flash(record))
    assert bench.flags() >= {"config_default", "config_damaged"}
    assert bench.ask("03 0000 0002") == "03 04 0B B8 0E 10"


def test_a_damaged_slot_is_told_though_the_other_one_is_whole() -> None:
    flash = Flash(struct.pack(">10I", *VALUES))
    flash.damaged = True
    bench = AmplifierBench(flash)
    bench.unit = 18
    assert bench.flags() & {"config_default", "config_damaged"} == {"config_damaged"}


def test_factory_values_are_the_maps_with_those_of_the_file() -> None:
    assert factory(defaults()) == list(registers.CONFIG_DEFAULTS)
    assert factory({**defaults(), "unit": 9, "baud": 115200})[:2] == [9, 1152]
    assert of_boards.factory(of_boards.defaults()) == list(messages.CONFIG_DEFAULTS)


@pytest.mark.parametrize(
    ("name", "value"), [("unit", 0), ("unit", 248), ("baud", 19201), ("baud", 300), ("supply", 256), ("lease_ms", 499)]
)
def test_a_wrong_factory_value_is_named(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=rf"^settings.json: {name}: {value} is out of range$"):
        factory({**defaults(), name: value})


@pytest.mark.parametrize(("name", "value"), [("baud", 1200), ("modules_wide", 0), ("modules_high", 9)])
def test_a_wrong_factory_value_of_a_board_is_named(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=rf"^settings.json: {name}: {value} is out of range$"):
        of_boards.factory({**of_boards.defaults(), name: value})
