"""Follows the source: takes each beat, then newer trust documents, then every statement that the beat shows missing.

What the journal has not settled is fetched, the newest of an issuer first, so that an alert never waits behind a
backlog. A place that holds nothing acceptable is asked again later and later: the true statement may still come.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from ward_hub.clock import Clock
from ward_hub.intake import Accepted, Intake, Place
from ward_hub.journal import Journal, Ledger
from ward_hub.links import NotFound, SourceError, SourceLink, TooLarge
from ward_hub.trust import Trust
from ward_protocol.envelope import MAX_SIZE
from ward_protocol.errors import StatementError
from ward_protocol.reasons import Reason

log = logging.getLogger(__name__)
FETCH_S = 20.0
KEEP_BEAT_S = 60  # the floor of the clock after a restart needs no better; each write wears the card
AT_ONCE = 4
FIRST_RETRY_S = 2.0
LONGEST_RETRY_S = 60.0


@dataclass(slots=True)
class Retry:
    """When a place may be asked again, in loop time, and the pause that led there."""

    at: float
    pause: float


class Feeds:
    """Brings what the source publishes to the intake, and tells `on_accepted` what was accepted."""

    def __init__(
        self,
        *,
        link: SourceLink,
        intake: Intake,
        journal: Journal,
        clock: Clock,
        trust: Trust,
        on_accepted: Callable[[Accepted], Awaitable[None]],
    ) -> None:
        self._link = link
        self._intake = intake
        self._journal = journal
        self._clock = clock
        self.trust = trust
        self._on_accepted = on_accepted
        self._kept_beat = 0
        self._retries: dict[tuple[str, int], Retry] = {}
        self._on_the_way: set[tuple[str, int]] = set()
        self._look = asyncio.Event()

    async def run(self) -> None:
        """Follow the source until cancelled."""
        self._on_the_way.clear()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._fill(group))
            async for data in self._link.beats():
                try:
                    await self._take_beat(data)
                except StatementError as error:
                    log.warning("source: refused its beat or a document behind it: %s", error)
                except SourceError as error:
                    log.info("source: %s", error)
                self._look.set()

    async def _take_beat(self, data: bytes) -> None:
        try:
            self.trust, beat = self.trust.with_beat(data)
        except StatementError as error:
            if error.reason not in {Reason.UNKNOWN_KEY, Reason.THRESHOLD_NOT_MET}:
                raise
            await self._another_root(error)
            self.trust, beat = self.trust.with_beat(data)
        self._clock.heard(beat.time)
        if beat.time >= self._kept_beat + KEEP_BEAT_S:
            await self._journal.do(Ledger.keep_beat, beat.time, data)
            self._kept_beat = beat.time
        while self.trust.root.version < beat.root_version:
            await self._follow_root()
        if self._lacks_grants(beat.grants_version):
            grants = await self._fetch(f"grants/{beat.grants_version}")
            self.trust = self.trust.with_grants(grants, self._clock.now())
            await self._journal.do(Ledger.keep_document, "grants", beat.grants_version, grants)
            log.info("grants %d are in force", beat.grants_version)

    def _lacks_grants(self, version: int) -> bool:
        """Say whether a beat names other grants than those in force: versions begin anew under a new root."""
        grants = self.trust.grants
        if grants is None or grants.root_version < self.trust.root.version:
            return grants is None or grants.version != version
        return grants.version < version

    async def _another_root(self, refusal: StatementError) -> None:
        """Follow to the root whose keys signed the beat, if there is one; else the beat stays refused."""
        try:
            await self._follow_root()
        except NotFound:
            raise refusal from None

    async def _follow_root(self) -> None:
        version = self.trust.root.version + 1
        data = await self._fetch(f"root/{version}")
        self.trust = self.trust.with_root(data)
        await self._journal.do(Ledger.keep_document, "root", version, data)
        log.info("root %d is in force", version)

    async def _fill(self, group: asyncio.TaskGroup) -> None:
        """Begin to fetch what is missing and due, after each beat and each fetch; an issuer's newest never queues."""
        while True:
            await self._look.wait()
            self._look.clear()
            heads: Mapping[str, int] = self.trust.beat.heads if self.trust.beat else {}
            for place in await self._journal.do(Ledger.missing, heads):
                newest = place[1] == heads[place[0]]
                if (newest or len(self._on_the_way) < AT_ONCE) and self._is_due(place):
                    self._on_the_way.add(place)
                    group.create_task(self._bring(*place))

    def _is_due(self, place: tuple[str, int]) -> bool:
        retry = self._retries.get(place)
        due = retry is None or retry.at <= asyncio.get_running_loop().time()
        return due and place not in self._on_the_way

    async def _bring(self, issuer: str, sequence: int) -> None:
        try:
            await self._take(issuer, sequence)
        except Exception:
            self._later(issuer, sequence)  # what is wrong with one place must not keep the others waiting
            raise
        finally:
            self._on_the_way.discard((issuer, sequence))
            self._look.set()

    async def _take(self, issuer: str, sequence: int) -> None:
        place = Place("feed", issuer, sequence)
        try:
            data = await self._fetch(f"feed/{issuer}/{sequence}")
        except TooLarge as error:
            await self._intake.refuse_unread(place, Reason.TOO_LARGE, str(error))
            self._later(issuer, sequence)
            return
        except SourceError as error:
            log.info("source: feed/%s/%d: %s", issuer, sequence, error)
            self._later(issuer, sequence)
            return
        accepted = (await self._intake.take(data, place)).accepted
        if accepted is not None:
            await self._on_accepted(accepted)
        if await self._journal.do(Ledger.settled, issuer, sequence):
            self._retries.pop((issuer, sequence), None)
        else:
            self._later(issuer, sequence)

    def _later(self, issuer: str, sequence: int) -> None:
        known = self._retries.get((issuer, sequence))
        pause = FIRST_RETRY_S if known is None else min(known.pause * 2, LONGEST_RETRY_S)
        self._retries[issuer, sequence] = Retry(asyncio.get_running_loop().time() + pause, pause)

    async def _fetch(self, path: str) -> bytes:
        return await self._link.fetch(path, deadline=FETCH_S, max_size=MAX_SIZE)
