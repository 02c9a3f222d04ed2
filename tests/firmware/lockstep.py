"""Runs a controller's core step by step from lines on stdin, under CPython and MicroPython alike.

First line: `amplifier` or `board`. Then one step a line, `now_us hex` (bytes received; none = a tick). For each step
one line comes back: the answer in hex, what the outputs are, how long the core would sleep.
"""

import binascii
import hashlib
import sys

from ward_firmware.configuration import Configuration
from ward_firmware.start import Start

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
    """Sensors that drift through every limit as time passes."""

    def __init__(self) -> None:
        self.turn = 0

    def line_mv(self) -> int:
        return 1234

    def supply_cv(self) -> int:
        return 2400 if self.turn % 97 > 5 else 900

    def temperature_dc(self) -> int:
        self.turn += 1
        return -7 if self.turn % 211 > 9 else 905

    def current_ma(self) -> int:
        return 1500 if self.turn % 131 > 7 else 12500


class Flash:
    """A record in memory."""

    def __init__(self) -> None:
        self.damaged = False
        self.record: bytes | None = None

    def load(self) -> "bytes | None":
        return self.record

    def save(self, payload: bytes) -> None:
        self.record = payload


def amplifier(baud: int = 19200) -> "tuple[Amplifier, Callable[[], str]]":
    from ward_firmware.amplifier.core import Amplifier  # noqa: PLC0415 - only one kind is staged
    from ward_firmware.amplifier.factory import defaults, factory  # noqa: PLC0415 - as above
    from ward_protocol.portable.amplifier import config_valid  # noqa: PLC0415 - as above

    bank = Bank()
    values = defaults()
    values.update({"unit": 17, "baud": baud, "supply": 1, "zones": 6, "warm_up_ms": 400, "supply_min_cv": 1800})
    configuration = Configuration(Flash(), factory(values), config_valid)
    return Amplifier(configuration, bank, Readings(), Start(1, 7, b"model", b"serial"), 0), bank.output


def board() -> "tuple[Board, Callable[[], str]]":
    from ward_firmware.board.core import Board  # noqa: PLC0415 - only one kind is staged
    from ward_firmware.board.factory import defaults, factory  # noqa: PLC0415 - as above
    from ward_protocol.portable.board import config_valid  # noqa: PLC0415 - as above

    configuration = Configuration(Flash(), factory(defaults()), config_valid)
    core = Board(configuration, Start(1, 7, b"model", b"lockstep"), 0)
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


if __name__ == "__main__":
    main()
