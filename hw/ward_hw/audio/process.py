"""One worker process and the pipes to it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable

from ward_hw.audio.values import AudioSettings
from ward_hw.audio_worker import pipe

log = logging.getLogger(__name__)
_LAST_WORDS_S = 2.0


class WorkerProcess:
    """A running worker. ``on_message`` gets its messages, `ended` returns when it is gone for whatever reason."""

    def __init__(self, process: asyncio.subprocess.Process, on_message: Callable[[pipe.Message], None]) -> None:
        self._process = process
        self._on_message = on_message
        self._reader = asyncio.create_task(self._read(), name=f"audio worker {process.pid}")
        self.retired = False
        self.nonsense = False
        """Whether it was ended for what it said."""
        self._patience: asyncio.TimerHandle | None = None

    @classmethod
    async def start(cls, settings: AudioSettings, on_message: Callable[[pipe.Message], None]) -> WorkerProcess:
        """Start a worker. Raises OSError when that cannot be."""
        command = ["-m", "ward_hw.audio_worker", "--backend", settings.backend, "--rate", str(settings.sample_rate)]
        if settings.capture is not None:
            command += ["--capture", str(settings.capture)]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        return cls(process, on_message)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def send(self, message: pipe.Message) -> None:
        """Give a command; a worker that is gone is told by `ended`."""
        if self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(pipe.pack(message))

    def retire(self) -> None:
        """Let it end by itself: without input it goes, or is killed after a while."""
        if self._patience is None:
            self._patience = asyncio.get_running_loop().call_later(_LAST_WORDS_S, self.kill)
        self.retired = True
        if self._process.stdin is not None:
            self._process.stdin.close()

    def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def ended(self) -> int:
        """Wait for its end and return its exit status."""
        await asyncio.wait([self._reader])
        status = await self._process.wait()
        if self._patience is not None:
            self._patience.cancel()
        return status

    async def close(self) -> None:
        """End it, kindly first, and release everything."""
        self.retire()
        await self.ended()

    async def _read(self) -> None:
        stream = self._process.stdout
        try:
            while stream is not None:
                length = pipe.length_of(await stream.readexactly(pipe.LENGTH.size))
                self._on_message(pipe.unpack(await stream.readexactly(length)))
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # it is gone
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            # Nobody would hear what it says from now on: whoever waits for its words would wait for ever.
            self.nonsense = True
            log.error("audio worker %d speaks nonsense (%r); it is ended", self.pid, error)
            self.kill()
