"""The amplifier controller on an RP2350. Is main.py there."""

from ward_firmware.amplifier.rp2350 import pins
from ward_firmware.amplifier.run import main

main(pins)
