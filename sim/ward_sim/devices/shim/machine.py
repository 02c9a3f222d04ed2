"""`machine` for MicroPython's unix port: an RP2040 board over file descriptors, for an unchanged main.py.

First on MICROPYPATH it hides the built-in module. The host gives everything by environment: WARD_UART (a
non-blocking stream), WARD_WIRES (one end of a socket pair), WARD_RESET (reset cause), WARD_SERIAL (unique id in
hex). On the wires run text lines. Out: `P pin level`, `S hex` (SPI bytes), `U baud` (the UART's rate), `R wdt` or
`R soft` (last words before a restart). In: `A pin value` (ADC, 0..65535), `H` (the processor hangs: it never returns
from reading this).

There are no interrupts here. A thread is the watchdog; it counts its own turns, not time, so that a machine too
busy to run this process at all does not look like a hang. A Timer fires when the watchdog is fed, as often as it
would have fired since, but at most BURST times: a panel scanned 800 times a second for the eye is scanned once
for each turn of the main loop.
"""

import _thread
import binascii
import io
import os
import select
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PWRON_RESET = 1
WDT_RESET = 3
BURST = 4
PIECE = 256

_wires = open(int(os.getenv("WARD_WIRES") or -1), "r+b", buffering=0)  # noqa: SIM115 - open until reset
_poll = select.poll()
_poll.register(_wires, select.POLLIN)
_adc = {}
_timers = []
_heard = b""
_held = None  # lines gathered while timers fire, so that one scan is one write


def _say(line: bytes) -> None:
    if _held is None:
        _wires.write(line)
    else:
        _held.append(line)


def _listen() -> None:
    global _heard
    while _poll.poll(0):
        data = _wires.read(256)
        if not data:
            sys.exit(0)  # the host is gone
        lines = (_heard + data).split(b"\n")
        _heard = lines.pop()
        for line in lines:
            words = line.split(b" ")
            if words[0] == b"A":
                _adc[int(words[1])] = int(words[2])
            elif words[0] == b"H":
                while True:
                    time.sleep(1)


def _fire() -> None:
    global _held
    if not _timers:
        return
    _held = []
    for timer in _timers:
        timer.catch_up()
    lines = b"".join(_held)
    _held = None
    if lines:
        _wires.write(lines)


def reset_cause() -> int:
    """Why this run began, as the host says."""
    return int(os.getenv("WARD_RESET") or PWRON_RESET)


def unique_id() -> bytes:
    """Serial number of the flash chip, 8 bytes."""
    return binascii.unhexlify(os.getenv("WARD_SERIAL") or "0000000000000000")


def reset() -> None:
    """Restart at the firmware's own wish."""
    _say(b"R soft\n")
    sys.exit(0)


class Pin:
    """An output, or just a number given to SPI, UART and ADC."""

    IN = 0
    OUT = 1

    def __init__(self, number: int, mode: int = -1, *, value: "int | None" = None) -> None:
        self.number = number
        self._level = None
        if value is not None:
            self.value(value)

    def value(self, level: "int | None" = None) -> "int | None":
        """Drive the pin, or read it back. Only changes go out on the wires."""
        if level is None:
            return self._level or 0
        level = 1 if level else 0
        if level != self._level:
            self._level = level
            _say(b"P %d %d\n" % (self.number, level))
        return None


class ADC:
    """Reads what the host last put on the pin."""

    def __init__(self, pin: Pin, *, atten: int = 0) -> None:
        self._number = pin.number

    def read_u16(self) -> int:
        """0..65535."""
        _listen()
        return _adc.get(self._number, 0)


class SPI:
    """Output only."""

    def __init__(self, number: int, *, baudrate: int, sck: Pin, mosi: Pin) -> None:
        pass

    def write(self, data: bytes) -> None:
        """Shift `data` out."""
        _say(b"S " + binascii.hexlify(data) + b"\n")


class Timer:
    """Periodic only; see the module's docstring for when it fires."""

    PERIODIC = 1

    def __init__(self, number: int, *, mode: int, freq: int, callback: "Callable[[Timer], None]") -> None:
        self._period_us = 1000000 // freq
        self._callback = callback
        self._last = time.ticks_us()
        _timers.append(self)

    def deinit(self) -> None:
        """Stop it."""
        _timers.remove(self)

    def catch_up(self) -> None:
        """Fire what is due."""
        due = time.ticks_diff(time.ticks_us(), self._last) // self._period_us
        if due:
            self._last = time.ticks_us()
            for _ in range(min(due, BURST)):
                self._callback(self)


class WDT:
    """Restarts the controller when it is not fed; cannot be stopped."""

    TURNS = 8

    def __init__(self, *, timeout: int) -> None:
        self._turn_s = timeout / self.TURNS / 1000
        self._hungry = 0
        _thread.start_new_thread(self._watch, ())

    def feed(self) -> None:
        """Sign of life of the main loop."""
        self._hungry = 0
        _listen()
        _fire()

    def _watch(self) -> None:
        while self._hungry < self.TURNS:
            time.sleep(self._turn_s)  # sleep_ms would wake every 500 us: 4 % of a core for each controller
            self._hungry += 1
        _wires.write(b"R wdt\n")
        # The only way for a thread to end its process at once.
        os.system("kill -9 $PPID")  # noqa: S605 - no argument of anyone's


class UART(io.IOBase):
    """Pollable like the real one: request 10 of ioctl (MP_STREAM_GET_FILENO) gives select the descriptor.

    A controller may ask for ever whether something has come. Here that would take a whole processor, so an answer of no
    takes its time: a millisecond soon after the last character, when silence is being measured, and longer later.
    """

    AWAKE_US = 5000  # t3.5 at 9,600 baud, and some
    NAP_MS = 10

    def __init__(self, number: int, *, baudrate: int, tx: Pin, rx: Pin, timeout: int = 0, rxbuf: int = 256) -> None:
        self._fd = int(os.getenv("WARD_UART") or -1)
        port = open(self._fd, "r+b", buffering=0)  # noqa: SIM115 - open until reset
        self.read = port.read
        self.write = port.write
        self._poll = select.poll()
        self._poll.register(port, select.POLLIN)
        self._heard_us = time.ticks_us()
        _say(b"U %d\n" % baudrate)

    def ioctl(self, request: int, argument: int) -> int:
        """Stream protocol of MicroPython."""
        return self._fd if request == 10 else 0

    def any(self) -> int:
        """How much to read: all that is there, if anything is; how much that is cannot be seen from here."""
        awake = time.ticks_diff(time.ticks_us(), self._heard_us) < self.AWAKE_US
        if not self._poll.poll(1 if awake else self.NAP_MS):
            return 0
        self._heard_us = time.ticks_us()
        return PIECE

    def txdone(self) -> bool:
        """The line outside takes characters at its own pace."""
        return True
