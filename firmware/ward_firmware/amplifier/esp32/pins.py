"""Hardware description of the amplifier controller on an ESP32 (ESP32-WROOM-32 modules).

None of these pins is a strapping pin (0, 2, 5, 12, 15), none belongs to the flash (6 to 11), none moves by itself
at power-on (1, 3, 14). Analogue inputs are of ADC1, as ADC2 is the radio's. With 11 dB of attenuation 65535 is
3.1 V, so that each full scale differs from the other boards' at the same dividers. The radio stays off.
Ref: ESP32 datasheet, section 2.2 (pins) and 2.4 (strapping pins); ESP-IDF, "Analog to Digital Converter".
"""

MODEL: str = "ESP32"

UART: int = 2
TX: int = 17
RX: int = 16
DRIVE_ENABLE: int = 27

RELAYS: "tuple[int, ...]" = (4, 18, 19, 21, 22, 23, 25, 26)
RELAY_CLOSED: int = 1
"""Pin level that closes a relay."""

WATCHDOG_MS: int = 1000

ADC_OPTIONS: "dict[str, int]" = {"atten": 3}
"""ADC.ATTN_11DB."""

LINE_ADC: int = 32
LINE_FULL_SCALE_MV: int = 46970
"""Loudspeaker line level at 65535: peak detector behind a divider to 3.3 V."""

SUPPLY_ADC: int = 33
SUPPLY_FULL_SCALE_CV: int = 3758
"""Amplifier supply at 65535, in steps of 10 mV: divider of 40 V to 3.3 V."""

TEMPERATURE_ADC: int = 34
TEMPERATURE_FULL_SCALE_MV: int = 3100
TEMPERATURE_ZERO_MV: int = 500
"""Output at 0 degC; 10 mV per degC. Ref: TMP36 datasheet, table 4."""

CURRENT_ADC: int = 35
CURRENT_FULL_SCALE_MA: int = 18788
"""What the amplifier draws at 65535: a shunt of 5 mOhm and an amplifier of gain 33 give 3.1 V."""
