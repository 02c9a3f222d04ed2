"""Whether what the source shows is of now: asks it for beats with this hub's nonce, and watches the beats that come.

A recording of true beats is signed, and its times go on as they did; only a nonce that did not exist when it was made
tells it from the source. So the hub asks for one as soon as the source answers, then every hour, and wherever a time
is too far ahead to be believed without.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from ward_hub.alarm_words import Code, detail
from ward_hub.alarms import Alarms
from ward_hub.beat_watch import BeatWatch
from ward_hub.clock import Clock, Kept
from ward_hub.config import ClockSection
from ward_hub.journal import Journal, Ledger
from ward_hub.links import LinkState, SourceError, SourceLink
from ward_hub.trust import Trust
from ward_protocol.reasons import Reason
from ward_protocol.statements import TimeTrust

log = logging.getLogger(__name__)
LOOK_S = 1.0
ASK_S = 10.0
MEET_S = 3.0
FIRST_RETRY_S, LONGEST_RETRY_S = 2.0, 60.0
UNPROVEN_S = 600.0  # so long a source may fail to answer a nonce while its beats come


class Freshness:
    """Proves the hub's time to itself, and tells `alarms` what is wrong with clock and beats.

    `take` is given beats as bytes and decides about them: the one intake. `trust` gives the documents in force.
    """

    def __init__(
        self,
        *,
        link: SourceLink,
        take: Callable[[bytes], Awaitable[object]],
        clock: Clock,
        journal: Journal,
        alarms: Alarms,
        trust: Callable[[], Trust],
        settings: ClockSection,
    ) -> None:
        self._link = link
        self._take = take
        self._clock = clock
        self._journal = journal
        self._alarms = alarms
        self._trust = trust
        self._settings = settings
        self._watch = BeatWatch()
        self._one = asyncio.Lock()
        self._kept: Kept | None = None
        self._told = TimeTrust.NONE
        self._began_at: float | None = None
        self._answers_since: float | None = None
        self._unproven_since: float | None = None

    async def run(self) -> None:
        """Watch and ask until cancelled."""
        self._kept = await self._journal.do(Ledger.clock)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look_on())
            group.create_task(self._prove())

    async def confirm(self, within_s: float) -> TimeTrust:
        """Ask for a beat with this hub's nonce now, for at most so many seconds; return what the time is worth then."""
        before = self._clock.confirmed_at
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s), self._one:
                if self._clock.confirmed_at == before:  # nobody else's question was answered meanwhile
                    await self._ask(within_s)
        return self._clock.trust

    async def meet(self) -> None:
        """Have the source prove its time before its first beat is taken, where nothing says what time it is.

        Else, after months without power, that beat would be refused as too far ahead, with an entry and a receipt.
        """
        if self._clock.trust is TimeTrust.NONE:
            await self.confirm(MEET_S)

    # Asking

    async def _prove(self) -> None:
        pause = FIRST_RETRY_S
        while True:
            if not (self._link_answers() and self._wants_proof()):
                await asyncio.sleep(LOOK_S)
                continue
            async with self._one:
                await self._ask(ASK_S)
            if self._wants_proof():
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_RETRY_S)
            else:
                pause = FIRST_RETRY_S

    async def _ask(self, within_s: float) -> None:
        try:
            await self._take(await self._link.nonce_beat(self._clock.ask(), within_s))
        except SourceError as error:
            log.info("source: no beat with this hub's nonce: %s", error)

    def _wants_proof(self) -> bool:
        age = self._clock.known().confirmed_age_s
        return age is None or age >= self._settings.confirm_s or self._clock.doubt is not None

    def _link_answers(self) -> bool:
        return self._link.state is not LinkState.DOWN

    # Watching

    async def _look_on(self) -> None:
        while True:
            self._clock.look()
            self._tell_trust()
            self._judge_beats()
            self._judge_clock()
            await self._keep()
            await asyncio.sleep(LOOK_S)

    def _tell_trust(self) -> None:
        trust = self._clock.trust
        if trust is not self._told:
            log.info("the time is trusted: %s, before: %s", trust.name.lower(), self._told.name.lower())
            self._told = trust

    def _judge_beats(self) -> None:
        now = asyncio.get_running_loop().time()
        began = self._began_at = now if self._began_at is None else self._began_at
        self._answers_since = _since(self._answers_since, now, holds=self._link_answers())
        self._unproven_since = _since(
            self._unproven_since, now, holds=self._answers_since is not None and self._wants_proof()
        )
        if self._answers_since is not None:
            self._judge_frozen(now, self._answers_since)
        silent_s = self._clock.known().beat_age_s
        if self._answers_since is None and (now - began if silent_s is None else silent_s) > self._settings.silent_s:
            self._alarms.sound(Reason.SOURCE_SILENT, detail(Code.NO_BEAT, over_s=self._settings.silent_s))
        elif silent_s is not None and silent_s <= self._settings.silent_s:
            self._alarms.still(Reason.SOURCE_SILENT)
        behind = self._watch.behind(self._trust())
        if behind:
            self._alarms.sound(Reason.BEAT_ROLLED_BACK, *behind)
        else:
            self._alarms.still(Reason.BEAT_ROLLED_BACK)

    def _judge_frozen(self, now: float, answers_since: float) -> None:
        """Judge a source that answers: its beat is of now, and holds the nonce when it is asked to."""
        behind = self._clock.now() - self._clock.newest_beat
        if behind > self._settings.frozen_s:
            if now - answers_since > self._settings.frozen_s:  # else its first beat may be on the way
                old = detail(Code.OLD_BEAT, old_s=round(behind))
                self._alarms.sound(Reason.BEAT_FROZEN, old if self._clock.newest_beat else detail(Code.NO_BEAT_COUNTS))
        elif self._unproven_since is not None and now - self._unproven_since > UNPROVEN_S:
            self._alarms.sound(Reason.BEAT_FROZEN, detail(Code.NO_NONCE))
        elif self._unproven_since is None:
            self._alarms.still(Reason.BEAT_FROZEN)

    def _judge_clock(self) -> None:
        doubt, system = self._clock.doubt, self._clock.system
        age = self._clock.known().doubt_age_s
        if doubt is not None and (doubt.proven or (age or 0.0) > self._settings.frozen_s):
            code = Code.AHEAD_PROVEN if doubt.proven else Code.AHEAD_UNPROVEN
            self._alarms.sound(Reason.TIME_STEP_REFUSED, detail(code, ahead_s=doubt.ahead_s))
        elif doubt is None and self._clock.beat_at is not None:
            self._alarms.still(Reason.TIME_STEP_REFUSED)
        if system.stepped is not None:
            code = Code.CLOCK_FORWARD if system.stepped > 0 else Code.CLOCK_BACK
            self._alarms.sound(Reason.CLOCK_STEPPED, detail(code, moved_s=round(system.stepped)))
        elif self._clock.ntp_contradicts:
            self._alarms.sound(Reason.CLOCK_STEPPED, detail(Code.NTP_OFF, off_s=round(system.off_s)))
        elif self._clock.trust is TimeTrust.GOOD:
            self._alarms.still(Reason.CLOCK_STEPPED)

    async def _keep(self) -> None:
        kept, before = self._clock.keep(), self._kept
        if before is None or before.falls_short(kept):
            await self._journal.do(Ledger.keep_clock, kept)
            self._kept = kept


def _since(before: float | None, now: float, *, holds: bool) -> float | None:
    """Return since when something holds, None where it does not."""
    if not holds:
        return None
    return now if before is None else before
