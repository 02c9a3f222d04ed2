"""One open page: tells it what changed since it last heard, never faster than the pace allows.

Protocol, server to page, JSON text messages: the first is the whole snapshot; each later one is an object
that holds only the top-level keys whose value changed, so that a scrolling board does not resend the
timeline. An empty object says "still here". The page says nothing; what it sends is read (to see it close)
and dropped.

Each viewer encodes for itself and waits for its own socket. A page that reads slowly therefore skips states
instead of queueing them, and holds up nobody else.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

LOG = logging.getLogger(__name__)

SnapshotSource = Callable[[], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Pace:
    """How often pages hear from the server, in seconds."""

    interval: float = 0.1
    """Shortest time between two messages to one page."""
    idle: float = 1.0
    """Longest silence while nothing is poked: the clock moves on, and the page knows the server lives."""
    stall: float = 10.0
    """A page that takes no data for this long is dropped; it reconnects when it can."""


def encode(snapshot: Mapping[str, object]) -> dict[str, str]:
    """Return each top-level value as JSON text; ValueError names a key that JSON cannot carry."""
    parts: dict[str, str] = {}
    for key, value in snapshot.items():
        try:
            parts[key] = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"page snapshot: key {key!r} cannot be written as JSON ({error})") from error
    return parts


def join(parts: Mapping[str, str]) -> str:
    """Return the JSON object of already encoded values."""
    return "{" + ",".join(f"{json.dumps(key)}:{text}" for key, text in parts.items()) + "}"


class Viewer:
    """Serves one WebSocket until the page leaves, stalls, or the server closes."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request, source: SnapshotSource, pace: Pace) -> None:
        self._socket = socket
        self._transport = request.transport
        self._source = source
        self._pace = pace
        self._changed = asyncio.Event()

    def poke(self) -> None:
        """Say that the snapshot is worth reading again."""
        self._changed.set()

    async def run(self) -> None:
        """Feed the page until its socket ends."""
        async with asyncio.TaskGroup() as tasks:
            feeding = tasks.create_task(self._feed(), name="page feed")
            async for _message in self._socket:
                pass
            feeding.cancel()

    async def close(self) -> None:
        """Say goodbye (1001, going away); a page that does not answer in time is cut off."""
        try:
            async with asyncio.timeout(1.0):
                await self._socket.close(code=1001, message=b"the simulator is stopping")
        except TimeoutError:
            self._abort()

    async def _feed(self) -> None:
        sent: dict[str, str] = {}
        while not self._socket.closed:
            self._changed.clear()
            parts = encode(self._source())
            changed = {key: text for key, text in parts.items() if sent.get(key) != text}
            if not await self._send(join(changed)):
                return
            sent = parts
            await asyncio.sleep(self._pace.interval)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pace.idle):
                    await self._changed.wait()

    async def _send(self, text: str) -> bool:
        try:
            async with asyncio.timeout(self._pace.stall):
                await self._socket.send_str(text)
        except TimeoutError:
            LOG.warning("live page: a viewer took no data for %.0f s and was dropped", self._pace.stall)
            self._abort()
            return False
        except ConnectionError:
            return False  # it left between two messages; the reader sees the close
        return True

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
