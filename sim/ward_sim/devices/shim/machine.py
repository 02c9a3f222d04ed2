"""`machine` for MicroPython's unix port: what an RP2040 board has, over file descriptors, so that its
main.py runs as it is.

First on MICROPYPATH it hides the built-in module. The host gives everything by environment: WARD_UART (a
non-blocking stream), WARD_WIRES (one end of a socket pair), WARD_RESET (reset cause), WARD_SERIAL (unique
id in hex). On the wires run text lines. Out: `P pin level`, `S hex` (SPI bytes), `R wdt` or `R soft` (the
last words before a restart). In: `A pin value` (ADC, 0..65535), `H` (the processor hangs: next time it
touches the wires it never returns).

There are no interrupts here. A thread is the watchdog; it counts its own turns, not time, so that a machine
too busy to run this process at all does not look like a hang. A Timer fires when the watchdog is fed, as
often as it would have fired, but at most BURST times: a display scanned 1000 times a second for the eye is
scanned once for each turn of the main loop.
"""

import binascii
import io
import os
import select
import sys
import time

PWRON_RESET = 1
WDT_RESET = 3
BURST = 4

_wires = open(int(os.getenv("WARD_WIRES")), "r+b", buffering=0)
_poll = select.poll()
_poll.register(_wires, select.POLLIN)
_adc = {}
_timers = []
_heard = b""
_held = None  # lines gathered while timers fire, so that one scan is one write


def _say(line):
    if _held is None:
        _wires.write(line)
    else:
        _held.append(line)


def _listen():
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


def _fire():
    global _held
    if _timers:
        _held = []
        for timer in _timers:
            timer._due()
        lines = b"".join(_held)
        _held = None
        if lines:
            _wires.write(lines)


def reset_cause():
    return int(os.getenv("WARD_RESET") or PWRON_RESET)


def unique_id():
    return binascii.unhexlify(os.getenv("WARD_SERIAL") or "0000000000000000")


def reset():
    _say(b"R soft\n")
    sys.exit(0)


class Pin:
    IN = 0
    OUT = 1

    def __init__(self, number, mode=-1, pull=None, value=None):
        self.number = number
        self._level = None
        if value is not None:
            self.value(value)

    def value(self, level=None):
        if level is None:
            return self._level or 0
        level = 1 if level else 0
        if level != self._level:
            self._level = level
            _say(b"P %d %d\n" % (self.number, level))


class ADC:
    def __init__(self, pin):
        self._number = pin.number

    def read_u16(self):
        _listen()
        return _adc.get(self._number, 0)


class SPI:
    def __init__(self, number, baudrate=1000000, polarity=0, phase=0, sck=None, mosi=None, miso=None):
        pass

    def write(self, data):
        _say(b"S " + binascii.hexlify(data) + b"\n")


class Timer:
    PERIODIC = 1

    def __init__(self, number=-1, mode=PERIODIC, freq=-1, period=-1, callback=None):
        self._period_us = 1000000 // freq if freq > 0 else period * 1000
        self._callback = callback
        self._last = time.ticks_us()
        _timers.append(self)

    def _due(self):
        count = time.ticks_diff(time.ticks_us(), self._last) // self._period_us
        if count:
            self._last = time.ticks_us()
            for _ in range(min(count, BURST)):
                self._callback(self)


class WDT:
    TURNS = 8

    def __init__(self, id=0, timeout=5000):
        import _thread

        self._turn_s = timeout / self.TURNS / 1000
        self._hungry = 0
        _thread.start_new_thread(self._watch, ())

    def feed(self):
        self._hungry = 0
        _listen()
        _fire()

    def _watch(self):
        while self._hungry < self.TURNS:
            time.sleep(self._turn_s)  # sleep_ms would wake every 500 us: 4 % of a core for each controller
            self._hungry += 1
        _wires.write(b"R wdt\n")
        os.system("kill -9 $PPID")


class UART(io.IOBase):
    """Pollable like the real one: request 10 of ioctl (MP_STREAM_GET_FILENO) gives select the descriptor."""

    def __init__(self, number, baudrate=9600, tx=None, rx=None, timeout=0, rxbuf=256, txbuf=256):
        self._fd = int(os.getenv("WARD_UART"))
        port = open(self._fd, "r+b", buffering=0)
        self.read = port.read
        self.write = port.write

    def ioctl(self, request, argument):
        return self._fd if request == 10 else 0

    def txdone(self):
        return True
