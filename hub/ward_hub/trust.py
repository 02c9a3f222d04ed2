"""Whom this hub trusts: the root, the grants under it, and the newest beat; each checked before it is taken.

Ref: the shape is The Update Framework's (root N + 1 signed by the thresholds of N and N + 1, no rollback).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import TypeVar

from ward_protocol import cbor
from ward_protocol.envelope import Sealed
from ward_protocol.errors import StatementError
from ward_protocol.keys import PublicKey, public_key
from ward_protocol.reasons import Reason
from ward_protocol.statements import (
    Authority,
    Beat,
    Bulletin,
    Cancel,
    Grants,
    Issued,
    Priority,
    Role,
    Root,
    Statement,
    StatementType,
)
from ward_protocol.statements.documents import inside

S = TypeVar("S", bound=Statement)
log = logging.getLogger(__name__)
TWO_PEOPLE = 2
SEALED_SIGN = "a break-glass key alone signs emergency bulletins and cancels, nothing else"


def public_keys(raw: Mapping[bytes, bytes]) -> dict[bytes, PublicKey]:
    """Return the keys of a document by the id they really have; a key listed under another id is refused."""
    keys = {kid: public_key(data) for kid, data in raw.items()}
    if any(kid != key.kid for kid, key in keys.items()):
        raise StatementError(Reason.MALFORMED_STATEMENT, "a key is listed under an id that is not its thumbprint")
    return keys


def keyring(root: Root, grants: Grants | None) -> dict[bytes, PublicKey]:
    """Return every key whose signature may count on what an authority issues, by its id.

    Raises StatementError where two different keys have one id: which of them signed could not be told.
    """
    listed = [root.keys]
    for one in grants.authorities if grants else ():
        listed.append(one.keys)
        if one.break_glass:
            listed.append(one.break_glass.keys)
    ring: dict[bytes, PublicKey] = {}
    for raw in listed:
        for kid, key in public_keys(raw).items():
            if ring.setdefault(kid, key).raw != key.raw:
                raise StatementError(Reason.MALFORMED_STATEMENT, f"two different keys have the id {kid.hex()}")
    return ring


@dataclass(frozen=True, slots=True)
class Warrant:
    """By what a statement may act: its authority's own signatures, or the sealed key of the id `break_glass` alone."""

    authority: Authority
    break_glass: bytes | None = None


@dataclass(frozen=True, slots=True)
class Trust:
    """The documents in force. Immutable: a new document gives a new Trust or an error, never half of one."""

    root: Root
    grants: Grants | None = None
    beat: Beat | None = None

    @classmethod
    def from_first_root(cls, data: bytes) -> Trust:
        """Begin from the root file that the hub was given by hand: it must be signed by its own threshold."""
        sealed = _read(data, StatementType.ROOT)
        root = _decoded(sealed, Root)
        _need(sealed, root, Role.ROOT)
        return cls(root)

    def with_root(self, data: bytes) -> Trust:
        """Take the next root: exactly one version up, signed by the thresholds of the old and of the new."""
        sealed = _read(data, StatementType.ROOT)
        _need(sealed, self.root, Role.ROOT)
        root = _decoded(sealed, Root)
        if root.version != self.root.version + 1:
            raise StatementError(Reason.WRONG_VERSION, f"root {root.version} after {self.root.version}")
        _need(sealed, root, Role.ROOT)
        keyring(root, self.grants)
        return replace(self, root=root)

    def with_grants(self, data: bytes, now: float) -> Trust:
        """Take newer grants, signed by the grant role of the root in force, which must not have ended.

        Versions count under one root. So whoever stole a grant key cannot outlast it by a version that nobody can
        exceed (The Update Framework calls that a fast-forward attack); grants of an earlier root are refused anyway.
        """
        sealed = _read(data, StatementType.GRANTS)
        _need(sealed, self.root, Role.GRANT)
        grants = _decoded(sealed, Grants)
        if self.root.expires <= now:
            raise StatementError(Reason.EXPIRED, f"root {self.root.version} expired: the next root must come first")
        if grants.root_version != self.root.version:
            raise StatementError(Reason.WRONG_VERSION, f"grants are for root {grants.root_version}")
        if self.grants is not None and _order(grants) <= _order(self.grants):
            raise StatementError(Reason.VERSION_ROLLBACK, f"grants {grants.version} after {self.grants.version}")
        if grants.expires <= now:
            raise StatementError(Reason.EXPIRED, f"grants {grants.version} expired")
        keyring(self.root, grants)
        return replace(self, grants=grants)

    def with_beat(self, data: bytes) -> tuple[Trust, Beat]:
        """Take a beat, signed by the beat role, that is not older than the newest; return it as well."""
        beat = self.signed_beat(data)
        return self.after(beat), beat

    def signed_beat(self, data: bytes) -> Beat:
        """Return a beat that the beat role signed, of whatever time; raises StatementError for all else."""
        sealed = _read(data, StatementType.BEAT)
        _need(sealed, self.root, Role.BEAT)
        return _decoded(sealed, Beat)

    def after(self, beat: Beat) -> Trust:
        """Take a signed beat, unless it is older than the newest."""
        if self.beat is not None and beat.time < self.beat.time:
            raise StatementError(Reason.TIME_WENT_BACK, f"beat of {beat.time} after one of {self.beat.time}")
        return replace(self, beat=beat)

    def level_of(self, issuer: str) -> int | None:
        """Return the level of an authority, 0 the highest; None where it is granted nothing any more."""
        authority = self.grants.authority(issuer) if self.grants else None
        return None if authority is None else authority.level

    def warrant(
        self,
        statement: Issued,
        signed_by: AbstractSet[bytes],
        authority: Authority,
        area: str,
        *,
        unsays: Priority = Priority.NORMAL,
    ) -> Warrant:
        """Return by what a statement of `authority` may act on a hub in `area`; raises StatementError.

        `signed_by` are the ids of keys of the ring whose signatures fit. An emergency takes the quorum beside its
        authority's threshold, and two officers where the authority is one of the ward itself. Where those are not
        together, a sealed key of the authority may stand in; what that allows is judged by the intake. A cancel takes
        what a bulletin of the priority takes that it `unsays` aloud.
        """
        own = signed_by & authority.keys.keys()
        sealed = signed_by & authority.break_glass.keys.keys() if authority.break_glass else frozenset[bytes]()
        if not own and not sealed:
            raise StatementError(Reason.UNKNOWN_KEY, f"no key of {authority.id} signed it")
        try:
            priority = unsays if isinstance(statement, Cancel) else statement.priority
            self._need_enough(priority, signed_by, own, authority, area)
        except StatementError:
            if not sealed:
                raise
            if not is_for_sealed_keys(statement):
                raise StatementError(Reason.THRESHOLD_NOT_MET, SEALED_SIGN) from None
            return Warrant(authority, min(sealed))
        return Warrant(authority)

    def _need_enough(
        self,
        priority: Priority,
        signed_by: AbstractSet[bytes],
        own: AbstractSet[bytes],
        authority: Authority,
        area: str,
    ) -> None:
        wanted = authority.threshold_for(priority)
        if priority is not Priority.EMERGENCY:
            _enough(len(own), wanted, f"keys of {authority.id}")
            return
        quorum = self.root.roles.get(Role.QUORUM)
        of_the_ward = all(inside(one, area) for one in authority.areas)
        if of_the_ward or quorum is None:
            wanted = max(wanted, TWO_PEOPLE)
        _enough(len(own), wanted, f"keys of {authority.id}")
        if quorum is not None:
            of_quorum = signed_by & set(quorum.kids)
            _enough(len(of_quorum), quorum.threshold, "keys of the quorum")
            # Who is of both, as after a root that takes an officer into the quorum, is one person all the same.
            _enough(len(own | of_quorum), wanted + quorum.threshold, f"keys of {authority.id} and the quorum together")


