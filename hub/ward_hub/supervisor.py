"""Keeps the agent's parts running: one that fails is reported and started again, and never takes the others along."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import cast

from ward_hub.errors import HubError

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
        except Exception as error:
            told = _told(error)
            if told is None:
                log.exception("%s failed; it starts again in %.1f s", name, pause)
            else:
                log.error("%s failed; it starts again in %.1f s: %s", name, pause, told)
        if loop.time() - began > STEADY_S:
            pause = FIRST_PAUSE_S
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_S)


def _told(error: Exception) -> str | None:
    """Return what errors of our own say, which is what happened and what to do; None where anything else is in it."""
    if isinstance(error, ExceptionGroup):
        inner = {_told(one) for one in cast("ExceptionGroup[Exception]", error).exceptions}
        return None if None in inner else "; ".join(sorted(map(str, inner)))
    return str(error) if isinstance(error, HubError) else None
