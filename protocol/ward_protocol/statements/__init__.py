"""The closed set of statements, each with its number on the wire.

The numbers are CoAP Content-Formats of the experimental range (RFC 7252 §12.3) and the COSE `typ` of the statement
(RFC 9596); a change of a statement's fields takes a new number.
"""

from __future__ import annotations

from enum import IntEnum

from ward_protocol.statements.bulletin import Audience, Audio, Bulletin, Cancel, Cap, Text
from ward_protocol.statements.documents import (
    Authority,
    Beat,
    BreakGlass,
    Grants,
    Kind,
    Quota,
    Role,
    RoleKeys,
    Root,
)
from ward_protocol.statements.enrolment import Admission, Enrolment
from ward_protocol.statements.order import Action, Order, Verdict
from ward_protocol.statements.receipt import BoardEvidence, Evidence, Receipt, ZoneEvidence
from ward_protocol.statements.stream import Stream, StreamCodec, Suite, lock_master, unlock_master
from ward_protocol.statements.words import (
    Category,
    Certainty,
    Event,
    MsgType,
    Priority,
    Severity,
    Status,
    TimeTrust,
    Urgency,
)

Statement = Root | Grants | Beat | Bulletin | Cancel | Order | Receipt | Enrolment | Admission


class StatementType(IntEnum):
    """What a signed envelope holds."""

    ROOT = 65101
    GRANTS = 65102
    BEAT = 65103
    BULLETIN = 65104
    CANCEL = 65105
    ORDER = 65106
    RECEIPT = 65107
    ENROLMENT = 65108
    ADMISSION = 65109


CLASSES: dict[StatementType, type[Statement]] = {
    StatementType.ROOT: Root,
    StatementType.GRANTS: Grants,
    StatementType.BEAT: Beat,
    StatementType.BULLETIN: Bulletin,
    StatementType.CANCEL: Cancel,
    StatementType.ORDER: Order,
    StatementType.RECEIPT: Receipt,
    StatementType.ENROLMENT: Enrolment,
    StatementType.ADMISSION: Admission,
}
TYPES: dict[type[Statement], StatementType] = {kind: number for number, kind in CLASSES.items()}

Issued = Bulletin | Cancel | Order
"""What an authority issues, in the sequence of its feed."""

__all__ = [
    "CLASSES",
    "TYPES",
    "Action",
    "Admission",
    "Audience",
    "Audio",
    "Authority",
    "Beat",
    "BoardEvidence",
    "BreakGlass",
    "Bulletin",
    "Cancel",
    "Cap",
    "Category",
    "Certainty",
    "Enrolment",
    "Event",
    "Evidence",
    "Grants",
    "Issued",
    "Kind",
    "MsgType",
    "Order",
    "Priority",
    "Quota",
    "Receipt",
    "Role",
    "RoleKeys",
    "Root",
    "Severity",
    "Statement",
    "StatementType",
    "Status",
    "Stream",
    "StreamCodec",
    "Suite",
    "Text",
    "TimeTrust",
    "Urgency",
    "Verdict",
    "ZoneEvidence",
    "lock_master",
    "unlock_master",
]
