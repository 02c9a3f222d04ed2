"""How far a document is with its signatures: whose are needed, how many there are, and who could still sign."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ward_hub.publisher.authorities import officers_needed
from ward_hub.publisher.errors import CeremonyError
from ward_hub.trust import is_for_sealed_keys, public_keys
from ward_protocol.envelope import Envelope
from ward_protocol.keys import PublicKey
from ward_protocol.statements import (
    Admission,
    Authority,
    Beat,
    Bulletin,
    Cancel,
    Enrolment,
    Grants,
    Issued,
    Order,
    Priority,
    Role,
    Root,
)


@dataclass(frozen=True, slots=True)
class Standing:
    """One threshold: `who` must sign, the keys that did, and those of the same right that did not."""

    who: str
    threshold: int
    signed: frozenset[bytes]
    others: frozenset[bytes]

    @property
    def met(self) -> bool:
        """Whether enough of them signed."""
        return len(self.signed) >= self.threshold

    def __str__(self) -> str:
        have = f"{self.who}: {len(self.signed)} of {self.threshold}"
        return have if self.met else f"{have}, open: {' '.join(sorted(kid.hex() for kid in self.others))}"


def standings(envelope: Envelope, root: Root | None = None, grants: Grants | None = None) -> tuple[Standing, ...]:
    """Return every threshold that is known with the documents given: for a root, `root` is the one before it.

    Raises StatementError for a signature that does not fit.
    """
    statement = envelope.statement
    match statement:
        case Root():
            before = root if root is not None and root.version == statement.version - 1 else None
            found = [_role(envelope, one, Role.ROOT) for one in (before, statement) if one is not None]
        case Grants():
            found = [_role(envelope, root, Role.GRANT)] if root else []
        case Beat():
            found = [_role(envelope, root, Role.BEAT)] if root else []
        case Bulletin() | Cancel() | Order():
            found = _issue(envelope, statement, root, grants)
        case Admission():
            brought = root_in(statement)
            found = [_role(envelope, brought, Role.GRANT)]
        case Enrolment():
            own = PublicKey(statement.public)
            found = [_standing(envelope, f"hub {statement.hub}", 1, {own.kid: own})]
        case _:
            found = []
    return tuple(found)


def need_use(envelope: Envelope, kids: Iterable[bytes], known: tuple[Standing, ...]) -> None:
    """Raise CeremonyError for a key whose signature would count nowhere; where no threshold is known all may sign."""
    for kid in kids:
        if known and not any(kid in one.signed | one.others for one in known):
            who = " or ".join(one.who for one in known)
            alone = isinstance(envelope.statement, Root) and envelope.statement.version > 1 and len(known) == 1
            hint = "; give --root with the root before it" if alone else ""
            raise CeremonyError(f"key {kid.hex()} would not count: it is none of {who}{hint}")


def root_in(admission: Admission) -> Root:
    """Return the root that an answer brings; raises StatementError, CeremonyError where it is something else."""
    statement = Envelope.open(admission.root).statement
    if not isinstance(statement, Root):
        raise CeremonyError("the answer brings something else in place of a root")
    return statement


def _issue(envelope: Envelope, statement: Issued, root: Root | None, grants: Grants | None) -> list[Standing]:
    authority: Authority | None = grants.authority(statement.issuer) if grants else None
    if authority is None:
        return []
    if authority.break_glass is not None and is_for_sealed_keys(statement):
        sealed = _standing(envelope, f"break-glass of {authority.id}", 1, public_keys(authority.break_glass.keys))
        if sealed.signed:
            return [sealed]
    priority = Priority.NORMAL if isinstance(statement, Cancel) else statement.priority
    keys = public_keys(authority.keys)
    officers = officers_needed(authority, priority, root)
    found = [_standing(envelope, f"authority {authority.id}", officers, keys)]
    if priority is Priority.EMERGENCY:
        found += _quorum(envelope, authority, officers, root)
    if isinstance(statement, Cancel) and statement.announce:
        found += _if_an_emergency(envelope, authority, root)
    return found


def _if_an_emergency(envelope: Envelope, authority: Authority, root: Root | None) -> list[Standing]:
    """What a cancel that announces takes if it takes back an emergency: that does not stand in it, but hubs know."""
    found: list[Standing] = []
    wanted = officers_needed(authority, Priority.EMERGENCY, root)
    if wanted > authority.threshold_for(Priority.NORMAL):
        found.append(_standing(envelope, f"authority {authority.id}", wanted, public_keys(authority.keys)))
    found += _quorum(envelope, authority, wanted, root)
    return [replace(one, who=f"{one.who}, if it takes back an emergency") for one in found]


def _quorum(envelope: Envelope, authority: Authority, officers: int, root: Root | None) -> list[Standing]:
    """What an emergency takes beside its `officers`: the quorum, and where a key is of both that it counts once."""
    if root is None or Role.QUORUM not in root.roles:
        return []
    quorum = root.roles[Role.QUORUM]
    found = [_role(envelope, root, Role.QUORUM)]
    if authority.keys.keys() & set(quorum.kids):
        keys = public_keys({**authority.keys, **{kid: root.keys[kid] for kid in quorum.kids}})
        who = f"authority {authority.id} and the quorum together"
        found.append(_standing(envelope, who, officers + quorum.threshold, keys))
    return found


def _role(envelope: Envelope, root: Root, role: Role) -> Standing:
    keys, wanted = public_keys(root.keys), root.roles[role]
    who = f"role {role.name.lower()} of root {root.version}"
    return _standing(envelope, who, wanted.threshold, {kid: keys[kid] for kid in wanted.kids})


def _standing(envelope: Envelope, who: str, threshold: int, keys: Mapping[bytes, PublicKey]) -> Standing:
    signed = envelope.verified_by(keys)
    return Standing(who, threshold, signed, frozenset(keys) - signed)
