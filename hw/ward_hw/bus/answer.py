"""Find the answer to a Modbus RTU request in what the line delivered. Pure: bytes in, frame out.

A master knows what it asked, so it need not guess where frames begin, as a framer must: the only acceptable
answer has the unit, the function, the length and (for writes) the fields of the request, and a right CRC.
Everything else on the line - a leading 0x00 of a driver being switched on, noise, another unit's late frame
- is passed over.

Ref: Modbus Application Protocol Specification V1.1b3, sections 6 and 7; Modbus over Serial Line V1.02,
section 2.5.1.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU

EXCEPTION_BIT = 0x80
_EXCEPTION_SIZE = 5
_DECODER = DecodePDU(False)  # of answers
_READ_BITS = frozenset({1, 2})
_READ_REGISTERS = frozenset({3, 4, 23})
_WRITES = frozenset({5, 6, 15, 16})
_REPEATED = frozenset({5, 6})
_WRITE_SIZE = 8
_ECHOED = 6  # unit, function and the two fields that an answer to a write repeats
_IDENTIFY = 0x2B
_IDENTIFY_HEADER = 8  # unit, function, MEI type, code, conformity, more follows, next object, number of objects
_LONGEST = 256  # V1.02, section 2.5.1


def crc_is_right(frame: bytes) -> bool:
    """Whether the last two bytes are the CRC of those before."""
    return len(frame) >= 4 and FramerRTU.check_CRC(frame[:-2], int.from_bytes(frame[-2:], "big"))


def decoded(frame: bytes) -> ModbusPDU | None:
    """An answer as pymodbus's PDU, None when it makes no sense; not by its `decode`, which also writes it for a log."""
    kind = _DECODER.lookupPduClass(frame)
    if kind is None:
        return None
    pdu = kind() if kind is not ExceptionResponse else ExceptionResponse(frame[1] & ~EXCEPTION_BIT)
    try:
        pdu.decode(frame[2:-2])
    except (ModbusException, ValueError, IndexError, struct.error):
        return None
    pdu.dev_id = frame[0]
    return pdu


@dataclass(frozen=True, slots=True)
class Expected:
    """The shape of the only acceptable answer to one request (a whole frame with CRC)."""

    request: bytes
    size: int

    @classmethod
    def to(cls, request: bytes) -> Expected:
        """Work the shape out of the request; ValueError for a function without a fixed answer length."""
        function = request[1]
        count = int.from_bytes(request[4:6], "big")
        if function in _READ_BITS:
            return cls(request, 5 + (count + 7) // 8)
        if function in _READ_REGISTERS:
            return cls(request, 5 + 2 * count)
        if function in _WRITES:
            return cls(request, _WRITE_SIZE)
        if function == _IDENTIFY:
            return cls(request, _LONGEST)  # its own length is found in it
        raise ValueError(f"function {function} has no answer of known length")

    @property
    def repeats(self) -> bool:
        """Whether the right answer is the very bytes of the request: then an echo looks like an answer."""
        return self.request[1] in _REPEATED

    def find(self, received: bytes, *, echo: bool = False, start: int = 0) -> tuple[int, bytes] | None:
        """The first acceptable frame at or after ``start`` and the index behind it, or None so far.

        With ``echo`` (an RS-485 adapter that hears itself) the answer is looked for only behind the
        request's own echo; otherwise the echo of a single write would be taken for its confirmation, being
        the same bytes.
        """
        if echo:
            heard = received.find(self.request)
            if heard < 0:
                return None
            start = max(start, heard + len(self.request))
        unit = self.request[0]
        at = received.find(unit, start)
        while 0 <= at < len(received) - 1:
            frame = self._frame_at(received, at)
            if frame is not None:
                return at + len(frame), frame
            at = received.find(unit, at + 1)
        return None

    def _frame_at(self, received: bytes, at: int) -> bytes | None:
        function = received[at + 1]
        if function == self.request[1] | EXCEPTION_BIT:
            frame = received[at : at + _EXCEPTION_SIZE]
            return frame if len(frame) == _EXCEPTION_SIZE and crc_is_right(frame) else None
        size = self.size if function != _IDENTIFY else _identification_size(received[at:])
        frame = received[at : at + size]
        if function != self.request[1] or len(frame) < size or not self._fields_match(frame):
            return None
        return frame if crc_is_right(frame) else None

    def _fields_match(self, frame: bytes) -> bool:
        if self.request[1] in _WRITES:
            return frame[:_ECHOED] == self.request[:_ECHOED]
        if self.request[1] == _IDENTIFY:
            return frame[2:4] == self.request[2:4]
        return frame[2] == self.size - 5  # the byte count of a read


def _identification_size(frame: bytes) -> int:
    """The length that an answer to function 43/14 has by its own count of objects, or one it has not reached yet.

    Ref: V1.1b3, section 6.21.
    """
    size = _IDENTIFY_HEADER
    if len(frame) >= size:
        for _ in range(frame[size - 1]):
            if len(frame) < size + 2:
                return _LONGEST + 1
            size += 2 + frame[size + 1]
    return size + 2
