"""Relays, sensors and a flash as plain values, for the controllers' cores; and those, as a factory leaves them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ward_firmware.amplifier.core import Amplifier
from ward_firmware.amplifier.factory import defaults, factory
from ward_firmware.board import factory as of_boards
from ward_firmware.board.core import Board
from ward_firmware.configuration import Configuration
from ward_firmware.start import Start
from ward_protocol.portable import board as messages
from ward_protocol.portable.amplifier import config_valid

if TYPE_CHECKING:
    from ward_firmware.amplifier.lease import RelayPort
    from ward_firmware.configuration import Store


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
    """Four analogue inputs."""

    def __init__(
        self, line_mv: int = 12345, supply_cv: int = 2400, temperature_dc: int = -55, current_ma: int = 1500
    ) -> None:
        self.line, self.supply, self.temperature, self.current = line_mv, supply_cv, temperature_dc, current_ma

    def line_mv(self) -> int:
        return self.line

    def supply_cv(self) -> int:
        return self.supply

    def temperature_dc(self) -> int:
        return self.temperature

    def current_ma(self) -> int:
        return self.current


class Flash:
    """A record in memory in place of `ward_firmware.slots.Slots`; `broken` does not take another one."""

    def __init__(self, record: bytes | None = None) -> None:
        self.record = record
        self.damaged = False
        self.broken = False

    def load(self) -> bytes | None:
        return self.record

    def save(self, payload: bytes) -> None:
        if self.broken:
            raise OSError("the flash is broken")
        self.record = payload


def t15_us(baud: int) -> int:
    """Longest pause inside a frame, microseconds. Ref: MODBUS over Serial Line V1.02, section 2.5.1.1."""
    return int(1.5 * 11e6 / baud) if baud <= 19200 else 750


def amplifier(
    relays: RelayPort,
    readings: Readings | None = None,
    flash: Store | None = None,
    *,
    now_us: int = 0,
    **settings: int,
) -> Amplifier:
    """A core with the defaults of the register map, `settings` (of settings.json) over them."""
    configuration = Configuration(flash or Flash(), factory({**defaults(), "unit": 17, **settings}), config_valid)
    return Amplifier(configuration, relays, readings or Readings(), Start(1, 7, b"RP2040", b"00c0ffee"), now_us)


def board(flash: Store | None = None, *, cause: int = 1, now_us: int = 0, **settings: int) -> Board:
    """A board of 64 x 16 pixels unless `settings` (of settings.json) say otherwise."""
    values = of_boards.factory({**of_boards.defaults(), **settings})
    configuration = Configuration(flash or Flash(), values, messages.config_valid)
    return Board(configuration, Start(cause, 7, b"RP2040", b"serial-1"), now_us)
