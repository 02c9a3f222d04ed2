"""Hardware description of the amplifier controller on an RP2040 (Raspberry Pi Pico and compatible boards).

One RS-485 transceiver with RE tied to DE (the controller must not hear itself: an echoed answer to function
5 is a valid request), eight relay drivers with pull-downs (a pin that floats in reset leaves its relay
open), and three analogue inputs. Ref: Raspberry Pi Pico datasheet, figure 2 (pin functions).
"""

DEFAULTS = {"unit": 1, "baud": 19200}

UART = 0
TX = 0
RX = 1
DRIVE_ENABLE = 2

RELAYS = (6, 7, 8, 9, 10, 11, 12, 13)
RELAY_CLOSED = 1
"""Pin level that closes a relay."""

WATCHDOG_MS = 1000

LINE_ADC = 26
LINE_FULL_SCALE_MV = 50000
"""Loudspeaker line level at 65535: peak detector behind a divider to 3.3 V."""

SUPPLY_ADC = 27
SUPPLY_FULL_SCALE_CV = 4000
"""Amplifier supply at 65535, in steps of 10 mV: divider of 40 V to 3.3 V."""

TEMPERATURE_ADC = 28
REFERENCE_MV = 3300
TEMPERATURE_ZERO_MV = 500
"""Output at 0 degC; 10 mV per degC. Ref: TMP36 datasheet, table 4."""
