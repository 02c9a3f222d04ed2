"""Cuts the bytes of an RS-485 line into Modbus RTU frames for one unit.

The standard ends a frame by silence (t3.5) only. That fails on a shared line as soon as a controller reads
late: the request of one unit and the answer of another run together. So frames end by what they say:

- for our address or broadcast, at the length the function code implies, and only then is the CRC looked at;
- for a function code of unknown length, and for frames of other units, at the first CRC residue of zero;
- silence of t3.5 throws away whatever is left, and is the only way out after damage.

A pause inside a frame is borne up to t3.5, though the standard lets a receiver throw the frame away after t1.5:
bytes reach this code in pieces, when its main loop comes to them, and a pause between two pieces says more about
the loop than about the line. Our own answers leave in one piece.

Ref: MODBUS over Serial Line V1.02, section 2.5.1 (RTU framing, t3.5; 1750 us above 19200 baud).
"""

from ward_firmware.ticks import elapsed_us
from ward_protocol.portable.crc16 import START, TABLE

BROADCAST = 0
MAX_ADU = 256
_MIN_ADU = 4
_FIXED = (1, 2, 3, 4, 5, 6)


def t35_us(baud: int) -> int:
    """The silence that ends a frame: 3.5 characters of 11 bits, but never below 1750 us."""
    return 38_500_000 // baud if baud <= 19200 else 1750


class Framer:
    """Bytes in, whole request frames for `unit` out; keeps the counters of the status block."""

    def __init__(self, unit: int, baud: int) -> None:
        self.good = 0
        self.bad = 0
        self.gap_us = t35_us(baud)
        self._unit = unit
        self._last_us = 0
        self._held = bytearray()
        self._crc = START

    @property
    def pending(self) -> bool:
        """Whether part of a frame is held, so that `silence` must be asked soon."""
        return len(self._held) > 0

    def silence(self, now_us: int) -> None:
        """Give up a part of a frame when the line has been silent for t3.5."""
        if self._held and elapsed_us(now_us, self._last_us) > self.gap_us:
            self.bad += 1
            self._restart()

    def feed(self, data: bytes, now_us: int) -> "list[bytes]":
        """The frames for this unit (or broadcast) that `data` completes, address and CRC included."""
        self.silence(now_us)
        self._last_us = now_us
        frames: list[bytes] = []
        for byte in data:
            self._held.append(byte)
            self._crc = (self._crc >> 8) ^ TABLE[(self._crc ^ byte) & 0xFF]
            if self._complete():
                self._finish(frames)
        return frames

    def _complete(self) -> bool:
        held = self._held
        size = len(held)
        if size >= MAX_ADU:
            return True
        if size < _MIN_ADU:
            return False
        if held[0] != self._unit and held[0] != BROADCAST:
            return self._crc == 0
        expected = _expected_size(held)
        return self._crc == 0 if expected < 0 else size == expected

    def _finish(self, frames: "list[bytes]") -> None:
        held = self._held
        ours = held[0] == self._unit or held[0] == BROADCAST
        if self._crc:
            self.bad += 1
        elif ours:
            self.good += 1
            frames.append(bytes(held))
        self._restart()

    def _restart(self) -> None:
        self._held = bytearray()
        self._crc = START


def _expected_size(held: bytearray) -> int:
    """Size of the request that `held` begins; 0 while it cannot be known yet, -1 when it never can."""
    function = held[1]
    if function in _FIXED:
        return 8
    if function in (15, 16):
        return 9 + held[6] if len(held) > 6 else 0
    if function == 43 and held[2] == 14:
        return 7
    if function == 23:
        return 13 + held[10] if len(held) > 10 else 0
    return -1
