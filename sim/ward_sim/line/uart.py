"""What a UART hears of characters that were sent at another baud rate than its own: 8N1, bit by bit.

Theory of operation. A receiver waits for the line to fall, looks at the middle of each bit that it expects from there,
and then waits for the next fall. Where the middle of the start bit is at rest, it was none. What it takes for the fall
is up to one tick late, a tick being a sixteenth of a bit, so it looks half a tick behind the middle on average; that
also decides what it sees where one rate is a multiple of the other and the middle is an edge.

A framing error (no stop bit where one should be) costs nothing but the truth: the eight bits are handed over as they
were seen. So do both of our ends. A tty with INPCK off, as pyserial sets it without parity, takes the byte as it is (0
would come with INPCK on). MicroPython on the RP2040 passes over the error bit. A line that is held low for
longer than a character (a break) is one 0, as on a tty; some MicroPython drop that one.

Ref: Linux, drivers/tty/n_tty.c, n_tty_receive_parity_error, and drivers/tty/serial/8250/8250_port.c, read_status_mask;
pyserial 3.5, serialposix.py, _reconfigure_port; MicroPython, ports/rp2/machine_uart.c, uart_drain_rx_fifo;
Arm PrimeCell UART (PL011), DDI 0183, "Data transmission or reception" (start bit), UARTDR (break).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

_DATA = 8
_STOP = 1 + _DATA
_LOOK = 17 / 32  # of a bit: its middle, and half a tick
_NEAR = 1e-6  # rates that differ by less are one


def sampled(sent: Sequence[tuple[int, float]], own_s: float, bits: int = 10) -> bytes:
    """Return what is heard of characters in a row, (value, seconds it takes), by a UART whose own take `own_s`.

    `bits` of a character: start, eight of data, and rest. The line is at rest before and afterwards.
    """
    if all(abs(seconds - own_s) <= _NEAR * own_s for _, seconds in sent):
        return bytes(value for value, _ in sent)
    levels, ends, falls = _drawn(sent, bits)
    bit_s, free_at = own_s / bits, 0.0
    heard = bytearray()
    for fall in falls:
        if fall < free_at:
            continue
        looks = [fall + (index + _LOOK) * bit_s for index in range(_STOP + 1)]
        seen = [levels[bisect_right(ends, look)] for look in looks]
        free_at = looks[0 if seen[0] else _STOP]
        if not seen[0]:
            heard.append(sum(level << index for index, level in enumerate(seen[1:_STOP])))
    return bytes(heard)


def _drawn(sent: Sequence[tuple[int, float]], bits: int) -> tuple[list[int], list[float], list[float]]:
    """The line in time: levels, one more than ends, for it rests afterwards; when each ends; and when it falls."""
    levels: list[int] = []
    ends: list[float] = []
    falls: list[float] = []
    at, before = 0.0, 1
    for value, seconds in sent:
        for level in (0, *(value >> index & 1 for index in range(_DATA)), *[1] * (bits - _STOP)):
            if before and not level:
                falls.append(at)
            at += seconds / bits
            levels.append(level)
            ends.append(at)
            before = level
    return [*levels, 1], ends, falls
