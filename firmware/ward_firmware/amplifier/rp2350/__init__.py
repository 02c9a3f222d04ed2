"""The amplifier controller on an RP2350."""
