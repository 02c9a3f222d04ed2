"""Looks into a bundle without a hub: what it holds, and whose signatures verify by the root and grants at hand.

Each document that verifies counts for what stands behind it, as at a hub. A hub knows more, such as what it has
decided before, and may still refuse what is good here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from ward_hub.trust import Trust, keyring
from ward_hub.usb.container import Kind
from ward_protocol.envelope import Envelope
from ward_protocol.errors import StatementError
from ward_protocol.reasons import Reason
from ward_protocol.statements import Beat, Bulletin, Cancel, Grants, Order, Root

ANYWHERE = ""  # no ward in particular: its own officers have more to sign for its own hubs


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of one item: `verifies` and by whom, or why not, in `verdict`; `names` are recordings' SHA-256."""

    kind: str
    sha256: str
    size: int
    verifies: bool
    verdict: str
    names: tuple[str, ...] = ()


def check(items: Iterable[tuple[Kind, bytes]], trust: Trust | None) -> list[Checked]:
    """Return what is known of each item, beginning with `trust`; without one no statement verifies."""
    found: list[Checked] = []
    named: set[str] = set()
    for kind, data in items:
        sha256 = hashlib.sha256(data).hexdigest()
        if kind is Kind.RECORDING:
            verdict = "named by this bundle" if sha256 in named else "nothing in this bundle names it"
            found.append(Checked("recording", sha256, len(data), verifies=True, verdict=verdict))
            continue
        one, trust = _statement(kind, data, trust)
        named |= set(one.names)
        found.append(one)
    return found


def missing(found: Iterable[Checked]) -> list[str]:
    """Return the SHA-256 of the recordings that statements name and the bundle does not hold."""
    held = {one.sha256 for one in found if one.kind == "recording"}
    return [name for one in found for name in one.names if name not in held]


def _statement(kind: Kind, data: bytes, trust: Trust | None) -> tuple[Checked, Trust | None]:
    sha256, name, names = hashlib.sha256(data).hexdigest(), kind.name.lower(), tuple[str, ...]()
    try:
        envelope = Envelope.open(data)
        name = envelope.type.name.lower()
        if isinstance(envelope.statement, Bulletin):
            names = tuple(one.sha256.hex() for one in envelope.statement.audio)
        if trust is None:
            raise StatementError(Reason.UNKNOWN_KEY, "no root was given to verify it by")
        verdict, trust = _verified(envelope, trust)
        return Checked(name, sha256, len(data), verifies=True, verdict=verdict, names=names), trust
    except StatementError as error:
        return Checked(name, sha256, len(data), verifies=False, verdict=str(error), names=names), trust


def _verified(envelope: Envelope, trust: Trust) -> tuple[str, Trust]:
    """Return by whom a statement verifies, and whom to trust behind it; raises StatementError."""
    data, statement = envelope.data, envelope.statement
    match statement:
        case Root():
            if statement == trust.root:
                return f"is root {trust.root.version}, which was given", trust
            trust = trust.with_root(data)
            return f"as the next root, {trust.root.version}", trust
        case Grants():
            if statement == trust.grants:
                return f"are grants {statement.version}, which were given", trust
            return f"by root {trust.root.version}", trust.with_grants(data, now=0)
        case Beat():
            return f"by root {trust.root.version}", trust.with_beat(data)[0]
        case Bulletin() | Cancel() | Order():
            authority = trust.grants.authority(statement.issuer) if trust.grants is not None else None
            if authority is None:
                raise StatementError(Reason.UNKNOWN_AUTHORITY, f"{statement.issuer} is granted nothing as far as known")
            signed_by = envelope.verified_by(keyring(trust.root, trust.grants))
            trust.warrant(statement, signed_by, authority, ANYWHERE)
            return f"by authority {authority.id} under root {trust.root.version}", trust
        case _:
            raise StatementError(Reason.UNKNOWN_TYPE, f"a {envelope.type.name.lower()} does not come this way")
