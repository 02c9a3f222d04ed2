"""Drives a chain of P10 modules (HUB12: 32 x 16 pixels, quarter scan) over SPI and A, B, LAT, OE.

Theory of operation. A module is one shift register of 128 bits and two address lines that choose which four
of its sixteen rows the register lights: phase n (A = bit 0, B = bit 1 of n) lights rows n, n + 4, n + 8, n
+ 12. The bits of a module come byte column by byte column from the left, in each column the lowest row of
the phase first; a 0 lights. LAT high copies the register to the outputs, OE high lights them. The eye needs
each phase some 100 times a second: `scan` shows the next phase and is called by a timer. Nothing else runs while
a phase is shifted, so a large panel is scanned slower (`scan_hz`): it may flicker, but its main loop must live.

Modules are shifted top row of modules first, each row left to right. What is shifted first travels
furthest, so the controller's cable goes into the bottom right module and the chain ends at the top left.

Ref: Freetronics DMD user guide and library (the module's de facto manual); P10(1R)-V706 module, HUB12 pinout.
"""

MODULE_WIDTH = 32
MODULE_HEIGHT = 16
PHASES = 4
_COLUMNS = MODULE_WIDTH // 8

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Spi(Protocol):
        """machine.SPI."""

        def write(self, __data: bytes) -> object:
            """Shift out."""

    class Pin(Protocol):
        """machine.Pin."""

        def value(self, __level: int) -> object:
            """Drive."""


class Hub12:
    """A panel of `wide` x `high` modules; dark until a frame is shown and scanned."""

    def __init__(self, spi: "Spi", pins: "tuple[Pin, Pin, Pin, Pin]", wide: int, high: int) -> None:
        self._spi = spi
        self._a, self._b, self._latch, self._enable = pins
        self._wide = wide
        self._high = high
        self._phase = 0
        self._order = _shift_order(wide, high)
        self._next = self._buffers(bytes(wide * high * MODULE_WIDTH * MODULE_HEIGHT // 8))
        self._now = self._next

    def show(self, frame: bytes) -> None:
        """Show `frame` (row-major, MSB left, 1 = lit) from the next scan on: a picture is never torn."""
        self._next = self._buffers(frame)

    def scan(self, _timer: object = None) -> None:
        """Light the next phase. Short enough for a timer callback: one SPI transfer and a few pins."""
        phase = self._phase
        if phase == 0:
            self._now = self._next
        self._spi.write(self._now[phase])
        self._enable.value(0)
        self._latch.value(1)
        self._latch.value(0)
        self._a.value(phase & 1)
        self._b.value(phase >> 1)
        self._enable.value(1)
        self._phase = (phase + 1) % PHASES

    def off(self) -> None:
        """Dark, until the next scan."""
        self._enable.value(0)

    def _buffers(self, frame: bytes) -> "list[bytes]":
        stride = self._wide * _COLUMNS
        return [bytes([frame[at + phase * stride] ^ 0xFF for at in self._order]) for phase in range(PHASES)]


def scan_hz(wide: int, high: int, spi_baud: int, most_hz: int) -> int:
    """Phases a second: `most_hz`, or as many as can be shifted in half of the time at `spi_baud` bit/s."""
    bits = wide * high * MODULE_WIDTH * MODULE_HEIGHT // PHASES
    return min(most_hz, spi_baud // (2 * bits))


def _shift_order(wide: int, high: int) -> "list[int]":
    """Indices into a frame, for phase 0, in the order of shifting."""
    stride = wide * _COLUMNS
    order = []
    for top in range(0, high * MODULE_HEIGHT, MODULE_HEIGHT):
        for column in range(stride):
            order += [(top + row) * stride + column for row in (12, 8, 4, 0)]
    return order
