"""What every simulated device has in common: a controller that runs its firmware, and power that can be cut."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Self

from ward_sim.devices.controller import Controller, Wires

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from ward_sim.line import Line


class Device:
    """A device whose controller runs firmware of `kind` on a station of `line`, its pins wired to `wires`.

    An async context manager: inside it the firmware runs, outside nothing of it is left.
    """

    def __init__(self, name: str, kind: str, line: Line, wires: Wires, settings: Mapping[str, int]) -> None:
        self.name = name
        self.serial = hashlib.sha256(name.encode()).digest()[:8]
        self.tap = line.station(name, controller=True)
        self._controller = Controller(name, kind, self.tap, wires, settings=settings, serial=self.serial)

    @property
    def alive(self) -> bool:
        """Whether the controller runs."""
        return self._controller.alive

    @property
    def restarts(self) -> int:
        """Resets other than by power."""
        return self._controller.restarts

    @property
    def controller(self) -> Controller:
        """The process behind it."""
        return self._controller

    def hang(self) -> None:
        """Let the controller hang; its watchdog restarts it."""
        self._controller.hang()

    async def kill(self) -> None:
        """Cut the controller's power: its pins float, so relays open and a board goes dark."""
        await self._controller.kill()

    async def start(self) -> None:
        """Give the controller power again."""
        await self._controller.start()

    async def __aenter__(self) -> Self:
        await self._controller.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._controller.__aexit__(kind, error, trace)
