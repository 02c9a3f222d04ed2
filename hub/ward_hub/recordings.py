"""Brings the recordings of accepted bulletins to this hub and tries whether they decode, before they are to air."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from ward_hub.links import SourceError, SourceLink, WrongDigest
from ward_hub.media import MediaStore
from ward_hub.programme import Candidate
from ward_protocol.reasons import Reason
from ward_protocol.statements import Audio, Bulletin, Priority

log = logging.getLogger(__name__)
FETCH_S = 900.0
RETRY_S = 5.0
EMERGENCY_WAIT_S = 15.0


def recording_for(bulletin: Bulletin, language: str) -> Audio | None:
    """Return the bulletin's recording in `language`, else its first."""
    for audio in bulletin.audio:
        if audio.language.split("-")[0].lower() == language:
            return audio
    return bulletin.audio[0] if bulletin.audio else None


class Recordings:
    """Fetches one recording at a time, an emergency's before all others.

    `probe` says what is wrong with a file, or None; `on_ready` takes the candidate once it can sound, `on_bad` one
    whose recording will never do.
    """

    def __init__(
        self,
        *,
        link: SourceLink,
        store: MediaStore,
        language: str,
        probe: Callable[[Path], Awaitable[str | None]],
        on_ready: Callable[[Candidate], None],
        on_bad: Callable[[Candidate, Reason, str], Awaitable[None]],
    ) -> None:
        self._link = link
        self._store = store
        self._language = language
        self._probe = probe
        self._on_ready = on_ready
        self._on_bad = on_bad
        self._good: dict[bytes, Path] = {}
        self._bad: set[bytes] = set()
        self._queue: asyncio.PriorityQueue[tuple[int, int, Candidate, Audio]] = asyncio.PriorityQueue()
        self._count = 0
        self._settled = asyncio.Condition()

    def want(self, candidate: Candidate) -> Candidate:
        """Return the candidate as it stands: ready, or not until its recording is here and sound."""
        audio = recording_for(candidate.bulletin, self._language)
        if audio is None:
            return candidate
        self._count += 1
        self._queue.put_nowait((-candidate.bulletin.priority, self._count, candidate, audio))
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
        """Fetch what is wanted until cancelled; an emergency's is begun at once beside what is on its way."""
        async with asyncio.TaskGroup() as group:
            ordinary = asyncio.Semaphore(1)
            while True:
                _, _, candidate, audio = await self._queue.get()
                urgent = candidate.bulletin.priority is Priority.EMERGENCY
                group.create_task(self._bring(candidate, audio, asyncio.Semaphore(1) if urgent else ordinary))

    async def _bring(self, candidate: Candidate, audio: Audio, turn: asyncio.Semaphore) -> None:
        urgent = candidate.bulletin.priority is Priority.EMERGENCY
        async with turn:
            trouble = await self._fetch(audio, urgent)
        path = self._store.path(audio)
        if trouble is None:
            wrong = await self._probe(path)
            trouble = (Reason.AUDIO_NOT_DECODABLE, wrong) if wrong else None
        async with self._settled:
            if trouble is None:
                self._good[audio.sha256] = path
            else:
                self._bad.add(audio.sha256)
            self._settled.notify_all()
        if trouble is None:
            self._on_ready(replace(candidate, ready=True))
        else:
            log.error("recording %s: %s", audio.sha256.hex()[:16], trouble[1])
            await self._on_bad(candidate, *trouble)

    async def _fetch(self, audio: Audio, urgent: bool) -> tuple[Reason, str] | None:
        while not self._store.has(audio):
            try:
                await self._link.fetch_media(
                    audio.sha256, audio.size, self._store.path(audio), deadline=FETCH_S, urgent=urgent
                )
            except WrongDigest as error:
                return Reason.AUDIO_DIGEST_MISMATCH, str(error)
            except SourceError as error:
                log.info("recording %s: %s; tried again", audio.sha256.hex()[:16], error)
                await asyncio.sleep(RETRY_S)
        return None
