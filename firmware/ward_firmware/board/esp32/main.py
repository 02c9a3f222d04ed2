"""The board controller on an ESP32. Is main.py there."""

from ward_firmware.board.esp32 import pins
from ward_firmware.board.run import main

main(pins)
