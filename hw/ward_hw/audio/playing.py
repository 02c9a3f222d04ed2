"""An order to play, seen from the agent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ward_hw.audio.values import AudioError, Ended, Played, Reception
from ward_hw.audio_worker.pipe import Message
from ward_hw.audio_worker.stream_order import Position

_STALL_S = 5.0  # a living worker reports twice a second
_REMEDY = "check the sound device and the log"


class Playing:
    """Sound under way. ``started`` is done when the device took the first sound, or failed before."""

    def __init__(self, number: int, send: Callable[[Message], None], stalled: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        self.number = number
        self.started: asyncio.Future[None] = loop.create_future()
        self._done: asyncio.Future[Played] = loop.create_future()
        self._send = send
        self._stalled = stalled
        self._envelope: list[int] = []
        self._told: Played | None = None  # by the newest words of the worker about a stream
        self._watch = loop.call_later(_STALL_S, stalled)

    @property
    def done(self) -> bool:
        """Whether it is over."""
        return self._done.done()

    async def wait(self) -> Played:
        """Wait for the end. Raises AudioError, with what was output until then as ``played``."""
        return await asyncio.shield(self._done)

    async def stop(self, fade_ms: int = 50) -> Played:
        """Fade out and end; returns what was output. Stopping what is over returns the same again."""
        if not self.done:
            self._send({"id": self.number, "do": "stop", "fade_ms": fade_ms})
        return await self.wait()

    def take(self, message: Message) -> None:
        """Take a message of the worker about this order."""
        if self.done:
            return
        self._watch.cancel()
        match message["event"]:
            case "started" if not self.started.done():
                self.started.set_result(None)
            case "levels":
                levels = message["rms"]
                self._envelope += levels if isinstance(levels, list) else []
            case "played":
                self._finish(self._played(message))
            case "failed":
                self.fail(str(message["reason"]), self._played(message))
            case _:
                pass  # a sign of life is all that a word of a newer worker means here
        if not self.done:
            if "stream" in message:
                self._told = self._played(message)
            self._watch = asyncio.get_running_loop().call_later(_STALL_S, self._stalled)

    def fail(self, reason: str, played: Played | None = None) -> None:
        """The worker or its device is gone."""
        self._watch.cancel()
        if self.done:
            return
        played = played or self._told or Played(len(self._envelope) * 100, 0, tuple(self._envelope))
        error = AudioError("play", reason, remedy=_REMEDY, played=played)
        for future in (self.started, self._done):
            if not future.done():
                future.set_exception(error)
                future.exception()  # seen: an order that nobody waits for is no leak

    def _finish(self, played: Played) -> None:
        if not self.started.done():  # stopped, or too short, before any sound
            self.started.set_result(None)
        self._done.set_result(played)

    def _played(self, message: Message) -> Played:
        played_ms, requested_ms, underruns = (
            int(str(message.get(key, 0))) for key in ("played_ms", "requested_ms", "underruns")
        )
        return Played(played_ms, requested_ms, tuple(self._envelope), underruns, _reception(message.get("stream")))


def _reception(said: Any) -> Reception | None:  # noqa: ANN401 - JSON is anything
    """Read what a worker says of a stream."""
    if said is None:
        return None
    return Reception(
        ended=None if said["ended"] is None else Ended(said["ended"]),
        accepted=int(said["accepted"]),
        refused={str(reason): int(count) for reason, count in said["refused"].items()},
        lost=int(said["lost"]),
        skipped=int(said["skipped"]),
        position=None if said["position"] is None else Position(*map(int, said["position"])),
    )
