"""Amplifiers that run their real core in this process, on a line with faults, and their driver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from tests.sim.line.cores import core

from ward_hw.bus import ModbusBus
from ward_hw.drivers.amplifier import Amplifier
from ward_hw.profile import load_profile
from ward_sim.devices.inside import CoreAmplifier
from ward_sim.line import Line
from ward_sim.line.inside import Port
from ward_sim.switchboard import Switchboard

TIMEOUT_S = 0.1
PROFILE = "wardhub/amp8"


@dataclass
class Rig:
    """One line with everything on it."""

    line: Line
    port: Port
    devices: dict[int, CoreAmplifier]
    faults: Switchboard
    bus: ModbusBus
    drivers: dict[int, Amplifier]

    def closed(self, unit: int) -> frozenset[int]:
        """What really is closed."""
        return frozenset(number for number, on in enumerate(self.devices[unit].relays) if on)

    def driven(self, unit: int) -> frozenset[int]:
        """Which pins close their relay: what a controller can read back."""
        return frozenset(number for number, on in enumerate(self.devices[unit].contacts.driven) if on)


def now() -> float:
    """Return the loop's time."""
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def rig(
    units: Sequence[int] = (17,), *, seed: int = 1, baud: int = 19_200, lease_ms: int = 3000
) -> AsyncIterator[Rig]:
    """Bring a line up, with a driver for each unit."""
    async with AsyncExitStack() as stack:
        line = await stack.enter_async_context(Line(baud, seed=seed))
        port = Port(line)
        devices = {unit: CoreAmplifier(f"amp-{unit}", unit, line, core) for unit in units}
        bus = await stack.enter_async_context(ModbusBus("virtual", baud, timeout=TIMEOUT_S, opener=port.open))
        profile = load_profile(PROFILE)
        drivers = {unit: Amplifier(f"amp-{unit}", bus, unit, profile, clock=now, lease_ms=lease_ms) for unit in units}
        yield Rig(line, port, devices, Switchboard(line, port, devices), bus, drivers)
