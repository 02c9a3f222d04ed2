"""A simulated LED board: the board controller's firmware with a panel of P10 modules on its pins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ward_sim.devices.device import Device
from ward_sim.devices.panel import P10Panel

if TYPE_CHECKING:
    from collections.abc import Callable

    from ward_sim.line import Line


class SimBoard(Device):
    """A board on `line`; `on_frame(board, frame)` is called whenever the picture that shines changes."""

    def __init__(
        self,
        name: str,
        modules_wide: int,
        modules_high: int,
        line: Line,
        *,
        on_frame: Callable[[SimBoard, bytes], None],
    ) -> None:
        self._panel = P10Panel(modules_wide, modules_high, on_frame=lambda frame: on_frame(self, frame))
        settings = {"baud": line.baud, "modules_wide": modules_wide, "modules_high": modules_high}
        super().__init__(name, "board", line, self._panel, settings)

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
