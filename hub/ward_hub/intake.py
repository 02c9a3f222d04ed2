"""From bytes to a decision: the same for every way in, and from the bytes alone.

Order: frame, signatures, form, issuer, replay, grant, audience, time, content. Nothing is decoded that no known key has
signed. Only what its issuer really signed settles a sequence; anything else is refused without touching the place that
the true statement may still take.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from ward_hub.clock import Clock
from ward_hub.correction import unsays
from ward_hub.journal import Bounds, Journal, Ledger, State, Withdrawal
from ward_hub.keeper import Keeper
from ward_hub.overtaken import overtaken
from ward_hub.rules import need_grant, need_this_hub, need_time_and_content
from ward_hub.tally import Tally
from ward_hub.trust import Trust, Warrant, keyring
from ward_protocol.envelope import Envelope, Sealed
from ward_protocol.errors import StatementError
from ward_protocol.keys import PublicKey
from ward_protocol.reasons import Reason
from ward_protocol.statements import CLASSES, Authority, Bulletin, Cancel, Issued, Order, Priority, Statement

log = logging.getLogger(__name__)
UNKNOWN_DIGEST = bytes(32)
# How far a sequence may lie ahead of all that were decided: more than an office ever issues, and so few that who has
# one of its keys for a while cannot use up the numbers of what takes more keys than that, emergencies among them.
FURTHEST_AHEAD = 2**20
BEAT = "beat"


@dataclass(frozen=True, slots=True)
class Place:
    """Where bytes came from: the way in, and the feed's issuer and sequence where the way in claims one."""

    way: str
    issuer: str | None = None
    sequence: int | None = None

    def __str__(self) -> str:
        return f"{self.way}/{self.issuer}/{self.sequence}" if self.issuer else self.way

    @property
    def family(self) -> str:
        """The way without what a sender chooses in it: `grants` of `grants/7`; there are few of them."""
        return self.way.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A statement that may act."""

    digest: bytes
    statement: Issued


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of bytes: the statement's id, and `accepted`, or the `reason` and `detail` of the refusal.

    A document of trust that was taken has neither. Bytes that no known key signed have no id but their SHA-256.
    """

    digest: bytes
    accepted: Accepted | None = None
    reason: Reason | None = None
    detail: str = ""

    @property
    def good(self) -> bool:
        """Whether it was accepted, or taken as a document of trust."""
        return self.reason is None


Deliver = Callable[[bytes, Place], Awaitable[Verdict]]
"""What every way in gives its bytes to; the decision is in the journal when it returns."""


class Intake:
    """Decides about statements for the hub `hub` in `area`; `cut_off` says whether no source can be heard.

    What nobody who is known here signed, or a source serves in other places than its own, is written to the journal as
    far as `tally` lets it, and counted beyond that.
    """

    def __init__(
        self,
        hub: str,
        area: str,
        *,
        journal: Journal,
        clock: Clock,
        keeper: Keeper,
        tally: Tally,
        cut_off: Callable[[], bool],
    ) -> None:
        self._hub = hub
        self._area = area
        self._journal = journal
        self._clock = clock
        self._keeper = keeper
        self._tally = tally
        self._cut_off = cut_off
        self._ring: tuple[Trust, Mapping[bytes, PublicKey]] | None = None

    async def take(self, data: bytes, place: Place) -> Verdict:
        """Decide about `data`; the decision is in the journal when this returns."""
        try:
            sealed = Sealed.read(data)
            if self._keeper.knows(sealed.type):
                await self._keeper.take(sealed)
                return Verdict(sealed.digest)
            if CLASSES[sealed.type] not in (Bulletin, Cancel, Order):
                raise StatementError(Reason.UNKNOWN_TYPE, f"a {sealed.type.name.lower()} does not come this way")
            signed_by = sealed.verified_by(self._keys())
            if not signed_by:
                raise StatementError(Reason.UNKNOWN_KEY, "no key that is granted anything signed it")
        except StatementError as error:
            digest = hashlib.sha256(data).digest()
            if not self._tally.alone(place.family, error.reason.word, _seconds()):
                return Verdict(digest, None, error.reason, error.detail)
            return await self._refuse(digest, place, error, None)
        return await self._judge(sealed, signed_by, place)

    async def refuse_unread(self, place: Place, reason: Reason, detail: str) -> None:
        """Refuse what is not even fetched; its receipt names no digest, as nobody knows it."""
        if not self._tally.alone(place.family, reason.word, _seconds()):
            return
        if await self._journal.do(Ledger.refuse, UNKNOWN_DIGEST, str(place), reason, detail, None):
            log.warning("refused what is at %s: %s: %s", place, reason.word, detail)

    async def _judge(self, sealed: Sealed, signed_by: frozenset[bytes], place: Place) -> Verdict:
        """Decide about what some known key has signed."""
        slot: tuple[str, int] | None = None
        statement: Statement | None = None
        try:
            statement = sealed.decode().statement
            assert isinstance(statement, (Bulletin, Cancel, Order))  # noqa: S101 - its type was looked at
            authority, unsaid = self._authority(statement.issuer), await self._unsays(statement)
            warrant = self._keeper.trust.warrant(statement, signed_by, authority, self._area, unsays=unsaid)
            if await self._journal.do(Ledger.settled, statement.issuer, statement.sequence):
                raise _replayed(statement)
            _need_near(statement, await self._journal.do(Ledger.newest, statement.issuer))
            _need_own_place(statement, place)
            slot = (statement.issuer, statement.sequence)
            need_grant(statement, warrant.authority, self._clock.now())
            need_this_hub(statement, warrant, hub=self._hub, area=self._area, cut_off=self._cut_off)
            need_time_and_content(statement, warrant.authority, self._clock.now(), self._clock.trust)
        except StatementError as error:
            if _is_elsewhere(statement, place) and not self._tally.alone(place.family, error.reason.word, _seconds()):
                return Verdict(sealed.digest, None, error.reason, error.detail)
            return await self._refuse(sealed.digest, place, error, slot)
        silent = isinstance(statement, Cancel) and not statement.announce
        state = State.NOTED if silent else State.ACCEPTED
        bounds, taken_back = _bounds(statement, warrant), withdrawals(statement)
        refusal = await self._journal.do(
            Ledger.accept,
            *slot,
            sealed.digest,
            sealed.data,
            state,
            bulletin=_airs(statement),
            bounds=bounds,
            withdraws=taken_back,
            overtaken=partial(overtaken, sealed.digest, statement),
        )
        if refusal is not None:
            # Of a sequence that another way in was faster with, nothing more is to be settled.
            again = refusal.reason is Reason.REPLAYED
            return await self._refuse(sealed.digest, place, refusal, None if again else slot)
        kind = sealed.type.name.lower()
        log.info("accepted %s from %s: %s %s", sealed.digest.hex()[:16], place, kind, _title(statement))
        return Verdict(sealed.digest, Accepted(sealed.digest, statement))

    async def _refuse(
        self, digest: bytes, place: Place, error: StatementError, slot: tuple[str, int] | None
    ) -> Verdict:
        if await self._journal.do(Ledger.refuse, digest, str(place), error.reason, error.detail, slot):
            log.warning("refused %s from %s: %s", digest.hex()[:16], place, error)
        elif place.issuer is None:  # in a feed it is this hub that asks again
            self._tally.count(place.family, error.reason.word, _seconds())
        return Verdict(digest, None, error.reason, error.detail)

    def _keys(self) -> Mapping[bytes, PublicKey]:
        """Return the keys of the documents in force, gathered once for each of them."""
        trust = self._keeper.trust
        if self._ring is None or self._ring[0].root is not trust.root or self._ring[0].grants is not trust.grants:
            self._ring = trust, keyring(trust.root, trust.grants)
        return self._ring[1]

    async def _unsays(self, statement: Issued) -> Priority:
        """Return the priority of what a statement unsays aloud and this hub holds; the lowest where that is nothing."""
        if not isinstance(statement, Cancel) or not statement.announce:
            return Priority.NORMAL
        entry = await self._journal.do(Ledger.entry, statement.target)
        target = None if entry is None else Envelope.open(entry.data).statement
        return unsays(target, statement) if isinstance(target, Bulletin) else Priority.NORMAL

    def _authority(self, issuer: str) -> Authority:
        grants = self._keeper.trust.grants
        if grants is not None and grants.expires <= self._clock.now():
            raise StatementError(Reason.AUTHORITY_EXPIRED, f"grants {grants.version} have ended")
        authority = grants.authority(issuer) if grants is not None else None
        if authority is None:
            raise StatementError(Reason.UNKNOWN_AUTHORITY, f"{issuer} is granted nothing here")
        return authority


