"""Cuts the bytes of an RS-485 line into Modbus RTU frames for one unit.

The standard ends a frame by silence (t3.5) only. That fails on a shared line as soon as a controller reads
late: the request of one unit and the answer of another run together. So frames end by what they say:

- for our address or broadcast, at the length the function code implies, and only then is the CRC looked at;
- for a function code of unknown length, and for frames of other units, at the first CRC residue of zero;
- a pause of t1.5 inside a frame spoils it: whatever comes then is passed over until there is silence;
- silence of t3.5 throws away whatever is left, and is the only way out after damage.

Bytes reach this code in pieces, when its main loop comes to them. So the time between two pieces says nothing yet:
the loop may have been late. What counts is how long after a piece the loop looked again and found nothing; the next
character ended later than that. A pause is thus never taken for longer than it was, and for shorter by no more than
three turns of the loop.

Ref: MODBUS over Serial Line V1.02, section 2.5.1.1 (t1.5, t3.5; 750 and 1750 us above 19200 baud) and its state
diagram of reception.
"""

from ward_firmware.ticks import elapsed_us
from ward_protocol.portable.crc16 import START, TABLE

BROADCAST = 0
MAX_ADU = 256
_MIN_ADU = 4


def t35_us(baud: int) -> int:
    """The silence that ends a frame: 3.5 characters of 11 bits, but never below 1750 us."""
    return 38_500_000 // baud if baud <= 19200 else 1750


class Framer:
    """Bytes in, whole request frames for `unit` out; keeps the counters of the status block."""

    def __init__(self, unit: int, baud: int) -> None:
        self.good = 0
        self.bad = 0
        self.gap_us = t35_us(baud)
        # t1.5 is three sevenths of t3.5 at every rate; and until it can be found, the next character takes its own
        # time, 10 bits as we set the UART.
        self._pause_us = self.gap_us * 3 // 7 + 10_000_000 // baud
        self._unit = unit
        self._last_us = 0
        self._silent_us = 0
        self._spoilt = False
        self._held = bytearray()
        self._crc = START

    @property
    def pending(self) -> bool:
        """Whether a frame has begun and not ended."""
        return self._spoilt or len(self._held) > 0

    def silence(self, now_us: int) -> None:
        """Nothing had come up to now: gives up a part of a frame when the line has been silent for t3.5."""
        if self.pending:
            self._silent_us = elapsed_us(now_us, self._last_us)
            if self._silent_us > self.gap_us:
                self._restart(True)

    def feed(self, data: bytes, now_us: int) -> "list[bytes]":
        """The frames for this unit (or broadcast) that `data` completes, address and CRC included."""
        frames: list[bytes] = []
        if self._silent_us > self._pause_us:
            if elapsed_us(now_us, self._last_us) > self.gap_us:
                self._restart(True)
            else:
                self._spoilt = True
        self._last_us = now_us
        self._silent_us = 0
        if self._spoilt:
            return frames
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
        bad = self._crc != 0
        if not bad and (held[0] == self._unit or held[0] == BROADCAST):
            self.good += 1
            frames.append(bytes(held))
        self._restart(bad)

    def _restart(self, bad: bool) -> None:
        self.bad += bad
        self._spoilt = False
        self._silent_us = 0
        self._held = bytearray()
        self._crc = START


def _expected_size(held: bytearray) -> int:
    """Size of the request that `held` begins; 0 while it cannot be known yet, -1 when it never can."""
    function = held[1]
    if 1 <= function <= 6:
        return 8
    if function in (15, 16):
        return 9 + held[6] if len(held) > 6 else 0
    if function == 43 and held[2] == 14:
        return 7
    if function == 23:
        return 13 + held[10] if len(held) > 10 else 0
    return -1
