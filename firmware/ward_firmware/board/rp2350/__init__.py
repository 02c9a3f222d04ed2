"""The board controller on an RP2350."""
