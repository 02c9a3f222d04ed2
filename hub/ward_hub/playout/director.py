"""Decides from moment to moment what is on air: asks the programme, runs the player, writes the journal first."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from ward_hub.clock import Clock
from ward_hub.journal import Journal, Ledger, State
from ward_hub.playout.outcome import Outcome
from ward_hub.playout.player import Player
from ward_hub.programme import Candidate, plan, preempts
from ward_protocol.reasons import Reason
from ward_protocol.statements import Priority

log = logging.getLogger(__name__)
Recording = Callable[[Candidate], Awaitable[Path | None]]


class Director:
    """Holds the bulletins that have not ended and airs them in the programme's order, one at a time."""

    def __init__(self, player: Player, journal: Journal, clock: Clock, recording: Recording, max_attempts: int) -> None:
        self._player = player
        self._journal = journal
        self._clock = clock
        self._recording = recording
        self._max_attempts = max_attempts
        self._held: dict[bytes, Candidate] = {}
        self._current: Candidate | None = None
        self._dropped: dict[bytes, tuple[State, Reason, str]] = {}
        self._changed = asyncio.Event()

    def hold(self, candidate: Candidate) -> None:
        """Take an accepted bulletin, or new knowledge of it."""
        known = self._held.get(candidate.digest)
        self._held[candidate.digest] = candidate if known is None else replace(known, ready=candidate.ready)
        self._changed.set()

    async def drop(self, digest: bytes, state: State, reason: Reason, detail: str, issuer: str | None = None) -> None:
        """End a bulletin that is not to air, or not any longer; one on air stops at once.

        With `issuer`, only a bulletin of that issuer is ended.
        """
        candidate = self._held.get(digest)
        if candidate is None or (issuer is not None and candidate.bulletin.issuer != issuer):
            return
        del self._held[digest]
        self._changed.set()
        if self._current is None or self._current.digest != digest:
            await self._end(digest, state, reason, detail)
        else:
            self._dropped[digest] = (state, reason, detail)

    async def recording_failed(self, candidate: Candidate, reason: Reason, detail: str) -> None:
        """Refuse a bulletin whose recording will never do; an emergency airs with what it has."""
        if candidate.bulletin.priority is not Priority.EMERGENCY:
            await self.drop(candidate.digest, State.REFUSED, reason, detail)

    async def run(self) -> None:
        """Air what the programme says, until cancelled."""
        while True:
            self._changed.clear()
            current = plan(self._held.values(), self._clock.now())
            for lapsed in current.lapsed:
                await self.drop(lapsed.digest, State.NOT_AIRED, *_lapsed(lapsed))
            if current.next is not None:
                await self._air(current.next)
                continue
            await self._player.release()
            await self._wait(current.look_again)

    async def _wait(self, until: float | None) -> None:
        pause = None if until is None else max(0.0, until - self._clock.now()) + 0.01
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._changed.wait()

    async def _air(self, candidate: Candidate) -> None:
        digest, self._current = candidate.digest, candidate
        attempt = await self._journal.do(Ledger.begin, digest)
        log.info("airing %s, attempt %d: %s", digest.hex()[:16], attempt, candidate.bulletin.title)
        airing = asyncio.create_task(self._player.air(candidate.bulletin, lambda: self._recording(candidate)))
        try:
            cut = await self._watch(airing, candidate)
        finally:
            airing.cancel()
            await asyncio.wait([airing])
            self._current = None
        outcome = self._player.outcome(attempt)
        if not airing.cancelled() and (error := airing.exception()) is not None:
            log.error("airing %s failed", digest.hex()[:16], exc_info=error)
        if digest in self._dropped:
            await self._player.release()
            state, reason, detail = self._dropped.pop(digest)
            await self._end(digest, state, reason, detail, outcome)
        elif cut:
            await self._again(candidate, attempt, outcome)
        else:
            del self._held[digest]
            await self._end(digest, outcome.state, outcome.reason, outcome.detail, outcome)

    async def _watch(self, airing: asyncio.Task[None], candidate: Candidate) -> bool:
        """Wait for the airing's end; True when it is to be cut short."""
        while not airing.done():
            self._changed.clear()
            if candidate.digest not in self._held:
                return True
            due = plan(self._held.values(), self._clock.now()).next
            if due is not None and preempts(due, candidate):
                return True
            change = asyncio.create_task(self._changed.wait())
            await asyncio.wait([airing, change], return_when=asyncio.FIRST_COMPLETED)
            change.cancel()
        return False

    async def _again(self, candidate: Candidate, attempt: int, outcome: Outcome) -> None:
        digest = candidate.digest
        if attempt >= self._max_attempts:
            del self._held[digest]
            detail = f"cut short {attempt} times"
            await self._end(digest, State.PARTLY, Reason.INTERRUPTED, detail, outcome)
        else:
            log.info("airing %s was cut short by an emergency and begins again after it", digest.hex()[:16])
            await self._journal.do(Ledger.interrupt, digest, "emergency")

    async def _end(
        self, digest: bytes, state: State, reason: Reason | None, detail: str, outcome: Outcome | None = None
    ) -> None:
        evidence = None if outcome is None else outcome.evidence
        await self._journal.do(Ledger.end, digest, state, reason, detail, evidence)
        why = f": {reason.word}: {detail}" if reason else ""
        log.info("%s %s%s", state.value, digest.hex()[:16], why)


def _lapsed(candidate: Candidate) -> tuple[Reason, str]:
    if not candidate.ready:
        return Reason.AUDIO_UNAVAILABLE, "its recording had not arrived when it expired"
    return Reason.EXPIRED, "expired before it could air"
