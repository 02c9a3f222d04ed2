"""The amplifier controller on an RP2040. Is main.py there."""

from ward_firmware.amplifier.rp2040 import pins
from ward_firmware.amplifier.run import main

main(pins)
