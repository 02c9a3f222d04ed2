"""From bytes to a decision: the same for every way in, and from the bytes alone.

Order: form, issuer, signatures, replay, grant, audience, time, content. Only what its issuer really signed settles a
sequence; anything else is refused without touching the place that the true statement may still take.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ward_hub.clock import Clock
from ward_hub.journal import Journal, Ledger, State, Withdrawal
from ward_hub.render import check_text
from ward_hub.tally import Tally
from ward_hub.trust import Trust
from ward_protocol.envelope import Envelope
from ward_protocol.errors import StatementError
from ward_protocol.reasons import Reason
from ward_protocol.statements import Authority, Bulletin, Cancel, Kind

log = logging.getLogger(__name__)
FUTURE_S = 600
UNKNOWN_DIGEST = bytes(32)
NO_CHARACTERS = "the font has no glyph for "


@dataclass(frozen=True, slots=True)
class Place:
    """Where bytes came from: the way in, and the feed's issuer and sequence where the way in claims one."""

    way: str
    issuer: str | None = None
    sequence: int | None = None

    def __str__(self) -> str:
        return f"{self.way}/{self.issuer}/{self.sequence}" if self.issuer else self.way


@dataclass(frozen=True, slots=True)
class Accepted:
    """A statement that may act."""

    digest: bytes
    statement: Bulletin | Cancel


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of bytes: the statement's id, and `accepted`, or the `reason` and `detail` of the refusal."""

    digest: bytes
    accepted: Accepted | None = None
    reason: Reason | None = None
    detail: str = ""


Deliver = Callable[[bytes, Place], Awaitable[Verdict]]
"""What every way in gives its bytes to; the decision is in the journal when it returns."""


def inside(area: str, of: str) -> bool:
    """Say whether `area` is `of` or lies below it."""
    return area == of or area.startswith(of + "/")