def _seconds() -> float:
    return asyncio.get_running_loop().time()


def withdrawals(statement: Issued) -> tuple[Withdrawal, ...]:
    """Return what an accepted statement takes back; it holds for statements of the same issuer only."""
    match statement:
        case Cancel():
            return (Withdrawal(statement.target, State.CANCELLED, Reason.CANCELLED, statement.why),)
        case Bulletin():
            why = "a later bulletin replaces it"
            return tuple(Withdrawal(one, State.NOT_AIRED, Reason.SUPERSEDED, why) for one in statement.supersedes)
        case Order():
            return ()


def _bounds(statement: Issued, warrant: Warrant) -> Bounds:
    """Return what the journal counts of a statement, and how far it may."""
    quota = warrant.authority.quota
    airs = _airs(statement)
    emergency = airs and not isinstance(statement, Cancel) and statement.priority is Priority.EMERGENCY
    sealed = warrant.authority.break_glass if warrant.break_glass else None
    return Bounds(
        bulletins=quota.bulletins if airs else 0,
        emergencies=quota.emergencies if emergency else 0,
        emergency=emergency,
        break_glass=warrant.break_glass,
        uses=sealed.uses if sealed and airs else 0,
    )


def _airs(statement: Issued) -> bool:
    """Say whether it puts something on air, of which an issuer may have a quota."""
    return isinstance(statement, Bulletin) or (isinstance(statement, Order) and statement.stream is not None)


def _is_elsewhere(statement: Statement | None, place: Place) -> bool:
    """Say whether it lies in another place of a feed than its own: a source may make up any number of those."""
    own = (statement.issuer, statement.sequence) if isinstance(statement, (Bulletin, Cancel, Order)) else None
    return place.issuer is not None and (place.issuer, place.sequence) != own


def _need_own_place(statement: Issued, place: Place) -> None:
    if _is_elsewhere(statement, place):
        raise StatementError(Reason.WRONG_FEED, f"sequence {statement.sequence} of {statement.issuer} was found there")


def _need_near(statement: Issued, newest: int) -> None:
    ahead = statement.sequence - newest
    if ahead > FURTHEST_AHEAD:
        raise StatementError(
            Reason.SEQUENCE_TOO_FAR, f"{statement.issuer} was at {newest} here, this is {ahead} further"
        )


def _replayed(statement: Issued) -> StatementError:
    return StatementError(Reason.REPLAYED, f"sequence {statement.sequence} of {statement.issuer} was decided")


def _title(statement: Issued) -> str:
    if isinstance(statement, Cancel):
        return f"of {statement.target.hex()[:16]}"
    return statement.label if isinstance(statement, Bulletin) else statement.title
