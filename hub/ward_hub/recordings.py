"""Brings the recordings of accepted bulletins to this hub and tries whether they decode, before they are to air.

They are fetched from the source; one that comes by another way in meanwhile is taken at once, whatever the fetching
of it or of others is waiting for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ward_hub.links import SourceError, SourceLink, WrongDigest
from ward_hub.media import MediaStore
from ward_hub.programme import Candidate
from ward_hub.versions import recording_for
from ward_protocol.reasons import Reason
from ward_protocol.statements import Audio, Bulletin, Priority

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
    arrived: asyncio.Event = field(compare=False, default_factory=asyncio.Event)  # by another way than the source


class Recordings:
    """Fetches one recording at a time, and an emergency's beside all others.

    `held` gives the bulletins that have not ended: their recordings stay. `wanted` says whether the bulletin of that
    digest still waits for one; `probe` says what is wrong with a file, or None. `on_ready` takes the digest of a
    bulletin that can sound now, `on_bad` one whose recording will never do.
    """

    def __init__(
        self,
        *,
        link: SourceLink,
        store: MediaStore,
        language: str,
        probe: Callable[[Path], Awaitable[str | None]],
        wanted: Callable[[bytes], bool],
        held: Callable[[], Iterable[Bulletin]],
        on_ready: Callable[[bytes], None],
        on_bad: Callable[[Candidate, Reason, str], Awaitable[None]],
    ) -> None:
        self._link = link
        self._store = store
        self._language = language
        self._probe = probe
        self._wanted = wanted
        self._held = held
        self._on_ready = on_ready
        self._on_bad = on_bad
        self._good: dict[bytes, Path] = {}
        self._bad: set[tuple[bytes, int]] = set()  # with the size by which it was named: that alone may be wrong
        self._waiting: dict[bytes, Want] = {}  # by the bulletin's digest
        self._in_hand: set[bytes] = set()
        self._urgent: asyncio.Queue[Want] = asyncio.Queue()
        self._ordinary: asyncio.PriorityQueue[Want] = asyncio.PriorityQueue()
        self._count = 0
        self._settled = asyncio.Condition()

    def want(self, candidate: Candidate) -> Candidate:
        """Return the candidate as it stands: ready, or not until its recording is here and sound."""
        audio = recording_for(candidate.bulletin, self._language)
        if audio is None:
            return candidate
        self._store.claim(audio)
        self._count += 1
        want = Want((-candidate.bulletin.priority, self._count), candidate, audio)
        self._waiting[candidate.digest] = want
        self._put(want)
        return replace(candidate, ready=False)

    def named(self, sha256: bytes) -> frozenset[int]:
        """Return the size by which a bulletin names that recording and waits for it; empty where none does."""
        return frozenset(
            one.audio.size
            for one in self._waiting.values()
            if one.audio.sha256 == sha256 and self._wanted(one.candidate.digest)
        )

    def holds(self, sha256: bytes) -> bool:
        """Say whether that recording is on this hub already."""
        return self._store.holds(sha256)

    async def offer(self, draft: Path, sha256: bytes) -> None:
        """Take a recording that came whole by any way in; the file `draft` has that SHA-256, and is moved.

        Bulletins that wait for it have it at once; else it waits for one, as long as there is room. Raises OSError.
        """
        await asyncio.to_thread(self._store.keep, draft, sha256)
        for want in [one for one in self._waiting.values() if one.audio.sha256 == sha256]:
            if self._store.claim(want.audio) or self._store.has(want.audio):
                log.info("recording %s came by another way than from the source", sha256.hex()[:16])
                want.arrived.set()
                self._urgent.put_nowait(want)
        self._trim()

    async def path(self, candidate: Candidate) -> Path | None:
        """Return the recording's path, waiting within reason for an emergency's; None where there is none."""
        audio = recording_for(candidate.bulletin, self._language)
        if audio is None:
            return None
        try:
            async with asyncio.timeout(EMERGENCY_WAIT_S), self._settled:
                name = audio.sha256, audio.size
                await self._settled.wait_for(lambda: audio.sha256 in self._good or name in self._bad)
        except TimeoutError:
            return None
        return self._good.get(audio.sha256)

    async def run(self) -> None:
        """Fetch what is wanted until cancelled."""
        self._trim()
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
        digest, name = want.candidate.digest, want.audio.sha256.hex()[:16]
        if digest in self._in_hand or self._waiting.get(digest) is not want:
            return
        if not self._wanted(digest):
            del self._waiting[digest]
            return
        self._in_hand.add(digest)
        try:
            trouble = await self._fetch(want)
            await self._settle(want, trouble)
            return
        except SourceError as error:
            log.info("recording %s: %s; tried again", name, error)
        except Exception:
            log.exception("recording %s: it is tried again", name)
        finally:
            self._in_hand.discard(digest)
        asyncio.get_running_loop().call_later(RETRY_S, self._put, want)

    async def _fetch(self, want: Want) -> tuple[Reason, str] | None:
        """Return what is wrong with the recording once it is here, None if it is good; raises SourceError."""
        if not self._store.has(want.audio):
            try:
                await self._from_source(want)
            except WrongDigest as error:
                return Reason.AUDIO_DIGEST_MISMATCH, str(error)
        wrong = await self._probe(self._store.path(want.audio))
        return (Reason.AUDIO_NOT_DECODABLE, wrong) if wrong else None

    async def _from_source(self, want: Want) -> None:
        """Fetch the recording, until it is here by whichever way; raises SourceError."""
        audio, urgent = want.audio, want.candidate.bulletin.priority is Priority.EMERGENCY
        path = self._store.path(audio)
        fetching = asyncio.create_task(
            self._link.fetch_media(audio.sha256, audio.size, path, deadline=FETCH_S, urgent=urgent)
        )
        arriving = asyncio.create_task(want.arrived.wait())
        try:
            await asyncio.wait([fetching, arriving], return_when=asyncio.FIRST_COMPLETED)
        finally:
            fetching.cancel()
            arriving.cancel()
            await asyncio.wait([fetching, arriving])
        if not fetching.cancelled():
            error = fetching.exception()
            if error is not None and not self._store.has(audio):
                raise error

    async def _settle(self, want: Want, trouble: tuple[Reason, str] | None) -> None:
        async with self._settled:
            if trouble is None:
                self._good[want.audio.sha256] = self._store.path(want.audio)
                self._bad.discard((want.audio.sha256, want.audio.size))
            else:
                self._bad.add((want.audio.sha256, want.audio.size))
            self._settled.notify_all()
        if trouble is None:
            self._on_ready(want.candidate.digest)
        else:
            log.error("recording %s: %s", want.audio.sha256.hex()[:16], trouble[1])
            await self._on_bad(want.candidate, *trouble)
        del self._waiting[want.candidate.digest]
        self._trim()

    def _put(self, want: Want) -> None:
        """Queue what still waits; what is here already needs no turn of the link."""
        if self._waiting.get(want.candidate.digest) is want:
            urgent = want.candidate.bulletin.priority is Priority.EMERGENCY or self._store.has(want.audio)
            (self._urgent if urgent else self._ordinary).put_nowait(want)

    def _trim(self) -> None:
        """Keep the store within its bounds; what was deleted is fetched again where it is named again."""
        chosen = (recording_for(one, self._language) for one in self._held())
        for gone in self._store.trim({audio.sha256 for audio in chosen if audio is not None}):
            log.info("recording %s was deleted: nothing needs it, and there is no room", gone.hex()[:16])
            self._good.pop(gone, None)
