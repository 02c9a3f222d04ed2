"""CRC-16 of Modbus serial lines: reflected polynomial 0xA001, start 0xFFFF, sent low byte first.

Ref: MODBUS over Serial Line V1.02, section 2.5.1.2 and appendix B (check value of b"123456789" is 0x4B37).
"""

from array import array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

START = 0xFFFF


def _table() -> "array[int]":
    entries = array("H")
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
        entries.append(crc)
    return entries


# 512 bytes as an array; a tuple of ints would take twice that on a 32-bit controller.
TABLE = _table()


def crc16(data: "Iterable[int]", crc: int = START) -> int:
    """CRC of `data`, continuing from `crc`; over a frame and its own CRC it is 0 (the residue)."""
    for byte in data:
        crc = (crc >> 8) ^ TABLE[(crc ^ byte) & 0xFF]
    return crc


def seal(body: bytes) -> bytes:
    """`body` with its CRC appended, low byte first: a frame ready for the line."""
    crc = crc16(body)
    return body + bytes((crc & 0xFF, crc >> 8))
