"""Whom this hub trusts: the root, the grants under it, and the newest beat; each checked before it is taken.

Ref: the shape is The Update Framework's (root N + 1 signed by the thresholds of N and N + 1, no rollback).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from ward_protocol.envelope import Envelope
from ward_protocol.errors import StatementError
from ward_protocol.keys import PublicKey, public_key
from ward_protocol.reasons import Reason
from ward_protocol.statements import Authority, Beat, Bulletin, Grants, Priority, Role, Root, Statement

S = TypeVar("S", bound=Statement)


def public_keys(raw: Mapping[bytes, bytes]) -> dict[bytes, PublicKey]:
    """Return the keys of a document by the id they really have; a key listed under another id is refused."""
    keys = {kid: public_key(data) for kid, data in raw.items()}
    if any(kid != key.kid for kid, key in keys.items()):
        raise StatementError(Reason.MALFORMED_STATEMENT, "a key is listed under an id that is not its thumbprint")
    return keys


@dataclass(frozen=True, slots=True)
class Trust:
    """The documents in force. Immutable: a new document gives a new Trust or an error, never half of one."""

    root: Root
    grants: Grants | None = None
    beat: Beat | None = None

    @classmethod
    def from_first_root(cls, data: bytes) -> Trust:
        """Begin from the root file that the hub was given by hand: it must be signed by its own threshold."""
        envelope, root = _open(data, Root)
        _need(envelope, root, Role.ROOT)
        return cls(root)

    def with_root(self, data: bytes) -> Trust:
        """Take the next root: exactly one version up, signed by the thresholds of the old and of the new."""
        envelope, root = _open(data, Root)
        if root.version != self.root.version + 1:
            raise StatementError(Reason.WRONG_VERSION, f"root {root.version} after {self.root.version}")
        _need(envelope, self.root, Role.ROOT)
        _need(envelope, root, Role.ROOT)
        return replace(self, root=root)

    def with_grants(self, data: bytes, now: float) -> Trust:
        """Take newer grants, signed by the grant role of the root in force, which must not have ended.

        Versions count under one root. So whoever stole a grant key cannot outlast it by a version that nobody can
        exceed (The Update Framework calls that a fast-forward attack); grants of an earlier root are refused anyway.
        """
        envelope, grants = _open(data, Grants)
        _need(envelope, self.root, Role.GRANT)
        if self.root.expires <= now:
            raise StatementError(Reason.EXPIRED, f"root {self.root.version} expired: the next root must come first")
        if grants.root_version != self.root.version:
            raise StatementError(Reason.WRONG_VERSION, f"grants are for root {grants.root_version}")
        if self.grants is not None and _order(grants) <= _order(self.grants):
            raise StatementError(Reason.VERSION_ROLLBACK, f"grants {grants.version} after {self.grants.version}")
        if grants.expires <= now:
            raise StatementError(Reason.EXPIRED, f"grants {grants.version} expired")
        return replace(self, grants=grants)

    def with_beat(self, data: bytes) -> tuple[Trust, Beat]:
        """Take a beat, signed by the beat role, that is not older than the newest; return it as well."""
        envelope, beat = _open(data, Beat)
        _need(envelope, self.root, Role.BEAT)
        if self.beat is not None and beat.time < self.beat.time:
            raise StatementError(Reason.TIME_WENT_BACK, f"beat of {beat.time} after one of {self.beat.time}")
        return replace(self, beat=beat), beat

    def check_signatures(self, envelope: Envelope, authority: Authority) -> None:
        """Raise StatementError unless enough keys of `authority` signed, and of the quorum where it is an emergency."""
        good = envelope.verified_by(public_keys(authority.keys))
        if not good:
            raise StatementError(Reason.UNKNOWN_KEY, f"no key of {authority.id} signed it")
        if len(good) < authority.threshold:
            raise StatementError(
                Reason.THRESHOLD_NOT_MET, f"{len(good)} of {authority.threshold} keys of {authority.id}"
            )
        statement = envelope.statement
        if isinstance(statement, Bulletin) and statement.priority is Priority.EMERGENCY:
            self._check_quorum(envelope)

    def _check_quorum(self, envelope: Envelope) -> None:
        wanted = self.root.roles.get(Role.QUORUM)
        if wanted is None:
            return
        keys = public_keys(self.root.keys)
        good = envelope.verified_by({kid: keys[kid] for kid in wanted.kids})
        if len(good) < wanted.threshold:
            raise StatementError(
                Reason.THRESHOLD_NOT_MET, f"{len(good)} of {wanted.threshold} keys of the quorum signed"
            )


def _order(grants: Grants) -> tuple[int, int]:
    return grants.root_version, grants.version


def _open(data: bytes, kind: type[S]) -> tuple[Envelope, S]:
    envelope = Envelope.open(data)
    if not isinstance(envelope.statement, kind):
        raise StatementError(
            Reason.UNKNOWN_TYPE, f"a {kind.__name__.lower()} is needed, not a {envelope.type.name.lower()}"
        )
    return envelope, envelope.statement


def _need(envelope: Envelope, root: Root, role: Role) -> None:
    keys = public_keys(root.keys)
    wanted = root.roles[role]
    good = envelope.verified_by({kid: keys[kid] for kid in wanted.kids})
    if not good:
        raise StatementError(Reason.UNKNOWN_KEY, f"no key of the role {role.name.lower()} signed it")
    if len(good) < wanted.threshold:
        raise StatementError(
            Reason.THRESHOLD_NOT_MET,
            f"{len(good)} of {wanted.threshold} keys of the role {role.name.lower()} signed",
        )
