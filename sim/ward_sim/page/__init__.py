"""The live page: the simulated ward in a browser, drawn from snapshots sent over a WebSocket."""

from ward_sim.page.server import PageServer
from ward_sim.page.snapshot import Snapshot

__all__ = ["PageServer", "Snapshot"]
