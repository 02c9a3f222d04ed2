"""Framing of the amplifier: whole, byte by byte, between other units' traffic, and after damage."""

from __future__ import annotations

import pytest
from tests.unit.firmware.ports import t15_us

from ward_firmware.amplifier.framing import Framer, t35_us
from ward_protocol.portable.crc16 import seal

UNIT = 17
READ = seal(bytes.fromhex("11 04 0000 000C"))
WRITE_COILS = seal(bytes.fromhex("11 0F 0000 0008 01 0B"))
WRITE_REGISTERS = seal(bytes.fromhex("11 10 0000 0002 04 0BB8 0E10"))
WRITE_THEN_READ = seal(bytes.fromhex("11 17 0100 000C 0002 0001 02 BEEF"))
IDENTIFY = seal(bytes.fromhex("11 2B 0E 01 00"))
UNKNOWN = seal(bytes.fromhex("11 2B 0D 01 00 02"))
BROADCAST = seal(bytes.fromhex("00 05 0000 0000"))
OURS = [READ, WRITE_COILS, WRITE_REGISTERS, WRITE_THEN_READ, IDENTIFY, UNKNOWN, BROADCAST]

FOREIGN_REQUEST = seal(bytes.fromhex("12 04 0000 0002"))
FOREIGN_ANSWER = seal(bytes.fromhex("12 04 04 0001 0002"))


@pytest.mark.parametrize("frame", OURS, ids=lambda frame: frame.hex())
def test_whole_and_byte_by_byte(frame: bytes) -> None:
    assert Framer(UNIT, 9600).feed(frame, 0) == [frame]
    framer = Framer(UNIT, 9600)
    assert [found for byte in frame for found in framer.feed(bytes((byte,)), 0)] == [frame]


@pytest.mark.parametrize("frame", OURS, ids=lambda frame: frame.hex())
def test_after_foreign_traffic_read_in_one_piece(frame: bytes) -> None:
    framer = Framer(UNIT, 9600)
    assert framer.feed(FOREIGN_REQUEST + FOREIGN_ANSWER + frame + FOREIGN_REQUEST, 0) == [frame]
    assert (framer.good, framer.bad) == (1, 0)


def test_damaged_frame_is_counted_and_the_next_one_taken() -> None:
    framer = Framer(UNIT, 9600)
    damaged = READ[:-1] + bytes((READ[-1] ^ 1,))
    assert framer.feed(damaged, 0) == []
    assert framer.feed(READ, 100) == [READ]
    assert (framer.good, framer.bad) == (1, 1)


def test_silence_ends_half_a_frame() -> None:
    framer = Framer(UNIT, 9600)
    framer.feed(READ[:5], 0)
    assert framer.pending
    pending = []
    for now_us in (t35_us(9600), t35_us(9600) + 1):
        framer.silence(now_us)
        pending.append(framer.pending)
    assert pending == [True, False]
    assert framer.feed(READ, 10_000) == [READ]


def test_silence_is_noticed_by_the_next_byte_too_and_across_the_wrap_of_the_counter() -> None:
    framer = Framer(UNIT, 9600)
    framer.feed(b"\x99\x99", 2**30 - 1000)
    framer.silence(3000)
    assert framer.pending
    assert framer.feed(READ, 4000) == [READ]
    assert framer.bad == 1


def heard(framer: Framer, pause_us: int, *, looked_us: int | None = None) -> list[bytes]:
    """Two halves of a request, the first byte of the second one there `pause_us` after the first half was read.

    The loop looked last, and found nothing, just before that; or when it says.
    """
    framer.feed(READ[:5], 0)
    for now_us in (100, pause_us - 1 if looked_us is None else looked_us):
        framer.silence(now_us)
    return framer.feed(READ[5:], pause_us)


@pytest.mark.parametrize("baud", [9600, 19200, 38400, 57600, 115200])
def test_a_pause_inside_a_frame_is_borne_up_to_t15_and_spoils_it_from_there(baud: int) -> None:
    character_us = 10_000_000 // baud  # it must also have come, until it can be found
    longest_us = t15_us(baud) + character_us + 1
    assert heard(Framer(UNIT, baud), longest_us) == [READ]
    spoilt = Framer(UNIT, baud)
    assert heard(spoilt, longest_us + 1) == []
    assert spoilt.pending


def test_a_loop_that_looked_late_spoils_nothing() -> None:
    framer = Framer(UNIT, 9600)
    assert heard(framer, t35_us(9600), looked_us=t15_us(9600)) == [READ]
    assert (framer.good, framer.bad) == (1, 0)
    # Nor does one that did not look at all between two pieces: of that nothing is known.
    framer.feed(READ[:5], 10_000)
    assert framer.feed(READ[5:], 10_000 + 2 * t35_us(9600)) == [READ]


def test_after_a_spoilt_frame_nothing_is_taken_before_a_silence() -> None:
    framer = Framer(UNIT, 9600)
    heard(framer, 3000)
    assert framer.feed(READ, 4000) == []
    assert (framer.good, framer.bad) == (0, 0)
    framer.silence(4000 + t35_us(9600) + 1)
    assert not framer.pending
    assert framer.feed(READ, 20_000) == [READ]
    assert (framer.good, framer.bad) == (1, 1)


def test_the_silence_after_a_spoilt_frame_is_noticed_by_the_next_byte_too() -> None:
    framer = Framer(UNIT, 9600)
    heard(framer, 3000)
    framer.silence(3000 + t35_us(9600))
    assert framer.pending
    assert framer.feed(READ, 3000 + t35_us(9600) + 1) == [READ]
    assert (framer.good, framer.bad) == (1, 1)


def test_a_pause_between_frames_spoils_none() -> None:
    framer = Framer(UNIT, 9600)
    assert framer.feed(FOREIGN_REQUEST, 0) == []
    framer.silence(3000)
    assert framer.feed(READ, 3001) == [READ]


def test_noise_without_end_is_cut_at_the_longest_frame() -> None:
    framer = Framer(UNIT, 9600)
    framer.feed(b"\xaa\x55\x01" * 400, 0)
    assert framer.bad >= 4
    framer.silence(10_000)
    assert framer.feed(READ, 10_001) == [READ]


# Ref: MODBUS over Serial Line V1.02, section 2.5.1.1: 1.5 and 3.5 characters of 11 bits, above 19200 baud 0.750 and
# 1.750 ms.
@pytest.mark.parametrize(
    ("baud", "pause_us", "silence_us"),
    [(9600, 1718, 4010), (19200, 859, 2005), (38400, 750, 1750), (115200, 750, 1750)],
)
def test_t15_and_t35(baud: int, pause_us: int, silence_us: int) -> None:
    assert (t15_us(baud), t35_us(baud)) == (pause_us, silence_us)  # the former is what the tests above hold it against
