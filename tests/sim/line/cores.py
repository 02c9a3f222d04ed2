"""The core of the amplifier's firmware for the simulated line: as the factory leaves it, but for unit and baud rate."""

from __future__ import annotations

from tests.unit.firmware.ports import Flash

from ward_firmware.amplifier.core import Amplifier
from ward_firmware.amplifier.factory import defaults, factory
from ward_firmware.configuration import Configuration
from ward_firmware.start import Start
from ward_protocol.portable.amplifier import config_valid
from ward_sim.devices.inside import CoreAmplifier


def core(unit: int, relays: CoreAmplifier, sensors: CoreAmplifier, *, baud: int, cause: int, now_us: int) -> Amplifier:
    """Start a core; nothing that a master committed outlives a restart here."""
    configuration = Configuration(Flash(), factory({**defaults(), "unit": unit, "baud": baud}), config_valid)
    return Amplifier(configuration, relays, sensors, Start(cause, 1, b"RP2040", b"%08d" % unit), now_us)
