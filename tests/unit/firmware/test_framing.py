"""Framing of the amplifier: whole, byte by byte, between other units' traffic, and after damage."""

from __future__ import annotations

import pytest

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
    assert framer.feed(READ, 4000) == [READ]
    assert framer.bad == 1


def test_noise_without_end_is_cut_at_the_longest_frame() -> None:
    framer = Framer(UNIT, 9600)
    framer.feed(b"\xaa\x55\x01" * 400, 0)
    assert framer.bad >= 4
    framer.silence(10_000)
    assert framer.feed(READ, 10_001) == [READ]


# Ref: MODBUS over Serial Line V1.02, section 2.5.1.1: 3.5 characters of 11 bits, 1.750 ms above 19200 baud.
@pytest.mark.parametrize(("baud", "microseconds"), [(9600, 4010), (19200, 2005), (38400, 1750), (115200, 1750)])
def test_t35(baud: int, microseconds: int) -> None:
    assert t35_us(baud) == microseconds
