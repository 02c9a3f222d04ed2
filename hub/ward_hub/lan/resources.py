"""The two things that a hub takes on its own network: statements and recordings. Nothing is decoded here.

A statement goes to `deliver`, the one intake; a recording was hashed as it came, and is moved to the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from ward_hub.intake import Deliver, Place, Verdict
from ward_hub.lan.message import Code
from ward_hub.lan.request import Answer, refusal
from ward_protocol.envelope import MAX_SIZE
from ward_protocol.reasons import Reason
from ward_protocol.statements.bulletin import MAX_AUDIO

WAY = "lan"


class Store(Protocol):
    """Where recordings go."""

    def named(self, sha256: bytes) -> frozenset[int]:
        """Return the size by which a bulletin names that recording and waits for it; empty where none does."""
        ...

    def holds(self, sha256: bytes) -> bool:
        """Say whether that recording is on this hub already."""
        ...

    async def offer(self, draft: Path, sha256: bytes) -> None:
        """Take a recording that came whole: the file `draft` has that SHA-256, and is moved. Raises OSError."""
        ...


@dataclass(frozen=True, slots=True)
class Body:
    """What came whole: its size in bytes, its SHA-256, the file it is in if it is in one, and how to read it."""

    size: int
    sha256: bytes
    path: Path | None
    read: Callable[[], bytes]


class Outcome(NamedTuple):
    """What became of a body; what is `free` costs its sender nothing: only what cannot come again and again is."""

    answer: Answer
    free: bool


class Resource(Protocol):
    """What one path takes, with which method, and how large at most; `on_disk` where it must come in a file."""

    method: Code
    on_disk: bool

    @property
    def limit(self) -> int:
        """The largest body in bytes."""
        ...

    def at_once(self) -> Answer | None:
        """Return the answer that needs no body."""
        ...

    def refuse(self, body: Body) -> Answer | None:
        """Return what is wrong with a body as far as that is seen without any work."""
        ...

    async def take(self, body: Body) -> Outcome:
        """Take a body, and say what became of it."""
        ...


class Push:
    """A statement on its way to the intake."""

    method = Code.POST
    on_disk = False
    limit = MAX_SIZE

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver

    def at_once(self) -> Answer | None:
        """Nothing is known before it has come."""
        return None

    def refuse(self, body: Body) -> Answer | None:
        """The intake decides, from the bytes."""
        return None

    async def take(self, body: Body) -> Outcome:
        """Have it judged, and tell the verdict. A document of trust costs: the newest beat is taken each time."""
        verdict = await self._deliver(body.read(), Place(WAY))
        return Outcome(told(verdict), free=verdict.accepted is not None)


class Recording:
    """A recording on its way to the others, named by its SHA-256."""

    method = Code.PUT
    on_disk = True

    def __init__(self, store: Store, sha256: bytes) -> None:
        self._store = store
        self._sha256 = sha256

    @property
    def limit(self) -> int:
        """As large as the bulletin says that names it, or as large as any may."""
        return max(self._store.named(self._sha256), default=MAX_AUDIO)

    def at_once(self) -> Answer | None:
        """What is here already need not be sent."""
        return Answer(Code.CHANGED) if self._store.holds(self._sha256) else None

    def refuse(self, body: Body) -> Answer | None:
        """Refuse what is not the recording that its name and the bulletin say."""
        named = self._store.named(self._sha256)
        if body.sha256 != self._sha256 or (named and body.size not in named):
            return refusal(Code.UNPROCESSABLE, "it is not the recording of that SHA-256 and size")
        return None

    async def take(self, body: Body) -> Outcome:
        """Move it to the others. One that nothing names costs: the next one pushes it out."""
        assert body.path is not None  # noqa: S101 - `on_disk` says so
        named = bool(self._store.named(self._sha256))
        await self._store.offer(body.path, self._sha256)
        return Outcome(Answer(Code.CREATED), free=named)


def told(verdict: Verdict) -> Answer:
    """Return a verdict as an answer: the statement's digest where it was accepted, else the reason in words."""
    if verdict.reason is None:
        return Answer(Code.CHANGED, verdict.digest)
    code = Code.TOO_LARGE if verdict.reason is Reason.TOO_LARGE else Code.FORBIDDEN
    return refusal(code, f"{verdict.reason.word}: {verdict.detail}")
