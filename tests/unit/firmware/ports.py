"""Relays and sensors as plain values, for the amplifier's core."""

from __future__ import annotations


class RelayBank:
    """Eight relays; `stuck` ones do not follow, as welded contacts or a dead driver would not."""

    def __init__(self) -> None:
        self.mask = 0xFF  # closed until somebody opens them
        self.stuck = 0
        self.writes: list[int] = []

    def write(self, mask: int) -> None:
        self.writes.append(mask)
        self.mask = (mask & ~self.stuck) | (self.mask & self.stuck)

    def read(self) -> int:
        return self.mask


class Readings:
    """Three analogue inputs."""

    def __init__(self, line_mv: int = 12345, supply_cv: int = 2400, temperature_dc: int = -55) -> None:
        self.values = (line_mv, supply_cv, temperature_dc)

    def line_mv(self) -> int:
        return self.values[0]

    def supply_cv(self) -> int:
        return self.values[1]

    def temperature_dc(self) -> int:
        return self.values[2]
