"""The board controller on an RP2040."""
