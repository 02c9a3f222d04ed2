"""Why a controller started, as all our controllers report it: the numbers of MicroPython's machine module."""

POWER_ON = 1
WATCHDOG = 3
SOFT = 5

NAMES = {POWER_ON: "power-on", WATCHDOG: "watchdog", SOFT: "soft reset"}
