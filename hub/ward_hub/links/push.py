"""Pushing: gives signed statements and recordings straight to a hub on its own network, past every source.

A statement goes first: an emergency airs as soon as it is there, and the hub takes the recordings that it names
rather than any others.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiocoap.numbers.codes import Code

from ward_hub.links.ask import LATER, checked, give_any
from ward_hub.links.endpoint import Ask
from ward_hub.links.line import Line

DEADLINE_S = 300.0


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a hub said to something given: taken or not, and its words where it did not take it."""

    taken: bool
    words: str = ""


class Push:
    """An open way to a hub; made by `push_to`. `deadline` is seconds for each thing given."""

    def __init__(self, line: Line, deadline: float) -> None:
        self._line = line
        self._deadline = deadline

    async def statement(self, data: bytes) -> Pushed:
        """Give a signed statement; raises SourceError where the hub does not answer, or not as a hub does."""
        return await self._give(Ask(Code.POST, "push", payload=data))

    async def recording(self, path: Path) -> Pushed:
        """Give a recording; raises SourceError as above, and OSError for the file."""
        data = await asyncio.to_thread(path.read_bytes)
        return await self._give(Ask(Code.PUT, f"media/{hashlib.sha256(data).hexdigest()}", payload=data))

    async def _give(self, question: Ask) -> Pushed:
        reply = await give_any(self._line, question, self._line.now() + self._deadline)
        if Code.BAD_REQUEST <= reply.code < LATER:
            return Pushed(taken=False, words=reply.diagnostic or reply.words)
        checked(self._line, question, reply)
        return Pushed(taken=True)


@asynccontextmanager
async def push_to(uri: str, *, deadline: float = DEADLINE_S) -> AsyncGenerator[Push]:
    """Open the way to the hub at `uri`, coap://HOST[:PORT]; raises MisuseError."""
    async with Line(uri, rng=random.SystemRandom()) as line:
        yield Push(line, deadline)
