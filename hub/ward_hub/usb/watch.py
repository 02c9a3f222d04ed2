"""Watches the directory where the system mounts sticks, and has a bundle taken that appears there or changes.

It mounts nothing, and asks for nothing but that one name. A file that is still being written is left until it has
stayed the same for one look.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from ward_hub.usb.container import BundleError
from ward_hub.usb.importer import Importer
from ward_hub.usb.stick import NoStick, Stick

LOOK_S = 2.0
Signature = tuple[int, int, int, int] | str


class Watch:
    """Looks every `LOOK_S` seconds; `run` is a part of the agent."""

    def __init__(self, mount: Path, importer: Importer) -> None:
        self._mount = mount
        self._importer = importer

    async def run(self) -> None:
        """Watch until cancelled."""
        seen: Signature | None = None
        done: Signature | None = None
        while True:
            found = await asyncio.to_thread(self._signature)
            if found is None:
                done = None  # a stick that comes back is looked at again
            elif found == seen and found != done:
                await self._importer.take(self._mount)
                done = found
            seen = found
            await asyncio.sleep(LOOK_S)

    def _signature(self) -> Signature | None:
        """Return what tells a bundle from another that stood there before, or what is wrong; None where none is."""
        try:
            with Stick(self._mount) as stick:
                return stick.signature
        except NoStick:
            return None
        except BundleError as error:
            return str(error)
