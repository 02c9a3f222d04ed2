"""A careful source's own look at trust documents that it is given: what no hub would take it does not serve."""

from __future__ import annotations

from aiocoap.numbers.codes import Code

from ward_protocol.envelope import Envelope
from ward_protocol.errors import ProtocolError
from ward_protocol.keys import PublicKey
from ward_protocol.statements import Grants, Role, Root
from ward_sim.source.errors import RefusedStatement


def check_document(data: bytes, kind: type[Root | Grants], root: Root, grants: Grants) -> None:
    """Refuse what is not the next of its kind after `root` and `grants`; raises RefusedStatement."""
    try:
        envelope = Envelope.open(data)
    except ProtocolError as error:
        raise RefusedStatement(Code.BAD_REQUEST, str(error)) from error
    document = envelope.statement
    if not isinstance(document, kind):
        raise RefusedStatement(Code.UNPROCESSABLE_ENTITY, f"a {envelope.type.name.lower()} does not belong here")
    if isinstance(document, Root):
        _follows(document.version, root.version + 1, "root")
        _signed(envelope, root, Role.ROOT)
        _signed(envelope, document, Role.ROOT)
    else:
        _follows(document.version, grants.version + 1, "grants")
        if document.root_version != root.version:
            raise RefusedStatement(Code.CONFLICT, f"root {root.version} is in force, not {document.root_version}")
        _signed(envelope, root, Role.GRANT)


def _follows(version: int, following: int, what: str) -> None:
    if version != following:
        raise RefusedStatement(Code.CONFLICT, f"{what} {following} is next, not {version}")


def _signed(envelope: Envelope, root: Root, role: Role) -> None:
    wanted = root.roles[role]
    try:
        good = envelope.verified_by({kid: PublicKey(root.keys[kid]) for kid in wanted.kids})
    except ProtocolError as error:
        raise RefusedStatement(Code.FORBIDDEN, str(error)) from error
    if len(good) < wanted.threshold:
        why = f"signed by {len(good)} of the role {role.name.lower()} of root {root.version}, {wanted.threshold} needed"
        raise RefusedStatement(Code.FORBIDDEN, why)
