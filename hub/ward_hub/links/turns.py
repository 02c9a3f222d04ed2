"""Who may use the link: what an emergency waits for goes first, one bulk transfer at a time after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager


class Turns:
    """Counts what is urgent; bulk transfers look at `free` before each request."""

    def __init__(self) -> None:
        self._urgent = 0
        self._free = asyncio.Event()
        self._free.set()
        self._bulk = asyncio.Lock()

    @property
    def free(self) -> bool:
        """Whether nothing urgent is on its way."""
        return self._urgent == 0

    @contextmanager
    def urgent(self) -> Generator[None]:
        """Hold bulk transfers while in here."""
        self._urgent += 1
        self._free.clear()
        try:
            yield
        finally:
            self._urgent -= 1
            if self._urgent == 0:
                self._free.set()

    @asynccontextmanager
    async def bulk(self) -> AsyncGenerator[None]:
        """Be the one bulk transfer; several at once would each keep a queue on the way."""
        async with self._bulk:
            yield

    async def wait_free(self) -> None:
        """Wait until nothing urgent is on its way."""
        await self._free.wait()
