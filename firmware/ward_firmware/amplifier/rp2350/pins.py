"""Hardware description of the amplifier controller on an RP2350 (Raspberry Pi Pico 2 and compatible boards).

Wired as on an RP2040, with one difference that matters: an input of stepping A2 with its pull-down on may hold
itself near 2 V. So the pull-downs of the relay drivers must be resistors of 4.7 kOhm or less, never the chip's
own, else a pin that floats in reset may close its relay. GP29 measures VSYS on a Pico 2, as on a Pico.
Ref: RP2350 datasheet, section 1.2.3 (functions of the pins), appendix E, RP2350-E9 (at most 8.2 kOhm).
"""

MODEL: str = "RP2350"

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
