"""A panel of P10 modules (HUB12) as physics: shift registers, row selection, output enable; nothing of the driver.

One module is four LED rows at a time: its 128-bit register is 16 chained 8-bit drivers, four for each byte column
(from the module's input: right column first; within a column rows 0, 4, 8, 12 of the phase). Modules are chained
from the bottom right one, where the controller's cable is, to the left and then row by row upwards.
A bit of 0 sinks current: the LED lights while OE is high and its row is selected by A and B.

Ref: P10(1R)-V706 module, HUB12 pinout; Freetronics DMD user guide (quarter scan, negative data).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH, HEIGHT = 32, 16
PHASES = 4
DRIVERS = 16  # 8-bit drivers of one module

# How the board's carrier is soldered, as its schematic says; kept apart from the firmware's own pins file.
A, B, LATCH, ENABLE = 20, 21, 22, 26


class P10Panel:
    """`wide` x `high` modules; `on_frame(frame)` is called after each full scan whose picture differs from the last.

    A frame is row-major, width / 8 bytes a row, MSB leftmost, 1 = lit. What the eye keeps: the last light of every row.
    """

    def __init__(self, wide: int, high: int, *, on_frame: Callable[[bytes], None]) -> None:
        self.width = wide * WIDTH
        self.height = high * HEIGHT
        self._on_frame = on_frame
        self._chain = [_places(module, wide, high) for module in range(wide * high)]
        self._register = bytearray(DRIVERS * wide * high)
        self._outputs = bytes(self._register)
        self._levels = dict.fromkeys((A, B, LATCH, ENABLE), 0)
        self._glow = bytearray(self.width // 8 * self.height)
        self._lit_phases = 0
        self._frame = bytes(self._glow)

    @property
    def frame(self) -> bytes:
        """The picture of the last full scan."""
        return self._frame

    def spi(self, data: bytes) -> None:
        """Shift `data` in: index 0 of the register is the driver at the controller's cable."""
        chained = bytes(reversed(data)) + self._register
        self._register[:] = chained[: len(self._register)]

    def pin(self, number: int, level: int) -> None:
        """Drive one input of the HUB12 connector; other pins are not ours."""
        if number not in self._levels or self._levels[number] == level:
            return
        self._levels[number] = level
        if number == LATCH and level:
            self._outputs = bytes(self._register)
        if self._levels[ENABLE]:
            self._shine()

    def floating(self) -> None:
        """No controller: the pull-down of OE leaves the panel dark."""
        self._levels = dict.fromkeys(self._levels, 0)
        self._glow = bytearray(len(self._glow))
        self._lit_phases = 0
        self._settle()

    def _shine(self) -> None:
        phase = self._levels[A] | self._levels[B] << 1
        stride = self.width // 8
        for module, places in enumerate(self._chain):
            for driver, (row, column) in enumerate(places):
                lit = self._outputs[module * DRIVERS + driver] ^ 0xFF
                self._glow[(row + phase) * stride + column] = lit
        # Scans begin at row 0: a picture is whole when the last row group lights after all the others.
        self._lit_phases = (self._lit_phases if phase else 0) | 1 << phase
        if self._lit_phases == (1 << PHASES) - 1:
            self._settle()

    def _settle(self) -> None:
        frame = bytes(self._glow)
        if frame != self._frame:
            self._frame = frame
            self._on_frame(frame)


def _places(module: int, wide: int, high: int) -> list[tuple[int, int]]:
    """(first row, byte column) on the panel of each driver of the `module`-th module of the chain."""
    from_right, from_bottom = module % wide, module // wide
    left = (wide - 1 - from_right) * WIDTH // 8
    top = (high - 1 - from_bottom) * HEIGHT
    return [(top + row, left + column) for column in (3, 2, 1, 0) for row in (0, 4, 8, 12)]
