"""The amplifier's Modbus server: every function, every exception; a refused request changes nothing."""

from __future__ import annotations

import pytest
from tests.unit.firmware.ports import RelayBank, amplifier

from ward_protocol.portable.crc16 import crc16, seal

UNIT = 17


class Bench:
    """An amplifier, and PDUs to and from it in hex."""

    def __init__(self) -> None:
        self.relays = RelayBank()
        self.core = amplifier(self.relays, unit=UNIT)

    def ask(self, pdu: str, unit: int = UNIT, now_us: int = 1000) -> str:
        answer = self.core.rx(seal(bytes((unit,)) + bytes.fromhex(pdu)), now_us)
        if not answer:
            return ""
        assert answer[0] == UNIT
        assert crc16(answer) == 0
        return answer[1:-2].hex(" ").upper()


@pytest.fixture
def bench() -> Bench:
    return Bench()


# Request and answer PDUs worked by hand.
# Ref: MODBUS Application Protocol V1.1b3, sections 6.1, 6.3 to 6.6, 6.11, 6.12, 6.17.
@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("01 0000 0008", "01 01 00"),
        ("03 0000 0003", "03 06 0B B8 0E 10 00 00"),
        ("02 0000 0020", "02 04 00 00 23 00"),
        ("02 0010 0009", "02 02 23 00"),
        ("03 0200 000B", "03 16 00 11 00 C0 0B B8 0E 10 00 00 00 00 00 00 03 52 2E E0 00 00 00 00"),
        ("04 0001 0005", "04 0A 67 2F 00 00 30 39 09 60 FF C9"),
        ("03 0101 0003", "03 06 67 2F 00 00 30 39"),
        ("05 0002 FF00", "05 00 02 FF 00"),
        ("05 0002 0000", "05 00 02 00 00"),
        ("06 0002 1234", "06 00 02 12 34"),
        ("0F 0000 0008 01 0B", "0F 00 00 00 08"),
        ("10 0000 0002 04 01F4 0001", "10 00 00 00 02"),
        ("17 0100 0001 0002 0001 02 BEEF", "17 02 BE EF"),
    ],
)
def test_answers(bench: Bench, request_: str, answer: str) -> None:
    assert bench.ask(request_) == answer


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("07", "87 01"),
        ("08 0000 0000", "88 01"),
        ("11", "91 01"),
        ("16 0000 FFFF 0000", "96 01"),
        ("18 0000", "98 01"),
        ("02 0000 0000", "82 03"),
        ("02 0000 07D1", "82 03"),
        ("02 0000 0021", "82 02"),
        ("02 0020 0001", "82 02"),
        ("2B 0D 01 00", "AB 01"),
        ("2B 0E 00 00", "AB 03"),
        ("2B 0E 05 00", "AB 03"),
        ("2B 0E 04 03", "AB 02"),
        ("2B 0E 04 81", "AB 02"),
        ("01 0000 0000", "81 03"),
        ("01 0000 07D1", "81 03"),
        ("01 0000 0009", "81 02"),
        ("01 0008 0001", "81 02"),
        ("03 0000 007E", "83 03"),
        ("03 0000 000A", "83 02"),
        ("03 00FF 0002", "83 02"),
        ("03 0116 0002", "83 02"),
        ("03 01FF 0002", "83 02"),
        ("03 020A 0002", "83 02"),
        ("04 0000 0000", "84 03"),
        ("04 0000 0018", "84 02"),
        ("04 0017 0001", "84 02"),
        ("05 0002 0100", "85 03"),
        ("05 0008 FF00", "85 02"),
        ("06 0009 0000", "86 02"),
        ("06 0100 0000", "86 02"),
        ("06 0000 01F3", "86 03"),
        ("06 0001 1C21", "86 03"),
        ("0F 0000 0008 02 0B0B", "8F 03"),
        ("0F 0000 0000 00", "8F 03"),
        ("0F 0004 0005 01 1F", "8F 02"),
        ("10 0000 0002 03 01F400", "90 03"),
        ("10 0000 0000 00", "90 03"),
        ("10 0008 0002 04 0001 0002", "90 02"),
        ("10 0000 0002 04 01F4 0000", "90 03"),
        ("17 0100 007E 0002 0001 02 BEEF", "97 03"),
        ("17 0100 0001 0002 0000 00", "97 03"),
        ("17 0116 0002 0002 0001 02 BEEF", "97 02"),
        ("17 0100 0001 0009 0001 02 BEEF", "97 02"),
    ],
)
def test_exceptions(bench: Bench, request_: str, answer: str) -> None:
    before = bench.ask("03 0000 0009") + bench.ask("03 0200 000B")
    assert bench.ask(request_) == answer
    assert bench.ask("03 0000 0009") + bench.ask("03 0200 000B") == before
    assert bench.relays.mask == 0


