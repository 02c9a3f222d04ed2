"""Holds the trust documents in force and takes newer ones, whatever way they come: journal first, then they count."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace

from ward_hub.clock import Clock, Kept
from ward_hub.journal import Journal, Ledger
from ward_hub.trust import Trust, drops_a_beat_key
from ward_protocol.envelope import Sealed
from ward_protocol.statements import StatementType

log = logging.getLogger(__name__)
KEEP_BEAT_S = 60  # the floor of the clock after a restart needs no better; each write wears the card

CUT_OFF_S = 600.0


class Keeper:
    """The one place where `trust` changes; documents are taken one at a time."""

    def __init__(
        self, trust: Trust, journal: Journal, clock: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.trust = trust
        self._journal = journal
        self._clock = clock
        self._monotonic = monotonic
        self._moved_on = monotonic()  # when a beat last showed that time goes on at the source
        self._kept_beat = 0
        self._kept_clock: Kept | None = None
        self._one = asyncio.Lock()
        self._takes = {
            StatementType.ROOT: self._take_root,
            StatementType.GRANTS: self._take_grants,
            StatementType.BEAT: self._take_beat,
        }

    def level_of(self, issuer: str) -> int | None:
        """Return the level of an authority now, 0 the highest; None where it is granted nothing."""
        return self.trust.level_of(issuer)

    def knows(self, kind: StatementType) -> bool:
        """Say whether statements of that type are documents of trust."""
        return kind in self._takes

    def cut_off(self) -> bool:
        """Say whether no newer beat came for so long that this ward is on its own; a frozen source is none."""
        return self._monotonic() - self._moved_on > CUT_OFF_S

    async def take(self, sealed: Sealed) -> None:
        """Take a root, grants or a beat; raises StatementError for the rule that it breaks."""
        async with self._one:
            await self._takes[sealed.type](sealed)

    async def _take_root(self, sealed: Sealed) -> None:
        trust = self.trust.with_root(sealed.data)
        if drops_a_beat_key(self.trust.root, trust.root):
            # Before the root is kept: who is killed in between does both again.
            self._kept_clock = self._clock.recover(trust.root.issued)
            await self._journal.do(Ledger.recover_clock, self._kept_clock)
            trust, self._kept_beat = replace(trust, beat=None), 0
        await self._journal.do(Ledger.keep_document, "root", trust.root.version, sealed.digest, sealed.data)
        self.trust = trust
        log.info("root %d is in force", trust.root.version)

    async def _take_grants(self, sealed: Sealed) -> None:
        trust = self.trust.with_grants(sealed.data, self._clock.now())
        assert trust.grants is not None  # noqa: S101 - just taken
        await self._journal.do(Ledger.keep_document, "grants", trust.grants.version, sealed.digest, sealed.data)
        self.trust = trust
        log.info("grants %d are in force", trust.grants.version)

    async def _take_beat(self, sealed: Sealed) -> None:
        before, beat = self.trust.beat, self.trust.signed_beat(sealed.data)
        proven = self._clock.heard(beat.time, beat.nonce)
        if proven and before is not None and beat.time < before.time:
            return  # it proved the time all the same: another beat overtook it on the way
        self.trust = self.trust.after(beat)
        if before is None or beat.time > before.time:
            self._moved_on = self._monotonic()
        if beat.time >= self._kept_beat + KEEP_BEAT_S:
            await self._journal.do(Ledger.keep_beat, beat.time, sealed.data)
            self._kept_beat = beat.time
        # At once, not at the next look: an agent that is killed right after it goes on with the time that it showed.
        kept = self._clock.keep()
        if self._kept_clock is None or self._kept_clock.falls_short(kept):
            await self._journal.do(Ledger.keep_clock, kept)
            self._kept_clock = kept
