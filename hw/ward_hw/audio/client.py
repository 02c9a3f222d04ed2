"""The agent's side of the audio worker: keeps one alive, replaces it when it dies, believes none of it blindly.

A worker for playing is always ready, small until its first sound and replaced by a small one some seconds
after its last. Files are examined by a process of their own, which ends with the answer: a file that brings
a decoder down or makes it hang stops nothing that is on air.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from ward_hw.audio.playing import Playing
from ward_hw.audio.process import WorkerProcess
from ward_hw.audio.values import AudioError, AudioSettings, Clip
from ward_hw.audio_worker.order import PlayOrder, Sound
from ward_hw.audio_worker.pipe import Message
from ward_hw.audio_worker.stream_order import Position, StreamOrder
from ward_hw.errors import MisuseError
from ward_protocol.statements import Stream

_PROBE_BUDGET_S = 60.0
_READY_BUDGET_S = 5.0
_RESTART_FIRST_S, _RESTART_LAST_S = 0.1, 5.0
_LASTED_S = 30.0  # a worker that lived so long did not die of being started


class AudioWorker:
    """Use as an async context manager; one sound at a time."""

    def __init__(self, settings: AudioSettings) -> None:
        self._settings = settings
        self._numbers = itertools.count(1)
        self._process: WorkerProcess | None = None
        self._ready = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._playing: Playing | None = None
        self._recycling: asyncio.TimerHandle | None = None
        self.restarts = 0
        """How often a worker died unasked."""

    async def __aenter__(self) -> Self:
        self._keeper = asyncio.create_task(self._keep(), name="audio worker keeper")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._recycling is not None:
            self._recycling.cancel()
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        self._keeper = None

    @property
    def pid(self) -> int | None:
        """Process id of the worker for playing, while there is one."""
        return None if self._process is None else self._process.pid

    async def probe(self, path: Path, *, budget_s: float = _PROBE_BUDGET_S) -> Clip:
        """Decode a whole file in a process of its own. Raises AudioError with the reason it cannot be used."""
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

        def take(message: Message) -> None:
            if not answer.done():
                answer.set_result(message)

        try:
            process = await WorkerProcess.start(self._settings, take)
        except OSError as error:
            raise _no_worker(f"probe {path.name}") from error
        ending = asyncio.create_task(process.ended())
        ending.add_done_callback(lambda _: take({"event": "failed", "reason": "the decoder crashed on it"}))
        process.send({"id": 0, "do": "probe", "path": str(path)})
        try:
            async with asyncio.timeout(budget_s):
                return _clip(path, await answer)
        except TimeoutError as error:
            raise _unfit(path, f"not decoded within {budget_s:g} s") from error
        finally:
            process.kill()
            await process.close()
            await ending

    async def play(self, sounds: Sequence[Sound], *, gain_db: float = 0.0, lead_in_ms: int = 0) -> Playing:
        """Begin to play files, or parts of files, one behind the other, ``lead_in_ms`` of silence first.

        Raises MisuseError while something is being played, AudioError when no worker can be had.
        """
        return await self._begin("play", PlayOrder.of(sounds, gain_db, lead_in_ms))

    async def play_stream(
        self,
        stream: Stream,
        master: bytes,
        *,
        limit_s: float,
        first_s: float,
        gain_db: float = 0.0,
        after: Position | None = None,
    ) -> Playing:
        """Open the stream's port and play what comes authenticated; it ends by itself after ``limit_s`` at the latest.

        It ends earlier where nothing came for ``first_s`` at its beginning, or for the stream's own `silence_s` later.
        ``master`` is its master key and salt. ``after`` is how far the stream was heard before: nothing up to there is
        heard again. What came of it is `Played.stream`. Raises as `play`.
        """
        order = StreamOrder.of(stream, master, gain_db=gain_db, limit_s=limit_s, first_s=first_s, after=after)
        return await self._begin("play a stream", order)

    async def _begin(self, operation: str, order: PlayOrder | StreamOrder) -> Playing:
        if self._playing is not None and not self._playing.done:
            raise MisuseError("audio", operation, "something is being played", remedy="stop it first")
        if self._recycling is not None:
            self._recycling.cancel()
            self._recycling = None
        try:
            async with asyncio.timeout(_READY_BUDGET_S):
                await self._ready.wait()
        except TimeoutError as error:
            raise _no_worker(operation) from error
        process = self._process
        if process is None:
            raise _no_worker(operation)
        playing = Playing(next(self._numbers), process.send, process.kill)
        self._playing = playing
        process.send(order.message(playing.number))
        return playing

    def _take(self, message: Message) -> None:
        playing = self._playing
        if playing is None or message.get("id") != playing.number:
            return
        playing.take(message)
        if playing.done:
            loop = asyncio.get_running_loop()
            self._recycling = loop.call_later(self._settings.recycle_s, self._recycle)

    def _recycle(self) -> None:
        self._recycling = None
        if self._process is not None and (self._playing is None or self._playing.done):
            self._ready.clear()
            self._process.retire()

    async def _keep(self) -> None:
        pause_s = _RESTART_FIRST_S
        while True:
            begun = asyncio.get_running_loop().time()
            asked = await self._one_worker()
            if asked or asyncio.get_running_loop().time() - begun > _LASTED_S:
                pause_s = _RESTART_FIRST_S
            if not asked:
                self.restarts += 1
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _RESTART_LAST_S)

    async def _one_worker(self) -> bool:
        """Run a worker to its end; whether it was asked to end."""
        try:
            process = await WorkerProcess.start(self._settings, self._take)
        except OSError:
            return False
        self._process = process
        self._ready.set()
        asked, end = True, "the agent ended it"
        try:
            status = await process.ended()
            asked, end = process.retired, f"the worker process died (status {status})"
            if process.nonsense:
                asked, end = False, "the worker process spoke nonsense"
        finally:
            self._ready.clear()
            self._process = None
            if self._playing is not None:
                self._playing.fail(end)
            await process.close()
        return asked


def _no_worker(operation: str) -> AudioError:
    return AudioError(operation, "no worker process", remedy="see the log for why it does not start")


def _unfit(path: Path, reason: str) -> AudioError:
    return AudioError(f"probe {path.name}", reason, remedy="ask the issuer for another file")


def _clip(path: Path, message: Message) -> Clip:
    if message.get("event") == "failed":
        raise _unfit(path, str(message.get("reason")))
    try:
        duration_ms, sample_rate, channels = (
            int(str(message[key])) for key in ("duration_ms", "sample_rate", "channels")
        )
        return Clip(duration_ms, str(message["codec"]), sample_rate, channels)
    except (KeyError, ValueError) as error:
        raise _unfit(path, "its decoder answered nonsense") from error