class Intake:
    """Decides about statements for the hub `hub` in `area`; `trust` gives the documents in force.

    What nobody who is known here signed is written to the journal as far as `tally` lets it, and counted beyond that.
    """

    def __init__(
        self, hub: str, area: str, journal: Journal, clock: Clock, trust: Callable[[], Trust], *, tally: Tally
    ) -> None:
        self._hub = hub
        self._area = area
        self._journal = journal
        self._clock = clock
        self._trust = trust
        self._tally = tally

    async def take(self, data: bytes, place: Place) -> Verdict:
        """Decide about `data`; the decision is in the journal when this returns."""
        digest = hashlib.sha256(data).digest()
        slot: tuple[str, int] | None = None
        signed = False
        try:
            envelope, statement = self._open(data)
            self._trust().check_signatures(envelope, self._authority(statement.issuer))
            signed = True
            if await self._journal.do(Ledger.settled, statement.issuer, statement.sequence):
                raise _replayed(statement)
            if place.issuer is not None and (place.issuer, place.sequence) != (
                statement.issuer,
                statement.sequence,
            ):
                raise StatementError(
                    Reason.WRONG_FEED, f"sequence {statement.sequence} of {statement.issuer} was found there"
                )
            slot = (statement.issuer, statement.sequence)
            self._admit(statement)
        except StatementError as error:
            word, seconds = error.reason.word, asyncio.get_running_loop().time()
            if not signed and not self._tally.alone(place.way, word, seconds):
                return Verdict(digest, None, error.reason, error.detail)
            return await self._refuse(digest, place, error, slot)
        state = State.ACCEPTED if isinstance(statement, Bulletin) else State.NOTED
        taken_back = withdrawals(statement)
        if not await self._journal.do(Ledger.accept, *slot, digest, data, state, withdraws=taken_back):
            return await self._refuse(digest, place, _replayed(statement), None)  # another way in was faster
        kind, title = envelope.type.name.lower(), _title(statement)
        log.info("accepted %s from %s: %s %s", digest.hex()[:16], place, kind, title)
        return Verdict(digest, Accepted(digest, statement))

    async def _refuse(
        self, digest: bytes, place: Place, error: StatementError, slot: tuple[str, int] | None
    ) -> Verdict:
        if await self._journal.do(Ledger.refuse, digest, str(place), error.reason, error.detail, slot):
            log.warning("refused %s from %s: %s", digest.hex()[:16], place, error)
        return Verdict(digest, None, error.reason, error.detail)

    async def refuse_unread(self, place: Place, reason: Reason, detail: str) -> None:
        """Refuse what is not even fetched; its receipt names no digest, as nobody knows it."""
        if await self._journal.do(Ledger.refuse, UNKNOWN_DIGEST, str(place), reason, detail, None):
            log.warning("refused what is at %s: %s: %s", place, reason.word, detail)

    def _open(self, data: bytes) -> tuple[Envelope, Bulletin | Cancel]:
        envelope = Envelope.open(data)
        if not isinstance(envelope.statement, (Bulletin, Cancel)):
            raise StatementError(Reason.UNKNOWN_TYPE, f"a {envelope.type.name.lower()} does not come this way")
        return envelope, envelope.statement

    def _authority(self, issuer: str) -> Authority:
        grants = self._trust().grants
        if grants is not None and grants.expires <= self._clock.now():
            raise StatementError(Reason.AUTHORITY_EXPIRED, f"grants {grants.version} have ended")
        authority = grants.authority(issuer) if grants is not None else None
        if authority is None:
            raise StatementError(Reason.UNKNOWN_AUTHORITY, f"{issuer} is granted nothing here")
        return authority

    def _admit(self, statement: Bulletin | Cancel) -> None:
        now, authority = self._clock.now(), self._authority(statement.issuer)
        kind = Kind.BULLETIN if isinstance(statement, Bulletin) else Kind.CANCEL
        if authority.not_after <= now:
            raise StatementError(Reason.AUTHORITY_EXPIRED, f"the grant of {authority.id} has ended")
        if kind not in authority.kinds:
            raise StatementError(Reason.KIND_NOT_GRANTED, f"{authority.id} may not issue a {kind.name.lower()}")
        if not all(any(inside(area, of) for of in authority.areas) for area in statement.audience.areas):
            raise StatementError(Reason.AREA_NOT_GRANTED, f"{authority.id} may not issue there")
        if not self._is_meant(statement):
            raise StatementError(Reason.NOT_FOR_THIS_HUB, f"hub {self._hub} in {self._area} is not in its audience")
        if statement.issued > now + FUTURE_S:
            raise StatementError(Reason.ISSUED_IN_THE_FUTURE, f"issued {statement.issued - int(now)} s ahead")
        if statement.expires <= now:
            raise StatementError(Reason.EXPIRED, f"expired {int(now) - statement.expires} s ago")
        if isinstance(statement, Bulletin):
            _admit_bulletin(statement, authority)

    def _is_meant(self, statement: Bulletin | Cancel) -> bool:
        audience = statement.audience
        return any(inside(self._area, area) for area in audience.areas) and self._hub in (audience.hubs or (self._hub,))


def _admit_bulletin(bulletin: Bulletin, authority: Authority) -> None:
    if bulletin.priority > authority.highest_priority:
        raise StatementError(
            Reason.PRIORITY_NOT_GRANTED,
            f"{authority.id} may issue up to {authority.highest_priority.name.lower()}",
        )
    if not bulletin.texts and not bulletin.audio:
        raise StatementError(Reason.NO_CONTENT, "neither text nor audio")
    for text in bulletin.texts:
        bad = check_text(text.title + "\n" + text.body)
        if bad:
            listed = " ".join(f"U+{ord(one):04X}" for one in bad[:8])
            raise StatementError(Reason.CHARACTER_NOT_IN_FONT, NO_CHARACTERS + listed)


def withdrawals(statement: Bulletin | Cancel) -> tuple[Withdrawal, ...]:
    """Return what an accepted statement takes back; it holds for statements of the same issuer only."""
    if isinstance(statement, Cancel):
        return (Withdrawal(statement.target, State.CANCELLED, Reason.CANCELLED, statement.why),)
    why = "a later bulletin replaces it"
    return tuple(Withdrawal(one, State.NOT_AIRED, Reason.SUPERSEDED, why) for one in statement.supersedes)


def _replayed(statement: Bulletin | Cancel) -> StatementError:
    return StatementError(Reason.REPLAYED, f"sequence {statement.sequence} of {statement.issuer} was decided")


def _title(statement: Bulletin | Cancel) -> str:
    return statement.title if isinstance(statement, Bulletin) else f"of {statement.target.hex()[:16]}"
