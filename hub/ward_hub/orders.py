"""Carries out what authorities order: stop, silence, blank, resume, purge, streams, decisions, settings, clearing.

An order was judged like a bulletin of its priority before it comes here. What it reaches is decided by
`ward_hub.holds.within_reach`. Each ends with a receipt that says what was done, or why nothing could be; an order that
starts a stream ends as its airing does.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ward_hub.alarm_words import Code, detail
from ward_hub.alarms import Alarms
from ward_hub.errors import ConfigError
from ward_hub.holds import Hold, What, order_name, within_reach
from ward_hub.journal import Journal, Ledger, State
from ward_hub.keeper import Keeper
from ward_hub.overtaken import lies_within
from ward_hub.playout.director import Director
from ward_hub.programme import Candidate
from ward_hub.settings import Settings
from ward_hub.streams import Ordered, announced
from ward_protocol.errors import StatementError
from ward_protocol.reasons import Reason
from ward_protocol.statements import Action, Order, Priority, Verdict

log = logging.getLogger(__name__)
LOST_COUNT = "cut short by the agent's end, which forgets how far it was heard"


@dataclass(frozen=True, slots=True)
class Given:
    """An order with its id and the level at which its issuer stands."""

    digest: bytes
    order: Order
    level: int

    def reaches(self, one: Candidate, its: int | None) -> bool:
        """Say whether it reaches a bulletin whose issuer stands at `its`, and names it, where it names any."""
        named = not self.order.targets or one.digest in self.order.targets
        reached = named and within_reach(self.order.priority, self.level, one.bulletin, its)
        return reached and not self.is_before(one.bulletin.issuer, one.bulletin.sequence)

    def is_before(self, issuer: str, sequence: int) -> bool:
        """Say whether its own issuer issued that after it: where the newest came first, it is not meant."""
        return issuer == self.order.issuer and sequence > self.order.sequence

    @property
    def by(self) -> str:
        """Who gave it, for receipts."""
        return order_name(self.order.issuer, self.order.sequence)


class Orders:
    """One method for each action; what an order does is done, and in the journal, when `carry_out` returns.

    `unlocked` gives the stream of an order with its key, or raises StatementError; `air` takes what is to air, and
    `language` is the hub's.
    """

    def __init__(
        self,
        *,
        director: Director,
        journal: Journal,
        keeper: Keeper,
        settings: Settings,
        alarms: Alarms,
        air: Callable[[Candidate], Awaitable[None]],
        unlocked: Callable[[bytes, Order], Ordered],
        language: str,
    ) -> None:
        self._director = director
        self._journal = journal
        self._keeper = keeper
        self._settings = settings
        self._alarms = alarms
        self._air = air
        self._unlocked = unlocked
        self._language = language
        self._acts: dict[Action, Callable[[Given], Awaitable[str]]] = {
            Action.STOP: self._stop,
            Action.SILENCE: self._silence,
            Action.BLANK: self._blank,
            Action.RESUME: self._resume,
            Action.PURGE: self._purge,
            Action.STREAM_STOP: self._stop_streams,
            Action.DECISION: self._decide,
            Action.CONFIGURATION: self._configure,
            Action.CLEAR: self._clear,
        }

    async def restore(self) -> None:
        """Take up the silences and blanks that stand, after a restart; later those that could not be written stay."""
        self._director.hold_back(await self._holds())

    async def carry_out(self, digest: bytes, order: Order, *, attempts: int = 0) -> None:
        """Do what an accepted order says and write how it ended; done twice, after a power cut, it is as done once.

        A stream airs, and ends with its airing. One of `attempts` that an earlier run of the agent began does not go
        on: how far it was heard is forgotten, and nothing may be heard twice.
        """
        if attempts:
            await self._journal.do(Ledger.end, digest, State.PARTLY, Reason.INTERRUPTED, LOST_COUNT)
            return
        try:
            level = self._keeper.level_of(order.issuer)
            if level is None:
                raise StatementError(Reason.UNKNOWN_AUTHORITY, f"{order.issuer} is granted nothing any more")
            if order.action is Action.STREAM_START:
                await self._air(self._stream(digest, order))
                return
            taken = await self._journal.do(Ledger.withdrawal, digest, order.issuer)
            if taken is not None and taken.reason is Reason.SUPERSEDED:
                raise StatementError(taken.reason, taken.detail)
            did = await self._acts[order.action](Given(digest, order, level))
        except StatementError as error:
            log.warning("order %s (%s) was not carried out: %s", digest.hex()[:16], order.title, error)
            await self._journal.do(Ledger.end, digest, State.REFUSED, error.reason, error.detail)
            return
        log.warning("order %s of %s: %s: %s", digest.hex()[:16], order.issuer, order.title, did)
        await self._journal.do(Ledger.end, digest, State.CARRIED_OUT, None, did)

    def _stream(self, digest: bytes, order: Order) -> Candidate:
        return Candidate(digest, announced(order, self._language), stream=self._unlocked(digest, order))

    async def _stop(self, given: Given) -> str:
        on_air = self._director.on_air
        stopped = [one for one in (on_air,) if one is not None and self._is_reached(given, one)]
        for one in stopped:
            await self._director.drop(one.digest, State.PARTLY, Reason.STOPPED, f"stopped by {given.by}")
        return _ids("stopped", stopped)

    async def _stop_streams(self, given: Given) -> str:
        stopped = [one for one in self._director.queue if one.stream and self._is_reached(given, one)]
        stopped = [one for one in stopped if lies_within(one.bulletin.audience, given.order.audience)]
        for one in stopped:
            await self._drop(one, Reason.STOPPED, f"stopped by {given.by}")
        return _ids("stopped", stopped)

    async def _purge(self, given: Given) -> str:
        purged = [one for one in self._director.queue if self._is_reached(given, one)]
        for one in purged:
            await self._drop(one, Reason.PURGED, f"purged by {given.by}")
        return _ids("purged", purged)

    async def _drop(self, one: Candidate, reason: Reason, detail: str) -> None:
        state = State.PARTLY if one.attempts or one is self._director.on_air else State.NOT_AIRED
        await self._director.drop(one.digest, state, reason, detail)

    async def _silence(self, given: Given) -> str:
        return await self._hold(given, What.SILENCE, given.order.audience.zones)

    async def _blank(self, given: Given) -> str:
        return await self._hold(given, What.BLANK, given.order.audience.boards)

    async def _hold(self, given: Given, what: What, outlets: tuple[str, ...]) -> str:
        order = given.order
        # Outputs close first: should the journal fail, it is written when the order is taken up again.
        hold = Hold(
            given.digest,
            what,
            given.level,
            order.priority,
            outlets,
            until=order.until,
            issuer=order.issuer,
            sequence=order.sequence,
            since=order.issued,
        )
        others = [one for one in await self._holds() if one.digest != hold.digest]
        self._director.hold_back([*others, hold])
        await self._journal.do(Ledger.hold, hold)
        until = f" until {order.until}" if order.until else ""
        return f"{what.value}: {', '.join(outlets) or 'all'}{until}"

    async def _holds(self) -> list[Hold]:
        """Return what orders let stand, with what the journal could not take yet."""
        kept = await self._journal.do(Ledger.holds)
        written = {one.digest for one in kept}
        return [*kept, *(one for one in self._director.standing if not one.here and one.digest not in written)]

    async def _resume(self, given: Given) -> str:
        holds = await self._holds()
        reached = [one for one in holds if given.level <= one.level and given.order.priority >= one.priority]
        ended = [one for one in reached if not given.is_before(one.issuer, one.sequence)]
        await self._journal.do(Ledger.release, ended)
        self._director.hold_back(one for one in holds if one not in ended)
        here = [f"{one.what.value} {', '.join(one.outlets) or 'all'}" for one in self._director.standing if one.here]
        stays = f"; what was held at the hub stays so: {'; '.join(here)}" if here else ""
        return f"resumed: {len(ended)} of {len(holds)}{stays}"

    async def _decide(self, given: Given) -> str:
        chosen = [one for one in self._director.queue if one.digest in given.order.targets]
        if not chosen:
            raise StatementError(Reason.TARGET_UNKNOWN, "none of the bulletins that it names waits here")
        declines = given.order.verdict is Verdict.DECLINE
        for one in chosen:
            if one.bulletin.priority > (Priority.NORMAL if declines else Priority.PRIORITY):
                raise StatementError(
                    Reason.DECISION_NOT_ALLOWED,
                    f"{one.digest.hex()[:16]}: whether a {one.bulletin.priority.name.lower()} bulletin airs"
                    " is not the ward's to decide",
                )
        if declines:
            for one in chosen:
                await self._drop(one, Reason.DECLINED, f"declined by {given.by}")
            return _ids("declined", chosen)
        for one in reversed(chosen):
            self._director.put_first(one.digest, await self._journal.do(Ledger.put_first, one.digest))
        return _ids("first", chosen)

    async def _configure(self, given: Given) -> str:
        assert given.order.settings is not None  # noqa: S101 - an order without them is malformed
        try:
            await self._settings.take(given.digest, given.order.settings)
        except ConfigError as error:
            raise StatementError(Reason.SETTING_NOT_ALLOWED, str(error)) from error
        order, settings = given.order, [f"{name} = {value}" for name, value in given.order.settings.items()]
        self._alarms.changed(detail(Code.SET_BY_ORDER, order=order.sequence, issuer=order.issuer, settings=settings))
        return f"set: {', '.join(settings)}"

    async def _clear(self, given: Given) -> str:
        for issuer in await self._journal.do(Ledger.uncleared_issuers):
            level = self._keeper.level_of(issuer)
            if level is not None and given.level >= level:
                raise StatementError(
                    Reason.DECISION_NOT_ALLOWED, f"the sealed keys of {issuer} are cleared by who stands above it"
                )
        return f"cleared: {await self._journal.do(Ledger.clear_break_glass)} uses of sealed keys"

    def _is_reached(self, given: Given, one: Candidate) -> bool:
        return given.reaches(one, self._keeper.level_of(one.bulletin.issuer))


def _ids(what: str, found: list[Candidate]) -> str:
    return f"{what}: " + (", ".join(one.digest.hex()[:16] for one in found) or "nothing")
