"""A careful source's own look at what is published: what no hub would take from its issuer is not served.

It knows no hub's area, so that an emergency from inside a ward takes two of its officers is left to the hubs.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiocoap.numbers.codes import Code

from ward_protocol.envelope import Envelope
from ward_protocol.errors import ProtocolError
from ward_protocol.keys import public_key
from ward_protocol.statements import Authority, Bulletin, Cancel, Issued, Kind, Order, Priority, Role, Root
from ward_protocol.statements.documents import inside
from ward_protocol.statements.order import KINDS
from ward_sim.source.errors import RefusedStatement


def check_issued(envelope: Envelope, statement: Issued, authority: Authority, root: Root) -> None:
    """Refuse what its issuer may not issue, or did not sign as it must; raises RefusedStatement."""
    issuer = authority.id
    _signed(envelope, authority.keys, authority.threshold_for(_priority(statement)), f"{issuer}'s keys")
    if _kind(statement) not in authority.kinds:
        raise RefusedStatement(Code.FORBIDDEN, f"{issuer} may issue no {_kind(statement).name.lower()}")
    if _priority(statement) > authority.highest_priority:
        raise RefusedStatement(Code.FORBIDDEN, f"{issuer} may issue up to {authority.highest_priority.name.lower()}")
    if not all(any(inside(area, of) for of in authority.areas) for area in statement.audience.areas):
        raise RefusedStatement(Code.FORBIDDEN, f"{issuer} may issue for {', '.join(authority.areas)} only")
    quorum = root.roles.get(Role.QUORUM)
    if _priority(statement) is Priority.EMERGENCY and quorum is not None:
        keys = {kid: root.keys[kid] for kid in quorum.kids}
        _signed(envelope, keys, quorum.threshold, "the quorum's keys")


def _priority(statement: Issued) -> Priority:
    return Priority.NORMAL if isinstance(statement, Cancel) else statement.priority


def _kind(statement: Issued) -> Kind:
    match statement:
        case Bulletin():
            return Kind.BULLETIN
        case Cancel():
            return Kind.CANCEL
        case Order():
            return KINDS.get(statement.action, Kind.ORDER)


def _signed(envelope: Envelope, keys: Mapping[bytes, bytes], threshold: int, whose: str) -> None:
    try:
        signers = envelope.verified_by({kid: public_key(raw) for kid, raw in keys.items()})
    except ProtocolError as error:
        raise RefusedStatement(Code.FORBIDDEN, str(error)) from error
    if len(signers) < threshold:
        raise RefusedStatement(Code.FORBIDDEN, f"signed by {len(signers)} of {whose}, {threshold} are needed")