def test_reads_the_pins_and_not_what_was_written(bench: Bench) -> None:
    bench.relays.stuck = 0b0000_0100
    bench.ask("0F 0000 0008 01 0F")
    assert bench.ask("01 0000 0008") == "01 01 0B"
    assert bench.ask("04 0002 0001") == "04 02 00 0B"


def test_writing_some_coils_leaves_the_others(bench: Bench) -> None:
    bench.ask("0F 0000 0008 01 81")
    bench.ask("0F 0002 0003 01 05")
    assert bench.relays.mask == 0b1001_0101


def test_function_23_writes_before_it_reads(bench: Bench) -> None:
    assert bench.ask("17 0100 000C 0002 0001 02 CAFE").startswith("17 18 CA FE")


def test_broadcast_acts_and_is_not_answered(bench: Bench) -> None:
    assert bench.ask("05 0000 FF00", unit=0) == ""
    assert bench.relays.mask == 1
    assert bench.ask("04 0000 0001", unit=0) == ""


def test_other_units_are_not_ours(bench: Bench) -> None:
    assert bench.ask("05 0000 FF00", unit=UNIT + 1) == ""
    assert bench.relays.mask == 0


def test_two_requests_in_one_chunk_are_both_answered(bench: Bench) -> None:
    request = seal(bytes((UNIT,)) + bytes.fromhex("01 0000 0008"))
    assert len(bench.core.rx(request * 2, 0)) == 2 * 6


def objects(*numbers: int) -> str:
    texts = {
        0x00: b"wardhub", 0x01: b"amp8", 0x02: b"1.2", 0x04: b"amplifier controller, 8 relays",
        0x05: b"RP2040", 0x80: b"00c0ffee",
    }  # fmt: skip
    found = b"".join(bytes((number, len(texts[number]))) + texts[number] for number in numbers)
    return (bytes((0x83, 0, 0, len(numbers))) + found).hex(" ").upper()


# Ref: MODBUS Application Protocol V1.1b3, section 6.21: categories, individual access, a stream that begins anew.
@pytest.mark.parametrize(
    ("code", "first", "found"),
    [
        (1, 0x00, (0, 1, 2)),
        (1, 0x01, (1, 2)),
        (1, 0x02, (2,)),
        (1, 0x04, (0, 1, 2)),
        (2, 0x00, (0, 1, 2, 4, 5)),
        (2, 0x04, (4, 5)),
        (2, 0x03, (0, 1, 2, 4, 5)),
        (2, 0x80, (0, 1, 2, 4, 5)),
        (3, 0x00, (0, 1, 2, 4, 5, 0x80)),
        (3, 0x80, (0x80,)),
        (3, 0x7F, (0, 1, 2, 4, 5, 0x80)),
        (4, 0x00, (0,)),
        (4, 0x05, (5,)),
        (4, 0x80, (0x80,)),
    ],
)
def test_says_who_it_is(bench: Bench, code: int, first: int, found: tuple[int, ...]) -> None:
    assert bench.ask(f"2B 0E {code:02X} {first:02X}") == f"2B 0E {code:02X} {objects(*found)}"


def test_whoever_asks_everybody_who_they_are_gets_no_answer(bench: Bench) -> None:
    assert bench.ask("2B 0E 01 00", unit=0) == ""
