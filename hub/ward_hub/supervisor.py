"""Keeps the agent's parts running: one that fails is reported and started again, and never takes the others along."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
STEADY_S = 60.0


async def supervise(name: str, part: Callable[[], Awaitable[None]]) -> None:
    """Run `part` again and again, with a growing pause after each failure, until cancelled or it returns by itself."""
    loop = asyncio.get_running_loop()
    pause = FIRST_PAUSE_S
    while True:
        began = loop.time()
        try:
            await part()
            return
        except Exception:
            log.exception("%s failed; it starts again in %.1f s", name, pause)
        if loop.time() - began > STEADY_S:
            pause = FIRST_PAUSE_S
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_S)