def kept_grants(data: bytes) -> Grants:
    """Return grants that were verified when they were kept.

    Those that this version of the software refuses, as for a key that is none any more, keep their place in the order
    and grant nothing: a hub that did not start could not be given newer ones. Raises StatementError for what never was
    grants.
    """
    sealed = _read(data, StatementType.GRANTS)
    try:
        return _decoded(sealed, Grants)
    except StatementError as error:
        said = cbor.decode(sealed.payload, "grants")
        if not cbor.is_map(said) or not {1, 2, 3, 4} <= said.keys():
            raise
        empty = Grants(version=said[1], issued=said[2], expires=said[3], root_version=said[4], authorities=())
        log.error("grants %d that were in force are refused by now, and nothing is granted: %s", empty.version, error)
        return empty


def kept_beat(data: bytes) -> Beat | None:
    """Return a beat that was verified when it was kept; None, told in the log, where it cannot be read.

    No document is written more often, so a card wears out there first; and the source sends the next in seconds.
    """
    try:
        return _decoded(_read(data, StatementType.BEAT), Beat)
    except StatementError as error:
        log.error("the newest beat that the journal kept cannot be read, see the card; the next one counts: %s", error)
        return None


def is_for_sealed_keys(statement: Issued) -> bool:
    """Say whether a sealed key alone may sign it: an emergency bulletin, or what takes something back."""
    if isinstance(statement, Bulletin):
        return statement.priority is Priority.EMERGENCY
    return isinstance(statement, Cancel)


def drops_a_beat_key(before: Root, after: Root) -> bool:
    """Say whether a next root takes a key of the role beat away: what that key showed of the time is in doubt then."""
    return bool(set(before.roles[Role.BEAT].kids) - set(after.roles[Role.BEAT].kids))


def _enough(have: int, wanted: int, what: str) -> None:
    if have < wanted:
        raise StatementError(Reason.THRESHOLD_NOT_MET, f"{have} of {wanted} {what} signed")


def _order(grants: Grants) -> tuple[int, int]:
    return grants.root_version, grants.version


def _read(data: bytes, kind: StatementType) -> Sealed:
    sealed = Sealed.read(data)
    if sealed.type is not kind:
        raise StatementError(Reason.UNKNOWN_TYPE, f"a {kind.name.lower()} is needed, not a {sealed.type.name.lower()}")
    return sealed


def _decoded(sealed: Sealed, kind: type[S]) -> S:
    statement = sealed.decode().statement
    assert isinstance(statement, kind)  # noqa: S101 - its type was compared
    return statement


def _need(sealed: Sealed, root: Root, role: Role) -> None:
    keys = public_keys(root.keys)
    wanted = root.roles[role]
    good = sealed.verified_by({kid: keys[kid] for kid in wanted.kids})
    if not good:
        raise StatementError(Reason.UNKNOWN_KEY, f"no key of the role {role.name.lower()} signed it")
    _enough(len(good), wanted.threshold, f"keys of the role {role.name.lower()}")
