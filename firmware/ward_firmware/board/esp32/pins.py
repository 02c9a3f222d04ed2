"""Hardware description of the board controller on an ESP32 module, for a chain of P10 modules on a HUB12 connector.

Level shifters to 5 V stand between; OE has a pull-down, so that a controller in reset leaves the board dark.
No strapping pin, no pin of the flash, none that moves by itself at power-on; its timers have numbers.
Ref: ESP32 datasheet, section 2.2 (pins) and 2.4 (strapping pins).
"""

MODEL: str = "ESP32"

UART: int = 2
TX: int = 17
RX: int = 16
RX_BUFFER: int = 2048
"""Two frames of the link: a picture may be composed while one arrives."""

SPI: int = 2
CLOCK: int = 18
DATA: int = 23
SPI_BAUD: int = 4000000

A: int = 21
B: int = 22
LATCH: int = 25
ENABLE: int = 26

TIMER: int = 0
SCAN_HZ: int = 800
"""Phases a second, at most: each of the four is lit 200 times."""

WATCHDOG_MS: int = 2000
"""Longer than any frame takes to arrive and to be painted."""
