"""CRC-16 of Modbus against published values, and its residue."""

from __future__ import annotations

import pytest

from ward_protocol.portable.crc16 import crc16, seal


# Ref: check value of the CRC catalogue ("CRC-16/MODBUS"); MODBUS over Serial Line V1.02, appendix B, example
# "02 07" with CRC 0x1241 (sent 41 12); Waveshare Modbus RTU Relay wiki, "open relay 0" with CRC 8C 3A.
@pytest.mark.parametrize(
    ("body", "sealed"),
    [
        (b"123456789", b"\x37\x4b"),
        (b"\x02\x07", b"\x41\x12"),
        (bytes.fromhex("01 05 00 00 FF 00"), b"\x8c\x3a"),
    ],
)
def test_published_values(body: bytes, sealed: bytes) -> None:
    assert seal(body) == body + sealed


def test_of_nothing_is_the_start_value() -> None:
    assert crc16(b"") == 0xFFFF


def test_residue_of_a_whole_frame_is_zero() -> None:
    assert crc16(seal(b"any frame")) == 0


def test_can_be_continued() -> None:
    assert crc16(b"6789", crc16(b"12345")) == crc16(b"123456789")
