"""The board controller on an RP2350. Is main.py there."""

from ward_firmware.board.rp2350 import pins
from ward_firmware.board.run import main

main(pins)
