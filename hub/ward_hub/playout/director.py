"""Decides from moment to moment what is on air: asks the programme, runs the player, writes the journal first."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ward_hub.clock import Clock
from ward_hub.holds import Closed, Hold, closed
from ward_hub.journal import Journal, Ledger, State, Withdrawal
from ward_hub.playout.lateness import issue_notices, lateness
from ward_hub.playout.outcome import Outcome
from ward_hub.playout.player import Player
from ward_hub.programme import Candidate, Plan, plan, preempts
from ward_protocol.reasons import Reason
from ward_protocol.statements import Bulletin, Evidence, Priority, TimeTrust

log = logging.getLogger(__name__)
Recording = Callable[[Candidate], Awaitable[Path | None]]
Confirm = Callable[[float], Awaitable[TimeTrust]]
CUT_BY_AN_EMERGENCY, CUT_BY_A_HOLD = "cut short by an emergency", "cut short by silence, blank or resume"
OVER = "cut short, and its time was up before it could go on"
LOOK_AGAIN_S = 5.0  # the clock may be set while we wait for a moment of it
CONFIRM_S = 3.0  # an emergency waits so long for somebody who knows what time it is


@dataclass(frozen=True, slots=True)
class Ending:
    """How a bulletin ended, for the journal."""

    digest: bytes
    state: State
    reason: Reason | None
    detail: str
    evidence: Evidence | None = None


class Director:
    """Holds the bulletins that have not ended and airs them in the programme's order, one at a time.

    `confirm` asks the source for the time, for at most so many seconds; `language` is the hub's own.
    """

    def __init__(
        self,
        player: Player,
        journal: Journal,
        clock: Clock,
        recording: Recording,
        *,
        max_attempts: int,
        level_of: Callable[[str], int | None],
        confirm: Confirm,
        language: str,
    ) -> None:
        self._player = player
        self._journal = journal
        self._clock = clock
        self._recording = recording
        self._max_attempts = max_attempts
        self._level_of = level_of
        self._holds: tuple[Hold, ...] = ()
        self._holds_here: tuple[Hold, ...] = ()
        self._confirm = confirm
        self._language = language
        self._asked_for: bytes | None = None
        self._held: dict[bytes, Candidate] = {}
        self._current: Candidate | None = None
        self._dropped: Ending | None = None
        self._endings: deque[Ending] = deque()
        self._writing = asyncio.Lock()
        self._quiet = False
        self._changed = asyncio.Event()

    @property
    def on_air(self) -> Candidate | None:
        """The bulletin that is on air now."""
        return None if self._current is None else self._held.get(self._current.digest)

    @property
    def queue(self) -> list[Candidate]:
        """All that has not ended, what is on air included."""
        return list(self._held.values())

    def holds(self, digest: bytes) -> bool:
        """Say whether that bulletin is still to air, on air, or waits for the journal to take its ending."""
        ending = [*self._endings, *([self._dropped] if self._dropped else [])]
        return digest in self._held or any(one.digest == digest for one in ending)

    def hold(self, candidate: Candidate) -> None:
        """Take an accepted bulletin."""
        self._held.setdefault(candidate.digest, candidate)
        self._changed.set()

    def ready(self, digest: bytes) -> None:
        """Take that a bulletin can sound now; one that has ended stays ended."""
        known = self._held.get(digest)
        if known is not None:
            self._held[digest] = replace(known, ready=True)
            self._changed.set()

    def hold_back(self, holds: Iterable[Hold]) -> None:
        """Take the silences and blanks that orders let stand from now on; what is on air and reached is cut short."""
        self._holds = tuple(holds)
        self._changed.set()

    def hold_here(self, holds: Iterable[Hold]) -> None:
        """Take those that commands at this hub let stand, beside what orders do."""
        self._holds_here = tuple(holds)
        self._changed.set()

    @property
    def standing(self) -> list[Hold]:
        """The silences and blanks that stand now."""
        now = self._clock.now()
        return [one for one in (*self._holds_here, *self._holds) if not one.until or now < one.until]

    def held_by(self, bulletin: Bulletin) -> list[Hold]:
        """Return the silences and blanks that reach a bulletin now."""
        level, now = self._level_of(bulletin.issuer), self._clock.now()
        return [one for one in self.standing if one.reaches(bulletin, level, now)]

    def put_first(self, digest: bytes, rank: int) -> None:
        """Let a bulletin that waits go before the others of its priority."""
        known = self._held.get(digest)
        if known is not None:
            self._held[digest] = replace(known, rank=rank)
            self._changed.set()

    def closed_to(self, bulletin: Bulletin) -> Closed:
        """Return which outputs are closed to a bulletin now."""
        return closed(self.standing, bulletin, self._level_of(bulletin.issuer), self._clock.now())

    def is_shut_out(self, bulletin: Bulletin) -> bool:
        """Say whether all that a bulletin could use here is closed to it, so that it waits."""
        return self._player.is_shut_out(bulletin, self.closed_to(bulletin))

    async def drop(self, digest: bytes, state: State, reason: Reason, detail: str, issuer: str | None = None) -> None:
        """End a bulletin that is not to air, or not any longer; one on air stops at once.

        With `issuer`, only a bulletin of that issuer is ended. When this returns, no later start airs it either.
        """
        candidate = self._held.get(digest)
        if candidate is None or (issuer is not None and candidate.bulletin.issuer != issuer):
            return
        del self._held[digest]
        self._changed.set()
        ending = Ending(digest, state, reason, detail)
        if self._current is not None and self._current.digest == digest:
            self._dropped = ending
            # How it ended is known once its outputs are closed. Who stops it and then pulls the plug is not to hear it
            # again.
            taken = Withdrawal(digest, state, reason, detail)
            await self._journal.do(Ledger.withdraw, taken, candidate.bulletin.issuer)
        else:
            await self._end(ending)

    async def recording_failed(self, candidate: Candidate, reason: Reason, detail: str) -> None:
        """Refuse a bulletin whose recording will never do; an emergency airs with what it has."""
        if candidate.bulletin.priority is not Priority.EMERGENCY:
            await self.drop(candidate.digest, State.REFUSED, reason, detail)

    async def run(self) -> None:
        """Air what the programme says, until cancelled; what makes it fail leaves the outputs released."""
        try:
            while True:
                await self._step()
        except Exception:
            self._quiet = False
            await self._release()
            raise

    async def _step(self) -> None:
        self._changed.clear()
        if self._dropped is not None:  # and nothing is on air: an airing failed before it could say so
            self._endings.append(self._dropped)
            self._dropped = None
        await self._write_endings()
        for over in [one for one in self._held.values() if self._player.is_over(one.stream)]:
            await self.drop(over.digest, State.PARTLY, Reason.INTERRUPTED, OVER)
        current = self._plan()
        for lapsed in current.lapsed:
            await self.drop(lapsed.digest, *_lapsed(lapsed, self.closed_to(lapsed.bulletin).by))
        if current.lapsed:
            return  # what was to be next may have been taken back while that was written
        if current.next is None:
            await self._release()
            await self._wait(current.look_again)
        elif await self._may_begin(current.next):
            await self._air(current.next)

    async def _may_begin(self, candidate: Candidate) -> bool:
        """Ask for the time once before an emergency airs without it; False where the plan is to be made again."""
        if self._clock.trust is not TimeTrust.NONE or self._asked_for == candidate.digest:
            return True
        self._asked_for = candidate.digest
        await self._confirm(CONFIRM_S)
        return False

    def _plan(self) -> Plan:
        now = self._clock.now()
        standing = self.standing
        held = [one for one in self._held.values() if not self._player.is_over(one.stream)]
        found = plan([self._with_holds(one) if standing else one for one in held], now, self._clock.trust)
        moments = [*([found.look_again] if found.look_again is not None else []), *(one.until for one in standing)]
        return replace(found, look_again=min((one for one in moments if one), default=None))

    def _with_holds(self, one: Candidate) -> Candidate:
        return replace(one, held=self.is_shut_out(one.bulletin))

    async def _release(self) -> None:
        if not self._quiet:
            await self._player.release()
            self._quiet = True

    async def _wait(self, until: float | None) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._pause(until)):
                await self._changed.wait()

    def _pause(self, until: float | None) -> float | None:
        return None if until is None else min(max(0.0, until - self._clock.now()) + 0.01, LOOK_AGAIN_S)

    async def _air(self, candidate: Candidate) -> None:
        digest, self._current, self._quiet = candidate.digest, candidate, False
        trust = self._clock.trust
        shut = self.closed_to(candidate.bulletin)  # as planned: what closes while the journal is asked cuts it short
        late = lateness(candidate.bulletin, self._clock.now(), trust)
        notices = issue_notices(candidate.bulletin, trust, self._language)
        try:
            attempt = await self._journal.do(Ledger.begin, digest)
            log.info("airing %s, attempt %d: %s", digest.hex()[:16], attempt, candidate.bulletin.label)
            airing = asyncio.create_task(
                self._player.air(
                    candidate.bulletin, lambda: self._recording(candidate), shut, candidate.stream, notices
                )
            )
            try:
                why = await self._watch(airing, candidate, shut)
            finally:
                airing.cancel()
                await asyncio.wait([airing])
        finally:
            self._current = None
        outcome = self._player.outcome(attempt)
        if self._dropped is not None:
            await self._release()
            detail = _joined(outcome.told(self._dropped.detail), late)
            ending, self._dropped = replace(self._dropped, detail=detail, evidence=outcome.evidence), None
            await self._end(ending)
        elif airing.cancelled():
            if why == CUT_BY_A_HOLD:
                await self._release()  # before the journal is asked: a slow card must not keep a zone closed
                if digest not in self._held:
                    return  # it was taken back meanwhile, and has ended
            log.info("airing %s was %s and begins again after it", digest.hex()[:16], why)
            await self._again(candidate, attempt, replace(outcome, state=State.PARTLY), why)
        elif (error := airing.exception()) is not None:
            log.error("airing %s failed", digest.hex()[:16], exc_info=error)
            await self._again(candidate, attempt, outcome, f"failed ({type(error).__name__})")
        else:
            del self._held[digest]
            detail = _joined(outcome.told(outcome.detail), late)
            await self._end(Ending(digest, outcome.state, outcome.reason, detail, outcome.evidence))

    async def _watch(self, airing: asyncio.Task[None], candidate: Candidate, shut: Closed) -> str:
        """Return at the airing's end, or when it is to be cut short, by what."""
        while not airing.done() and candidate.digest in self._held:
            self._changed.clear()
            current = self._plan()
            if self.closed_to(candidate.bulletin) != shut:
                return CUT_BY_A_HOLD
            if current.next is not None and preempts(current.next, candidate):
                return CUT_BY_AN_EMERGENCY
            change = asyncio.create_task(self._changed.wait())
            pause = self._pause(current.look_again)
            await asyncio.wait([airing, change], timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            change.cancel()
        return ""

    async def _again(self, candidate: Candidate, attempt: int, outcome: Outcome, why: str) -> None:
        """Let a bulletin begin again whose airing did not reach its end, as often as it may."""
        digest = candidate.digest
        if attempt < self._max_attempts:
            self._held[digest] = replace(self._held[digest], attempts=attempt)
            await self._journal.do(Ledger.interrupt, digest, outcome.told(why))
            return
        del self._held[digest]
        state = State.NOT_AIRED if outcome.state is State.NOT_AIRED else State.PARTLY
        detail = outcome.told(f"{why}, the last of {attempt} times")
        await self._end(Ending(digest, state, Reason.INTERRUPTED, detail, outcome.evidence))

    async def _end(self, ending: Ending) -> None:
        self._endings.append(ending)
        await self._write_endings()

    async def _write_endings(self) -> None:
        """Write what has ended; what the journal fails to take is kept and written before anything else airs."""
        async with self._writing:
            while self._endings:
                one = self._endings[0]
                await self._journal.do(Ledger.end, one.digest, one.state, one.reason, one.detail, one.evidence)
                self._endings.popleft()
                why = f": {one.reason.word}: {one.detail}" if one.reason else ""
                log.info("%s %s%s", one.state.value, one.digest.hex()[:16], why)


def _joined(*details: str) -> str:
    return "; ".join(one for one in details if one)


def _lapsed(candidate: Candidate, closed_by: tuple[str, ...]) -> tuple[State, Reason, str]:
    if candidate.held:
        state = State.PARTLY if candidate.attempts else State.NOT_AIRED
        return state, Reason.SILENCED, f"all that it could use was closed by {' and '.join(closed_by)} until it expired"
    if candidate.attempts:
        return State.PARTLY, Reason.INTERRUPTED, f"cut short {candidate.attempts} times, then it expired"
    if not candidate.ready:
        return State.NOT_AIRED, Reason.AUDIO_UNAVAILABLE, "its recording had not arrived when it expired"
    return State.NOT_AIRED, Reason.EXPIRED, "expired before it could air"
