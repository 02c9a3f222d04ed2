"""Brings the recordings of accepted bulletins to this hub and tries whether they decode, before they are to air."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ward_hub.links import SourceError, SourceLink, WrongDigest
from ward_hub.media import MediaStore
from ward_hub.programme import Candidate
from ward_hub.versions import recording_for
from ward_protocol.reasons import Reason
from ward_protocol.statements import Audio, Priority

log = logging.getLogger(__name__)
FETCH_S = 900.0
RETRY_S = 5.0
EMERGENCY_WAIT_S = 15.0


@dataclass(frozen=True, slots=True, order=True)
class Want:
    """A recording that is to come for a bulletin; the lowest first."""

    rank: tuple[int, int]
    candidate: Candidate = field(compare=False)
    audio: Audio = field(compare=False)


class Recordings:
    """Fetches one recording at a time, and an emergency's beside all others.

    `wanted` says whether the bulletin of that digest still waits for one; `probe` says what is wrong with a file, or
    None. `on_ready` takes the digest of a bulletin that can sound now, `on_bad` one whose recording will never do.
    """

    def __init__(
        self,
        *,
        link: SourceLink,
        store: MediaStore,
        language: str,
        probe: Callable[[Path], Awaitable[str | None]],
        wanted: Callable[[bytes], bool],
        on_ready: Callable[[bytes], None],
        on_bad: Callable[[Candidate, Reason, str], Awaitable[None]],
    ) -> None:
        self._link = link
        self._store = store
        self._language = language
        self._probe = probe
        self._wanted = wanted
        self._on_ready = on_ready
        self._on_bad = on_bad
        self._good: dict[bytes, Path] = {}
        self._bad: set[bytes] = set()
        self._urgent: asyncio.Queue[Want] = asyncio.Queue()
        self._ordinary: asyncio.PriorityQueue[Want] = asyncio.PriorityQueue()
        self._count = 0
        self._settled = asyncio.Condition()

    def want(self, candidate: Candidate) -> Candidate:
        """Return the candidate as it stands: ready, or not until its recording is here and sound."""
        audio = recording_for(candidate.bulletin, self._language)
        if audio is None:
            return candidate
        self._put(candidate, audio)
        return replace(candidate, ready=False)

    async def path(self, candidate: Candidate) -> Path | None:
        """Return the recording's path, waiting within reason for an emergency's; None where there is none."""
        audio = recording_for(candidate.bulletin, self._language)
        if audio is None:
            return None
        try:
            async with asyncio.timeout(EMERGENCY_WAIT_S), self._settled:
                await self._settled.wait_for(lambda: audio.sha256 in self._good or audio.sha256 in self._bad)
        except TimeoutError:
            return None
        return self._good.get(audio.sha256)

    async def run(self) -> None:
        """Fetch what is wanted until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._one_by_one())
            while True:
                want = await self._urgent.get()
                group.create_task(self._bring(want))

    async def _one_by_one(self) -> None:
        while True:
            await self._bring(await self._ordinary.get())

    async def _bring(self, want: Want) -> None:
        """Bring one recording; one that does not come now is tried again later, and holds up no other meanwhile."""
        if not self._wanted(want.candidate.digest):
            return
        name = want.audio.sha256.hex()[:16]
        try:
            trouble = await self._fetch(want)
            await self._settle(want, trouble)
            return
        except SourceError as error:
            log.info("recording %s: %s; tried again", name, error)
        except Exception:
            log.exception("recording %s: it is tried again", name)
        asyncio.get_running_loop().call_later(RETRY_S, self._put, want.candidate, want.audio)

    async def _fetch(self, want: Want) -> tuple[Reason, str] | None:
        """Return what is wrong with the recording once it is here, None if it is good; raises SourceError."""
        audio, path = want.audio, self._store.path(want.audio)
        if not self._store.has(audio):
            urgent = want.candidate.bulletin.priority is Priority.EMERGENCY
            try:
                await self._link.fetch_media(audio.sha256, audio.size, path, deadline=FETCH_S, urgent=urgent)
            except WrongDigest as error:
                return Reason.AUDIO_DIGEST_MISMATCH, str(error)
        wrong = await self._probe(path)
        return (Reason.AUDIO_NOT_DECODABLE, wrong) if wrong else None

    async def _settle(self, want: Want, trouble: tuple[Reason, str] | None) -> None:
        async with self._settled:
            if trouble is None:
                self._good[want.audio.sha256] = self._store.path(want.audio)
            else:
                self._bad.add(want.audio.sha256)
            self._settled.notify_all()
        if trouble is None:
            self._on_ready(want.candidate.digest)
        else:
            log.error("recording %s: %s", want.audio.sha256.hex()[:16], trouble[1])
            await self._on_bad(want.candidate, *trouble)

    def _put(self, candidate: Candidate, audio: Audio) -> None:
        self._count += 1
        urgent = candidate.bulletin.priority is Priority.EMERGENCY
        want = Want((-candidate.bulletin.priority, self._count), candidate, audio)
        (self._urgent if urgent else self._ordinary).put_nowait(want)
