"""The board controller on an RP2040. Is main.py there."""

from ward_firmware.board.rp2040 import pins
from ward_firmware.board.run import main

main(pins)
