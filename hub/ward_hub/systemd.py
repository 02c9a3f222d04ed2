"""Telling systemd how the agent is: the datagrams of sd_notify, and nothing where no systemd listens.

Ref: sd_notify(3): READY, STOPPING, WATCHDOG over the socket named by NOTIFY_SOCKET; sd_watchdog_enabled(3).
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)


def notify(state: str, environ: Mapping[str, str] = os.environ) -> None:
    """Send `state`, e.g. ``READY=1``, to the socket of NOTIFY_SOCKET; one that does not take it is only reported."""
    name = environ.get("NOTIFY_SOCKET")
    if not name:
        return
    address = "\0" + name[1:] if name.startswith("@") else name
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as out:
            out.connect(address)
            out.send(state.encode())
    except OSError as error:
        log.warning("systemd was not told %s: %s: %s", state, name, error.strerror)


async def watchdog(environ: Mapping[str, str] = os.environ) -> None:
    """Tell systemd twice a watchdog period that the loop still turns; returns at once where no watchdog is set."""
    usec = int(environ.get("WATCHDOG_USEC", "0"))
    while usec:
        notify("WATCHDOG=1", environ)
        await asyncio.sleep(usec / 2_000_000)
