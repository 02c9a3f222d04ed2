"""Hardware description of the board controller on an RP2040, for a chain of P10 modules on a HUB12 connector.

Level shifters to 5 V stand between; OE has a pull-down, so that a controller in reset leaves the board dark.
Ref: RP2040 datasheet, section 1.4.3 (functions of the pins).
"""

MODEL: str = "RP2040"

UART: int = 0
TX: int = 0
RX: int = 1
RX_BUFFER: int = 2048
"""Two frames of the link: a picture may be composed while one arrives."""

SPI: int = 0
CLOCK: int = 18
DATA: int = 19
SPI_BAUD: int = 4000000

A: int = 20
B: int = 21
LATCH: int = 22
ENABLE: int = 26

TIMER: int = -1
SCAN_HZ: int = 800
"""Phases a second, at most: each of the four is lit 200 times."""

WATCHDOG_MS: int = 2000
"""Longer than any frame takes to arrive and to be painted."""
