"""A simulated LED board: the board controller's firmware with a panel of P10 modules on its pins."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Self

from ward_sim.devices.controller import Controller
from ward_sim.devices.panel import P10Panel

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from ward_sim.line import Line


class SimBoard:
    """A board on `line`; `on_frame(board, frame)` is called whenever the picture that shines changes.

    An async context manager: inside it the firmware runs, outside nothing of it is left.
    """

    def __init__(
        self,
        name: str,
        modules_wide: int,
        modules_high: int,
        line: Line,
        *,
        on_frame: Callable[[SimBoard, bytes], None],
    ) -> None:
        self.name = name
        self.serial = hashlib.sha256(name.encode()).digest()[:8]
        self._panel = P10Panel(modules_wide, modules_high, on_frame=lambda frame: on_frame(self, frame))
        self._controller = Controller(
            name,
            "board",
            line.station(name, controller=True),
            self._panel,
            settings={"baud": line.baud, "modules_wide": modules_wide, "modules_high": modules_high},
            serial=self.serial,
        )

    @property
    def width(self) -> int:
        """Pixels."""
        return self._panel.width

    @property
    def height(self) -> int:
        """Pixels."""
        return self._panel.height

    @property
    def frame(self) -> bytes:
        """What shines: row-major, width / 8 bytes a row, MSB leftmost, 1 = lit."""
        return self._panel.frame

    @property
    def alive(self) -> bool:
        """Whether the controller runs."""
        return self._controller.alive

    @property
    def restarts(self) -> int:
        """Resets that nobody asked for."""
        return self._controller.restarts

    @property
    def controller(self) -> Controller:
        """The process behind it."""
        return self._controller

    def hang(self) -> None:
        """Let the controller hang; its watchdog restarts it."""
        self._controller.hang()

    async def kill(self) -> None:
        """Cut the controller's power: the board goes dark."""
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
