"""Runs a controller's core step by step from lines on stdin, under CPython and MicroPython alike.

First line: `amplifier` or `board`. Then one step a line, `now_us hex` (bytes received; none = a tick). For each step
one line comes back: the answer in hex, what the outputs are, how long the core would sleep.
"""

import binascii
import hashlib
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ward_firmware.amplifier.core import Amplifier
    from ward_firmware.board.core import Board


class Bank:
    """Relays as a number."""

    def __init__(self) -> None:
        self.mask = 0

    def write(self, mask: int) -> None:
        self.mask = mask

    def read(self) -> int:
        return self.mask

    def output(self) -> str:
        return str(self.mask)


class Readings:
    """Sensors that never move."""

    def line_mv(self) -> int:
        return 1234

    def supply_cv(self) -> int:
        return 2400

    def temperature_dc(self) -> int:
        return -7


def amplifier() -> "tuple[Amplifier, Callable[[], str]]":
    from ward_firmware.amplifier.core import Amplifier  # noqa: PLC0415 - only one kind is staged

    bank = Bank()
    return Amplifier(17, bank, Readings(), baud=19200, cause=1, now_us=0), bank.output


def board() -> "tuple[Board, Callable[[], str]]":
    from ward_firmware.board.core import Board  # noqa: PLC0415 - only one kind is staged

    core = Board(64, 16, serial=b"lockstep", cause=1, now_us=0)
    return core, lambda: binascii.hexlify(hashlib.sha256(core.frame).digest()[:8]).decode()


def main() -> None:
    core, output = amplifier() if sys.stdin.readline().strip() == "amplifier" else board()
    for line in sys.stdin:
        now_us, _, received = line.strip().partition(" ")
        answer = b""
        if received:
            answer = core.rx(binascii.unhexlify(received), int(now_us))
        else:
            core.tick(int(now_us))
        print(binascii.hexlify(answer).decode(), output(), core.wait_ms())


main()
