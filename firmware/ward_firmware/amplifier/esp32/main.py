"""The amplifier controller on an ESP32. Is main.py there."""

from ward_firmware.amplifier.esp32 import pins
from ward_firmware.amplifier.run import main

main(pins)
