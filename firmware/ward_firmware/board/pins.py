"""Hardware description of the board controller on an RP2040, for a chain of P10 modules on a HUB12 connector.

Level shifters to 5 V stand between; OE has a pull-down, so that a controller in reset leaves the board dark.
Ref: Raspberry Pi Pico datasheet, figure 2 (pin functions).
"""

DEFAULTS = {"baud": 115200, "modules_wide": 2, "modules_high": 1}

UART = 0
TX = 0
RX = 1
RX_BUFFER = 2048
"""Two frames of the link: a picture may be composed while one arrives."""

SPI = 0
CLOCK = 18
DATA = 19
SPI_BAUD = 4000000

A = 20
B = 21
LATCH = 22
ENABLE = 26

SCAN_HZ = 800
"""Phases a second: each of the four is lit 200 times."""

WATCHDOG_MS = 2000
"""Longer than any frame takes to arrive and to be painted."""
