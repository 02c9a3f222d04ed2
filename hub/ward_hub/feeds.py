"""Follows the source: takes each beat, then newer trust documents, then every statement that the beat shows missing.

What the journal has not settled is fetched, the newest of an issuer first, so that an alert never waits behind a
backlog. A place that holds nothing acceptable is asked again later and later: the true statement may still come.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from ward_hub.clock import LONGEST_TRIP_S
from ward_hub.intake import BEAT, Deliver, Place
from ward_hub.journal import Journal, Ledger
from ward_hub.keeper import Keeper
from ward_hub.links import NotFound, SourceError, SourceLink, TooLarge
from ward_protocol.envelope import MAX_SIZE, Sealed
from ward_protocol.errors import StatementError
from ward_protocol.reasons import Reason
from ward_protocol.statements import Role

log = logging.getLogger(__name__)
FETCH_S = 20.0
AT_ONCE = 4
FIRST_RETRY_S = 2.0
LONGEST_RETRY_S = 60.0
RefuseUnread = Callable[[Place, Reason, str], Awaitable[None]]


@dataclass(slots=True)
class Retry:
    """When a place may be asked again, in loop time, and the pause that led there."""

    at: float
    pause: float


class Feeds:
    """Brings what the source publishes to `deliver`, and asks for what the beat in the keeper's trust names.

    `meet` is waited for before each beat is delivered.
    """

    def __init__(
        self,
        *,
        link: SourceLink,
        meet: Callable[[], Awaitable[None]],
        deliver: Deliver,
        refuse_unread: RefuseUnread,
        journal: Journal,
        keeper: Keeper,
    ) -> None:
        self._link = link
        self._meet = meet
        self._deliver = deliver
        self._refuse_unread = refuse_unread
        self._journal = journal
        self._keeper = keeper
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
                except SourceError as error:
                    log.info("source: %s", error)
                self._look.set()

    async def _take_beat(self, data: bytes) -> None:
        if self._is_by_another_key(data):
            with contextlib.suppress(NotFound):  # there is no other root: the beat is refused as it stands
                await self._follow_root()
        await self._meet()
        if not self._was_overtaken(data):
            await self._deliver(data, Place(BEAT))
        beat = self._keeper.trust.beat  # not always this one: the answer to a nonce may have overtaken it
        if beat is None:
            return
        while self._keeper.trust.root.version < beat.root_version:
            if not await self._follow_root():
                return
        if self._lacks_grants(beat.grants_version):
            await self._bring_document(f"grants/{beat.grants_version}")

    def _lacks_grants(self, version: int) -> bool:
        """Say whether a beat names other grants than those in force: versions begin anew under a new root."""
        trust = self._keeper.trust
        if trust.grants is None or trust.grants.root_version < trust.root.version:
            return trust.grants is None or trust.grants.version != version
        return trust.grants.version < version

    def _is_by_another_key(self, data: bytes) -> bool:
        """Say whether a beat names a signer that the root in force does not know: the next root may."""
        try:
            signers = {one.kid for one in Sealed.read(data).signatures}
        except StatementError:
            return False
        return not signers & set(self._keeper.trust.root.roles[Role.BEAT].kids)

    def _was_overtaken(self, data: bytes) -> bool:
        """Say whether the source's answer to a nonce is a little newer than a beat that it sent before: no attempt."""
        trust = self._keeper.trust
        try:
            beat = trust.signed_beat(data)
        except StatementError:
            return False
        return trust.beat is not None and 0 < trust.beat.time - beat.time <= LONGEST_TRIP_S

    async def _follow_root(self) -> bool:
        return await self._bring_document(f"root/{self._keeper.trust.root.version + 1}")

    async def _bring_document(self, path: str) -> bool:
        return (await self._deliver(await self._fetch(path), Place(path))).good

    async def _fill(self, group: asyncio.TaskGroup) -> None:
        """Begin to fetch what is missing and due, after each beat and each fetch; an issuer's newest never queues."""
        while True:
            await self._look.wait()
            self._look.clear()
            trust = self._keeper.trust
            # Without any grants nothing could be judged, only refused.
            heads: Mapping[str, int] = trust.beat.heads if trust.beat and trust.grants else {}
            missing = await self._journal.do(Ledger.missing, heads)
            # Of places that a beat named and none names any more nothing is kept: a source may make up any number.
            self._retries = {one: self._retries[one] for one in missing if one in self._retries}
            for place in missing:
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
            await self._refuse_unread(place, Reason.TOO_LARGE, str(error))
            self._later(issuer, sequence)
            return
        except SourceError as error:
            log.info("source: feed/%s/%d: %s", issuer, sequence, error)
            self._later(issuer, sequence)
            return
        await self._deliver(data, place)
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
