"""Products to buy on the simulated line: the stations of `tests.sim.hw.products`, joined to it by a tap."""

from __future__ import annotations

from tests.sim.hw.units import Station

from ward_sim.line.medium import Medium, Tap


class Product(Tap):
    """One product on a line; a burst without a pause is a frame to it."""

    def __init__(self, line: Medium, station: Station) -> None:
        super().__init__(line, f"unit-{station.unit}", outside=False)
        self.station = station

    def deliver(self, data: bytes) -> None:
        """Answer after its own time."""
        if len(data) < 4:
            return
        for reply in self.station(data):
            at = self._line.ended + reply.after
            self._line.loop.call_later(max(0.0, at - self._line.loop.time()), self.send, reply.data, at)

    def unplug(self) -> None:
        """Take it away with what it would still have sent."""
        self.forget()
