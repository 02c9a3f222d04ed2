"""Runs the amplifier's own main loop on a UART whose characters come at given microseconds. For MicroPython.

Each line of stdin: baud, microseconds of each turn of the loop, a request in hex, and after how many of its characters
there is a pause of how many microseconds. For each one line comes back: the answer in hex, what the relays are, how
many frames were taken and how many thrown away. Time passes by being looked at: each look at the UART takes a turn.
"""

import binascii
import sys

from ward_firmware import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.firmware.lockstep import amplifier
else:
    from lockstep import amplifier  # stands beside this one

SILENCE_US = 6000  # afterwards: t3.5 of every rate, and some turns


class Over(Exception):
    """The story has ended."""


class Time:
    """Where in the story we are."""

    us = 0


class Uart:
    """`characters` are (when it has come, value)."""

    def __init__(self, turn_us: int, characters: "list[tuple[int, int]]") -> None:
        self.sent = b""
        self._end_us = characters[-1][0] + SILENCE_US
        self._turn_us = turn_us
        self._looks = 0
        self._characters = characters

    def any(self) -> int:
        """How much has come; a turn passes before, or in every third half of it after it was looked at."""
        self._looks += 1
        before_us = self._turn_us if self._looks % 3 else self._turn_us // 2
        self._pass(before_us)
        come = self._come()
        self._pass(self._turn_us - before_us)
        return come

    def _come(self) -> int:
        return sum(1 for at_us, _ in self._characters if at_us <= Time.us)

    def _pass(self, passed_us: int) -> None:
        Time.us += passed_us
        if Time.us > self._end_us:
            raise Over

    def read(self, size: int) -> bytes:
        taken, self._characters = self._characters[:size], self._characters[size:]
        return bytes([value for _, value in taken])

    def write(self, data: bytes) -> None:
        self.sent += data

    def txdone(self) -> bool:
        return True


class Drive:
    """The transceiver's direction."""

    level = 0

    def value(self, level: "int | None" = None) -> int:
        if level is not None:
            self.level = level
        return self.level


class Watchdog:
    """Never hungry."""

    def feed(self) -> None:
        pass


def main() -> None:
    # The loop takes them by name when it is loaded.
    clock.now_us = lambda: Time.us
    clock.pause_us = lambda _passed_us: None
    from ward_firmware.amplifier.run import _serve  # noqa: PLC0415 - see above

    for line in sys.stdin:
        baud, turn_us, request, after, pause_us = line.split()
        character_us = 10_000_000 // int(baud)
        Time.us, at_us, characters = 0, 0, []
        for index, value in enumerate(binascii.unhexlify(request)):
            at_us += character_us + (int(pause_us) if index == int(after) else 0)
            characters.append((at_us, value))
        core, output = amplifier(int(baud))
        uart = Uart(int(turn_us), characters)
        try:
            _serve(core, uart, Drive(), Watchdog())
        except Over:
            print(binascii.hexlify(uart.sent).decode() or "-", output(), core.framer.good, core.framer.bad)


main()
