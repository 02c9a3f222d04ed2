"""Looks into a bundle without a hub: what it holds, and whose signatures verify by the root and grants at hand.

Each document that verifies counts for what stands behind it, as at a hub. A hub knows more, such as what it has
decided before, and may still refuse what is good here. As at a hub nothing is decoded that no known key has signed;
only where no root is given to verify by is it looked at as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ward_hub.trust import Trust, keyring
from ward_hub.usb.container import Kind
from ward_protocol import cbor
from ward_protocol.envelope import Sealed
from ward_protocol.errors import StatementError
from ward_protocol.reasons import Reason
from ward_protocol.schema import to_map
from ward_protocol.statements import CLASSES, Bulletin, Cancel, Order, Statement, StatementType

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
            verdict = "named by this bundle" if sha256 in named else "nothing that could be read here names it"
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
        sealed = Sealed.read(data)
        name = sealed.type.name.lower()
        if trust is None:
            names = _recordings(sealed.decode().statement)
            raise StatementError(Reason.UNKNOWN_KEY, "no root was given to verify it by")
        if CLASSES[sealed.type] not in (Bulletin, Cancel, Order):
            verdict, trust = _document(sealed, trust)
        else:
            signed_by = _known_signers(sealed, trust)
            statement = sealed.decode().statement
            names = _recordings(statement)
            verdict = _issued(statement, signed_by, trust)
        return Checked(name, sha256, len(data), verifies=True, verdict=verdict, names=names), trust
    except StatementError as error:
        return Checked(name, sha256, len(data), verifies=False, verdict=str(error), names=names), trust


def _recordings(statement: Statement) -> tuple[str, ...]:
    return tuple(one.sha256.hex() for one in statement.audio) if isinstance(statement, Bulletin) else ()


def _document(sealed: Sealed, trust: Trust) -> tuple[str, Trust]:
    """Return by whom a trust document verifies, and whom to trust behind it; raises StatementError.

    One that says the same as that which was given may be signed by anybody: a hub that has it not yet would refuse it.
    """
    by = f"by root {trust.root.version}"
    match sealed.type:
        case StatementType.ROOT:
            if _is(sealed, trust.root):
                Trust.from_first_root(sealed.data)
                return f"is root {trust.root.version}, which was given", trust
            trust = trust.with_root(sealed.data)
            return f"as the next root, {trust.root.version}", trust
        case StatementType.GRANTS:
            if trust.grants is not None and _is(sealed, trust.grants):
                replace(trust, grants=None).with_grants(sealed.data, now=0)
                return f"are grants {trust.grants.version}, which were given", trust
            return by, trust.with_grants(sealed.data, now=0)
        case StatementType.BEAT:
            return by, trust.with_beat(sealed.data)[0]
        case _:
            raise StatementError(Reason.UNKNOWN_TYPE, f"a {sealed.type.name.lower()} does not come this way")


def _is(sealed: Sealed, given: Statement) -> bool:
    """Say whether that is a statement at hand: by its bytes, as there is one encoding of it and nobody decoded them."""
    return sealed.payload == cbor.encode(to_map(given))


def _known_signers(sealed: Sealed, trust: Trust) -> frozenset[bytes]:
    signed_by = sealed.verified_by(keyring(trust.root, trust.grants))
    if not signed_by:
        raise StatementError(Reason.UNKNOWN_KEY, "no key that is known here signed it")
    return signed_by


def _issued(statement: Statement, signed_by: frozenset[bytes], trust: Trust) -> str:
    """Return by whom a statement verifies that some known key signed; raises StatementError."""
    assert isinstance(statement, (Bulletin, Cancel, Order))  # noqa: S101 - its type was looked at
    authority = trust.grants.authority(statement.issuer) if trust.grants is not None else None
    if authority is None:
        raise StatementError(Reason.UNKNOWN_AUTHORITY, f"{statement.issuer} is granted nothing as far as known")
    trust.warrant(statement, signed_by, authority, ANYWHERE)
    return f"by authority {authority.id} under root {trust.root.version}"
