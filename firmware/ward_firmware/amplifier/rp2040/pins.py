"""Hardware description of the amplifier controller on an RP2040.

One RS-485 transceiver with RE tied to DE (the controller must not hear itself: an echoed answer to function
5 is a valid request), eight relay drivers with pull-downs (a pin that floats in reset leaves its relay
open), and four analogue inputs. GP29 is led out on boards such as the Feather RP2040 and the Pro Micro RP2040;
on a Raspberry Pi Pico it measures a third of VSYS, so that no current can be measured there: switch that trip
off. Ref: RP2040 datasheet, section 1.4.3 (functions of the pins), section 4.9 (ADC inputs 0 to 3 are GP26 to GP29).
"""

MODEL: str = "RP2040"

UART: int = 0
TX: int = 0
RX: int = 1
DRIVE_ENABLE: int = 2

RELAYS: "tuple[int, ...]" = (6, 7, 8, 9, 10, 11, 12, 13)
RELAY_CLOSED: int = 1
"""Pin level that closes a relay."""

WATCHDOG_MS: int = 1000

ADC_OPTIONS: "dict[str, int]" = {}

LINE_ADC: int = 26
LINE_FULL_SCALE_MV: int = 50000
"""Loudspeaker line level at 65535: peak detector behind a divider to 3.3 V."""

SUPPLY_ADC: int = 27
SUPPLY_FULL_SCALE_CV: int = 4000
"""Amplifier supply at 65535, in steps of 10 mV: divider of 40 V to 3.3 V."""

TEMPERATURE_ADC: int = 28
TEMPERATURE_FULL_SCALE_MV: int = 3300
TEMPERATURE_ZERO_MV: int = 500
"""Output at 0 degC; 10 mV per degC. Ref: TMP36 datasheet, table 4."""

CURRENT_ADC: int = 29
CURRENT_FULL_SCALE_MA: int = 20000
"""What the amplifier draws at 65535: a shunt of 5 mOhm and an amplifier of gain 33 give 3.3 V."""
