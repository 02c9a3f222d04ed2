"""What a hub states upward about a statement it was sent: receipts with evidence.

Times are Unix seconds UTC; moments inside the evidence are Unix milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from ward_protocol.reasons import Reason
from ward_protocol.schema import blob, flag, key, many, one_of, struct, text, uint
from ward_protocol.statements.bulletin import DIGEST
from ward_protocol.statements.documents import IDENTIFIER
from ward_protocol.statements.words import Event, Status, TimeTrust

MS = uint(2**53)


@dataclass(frozen=True, slots=True)
class ZoneEvidence:
    """One zone: when its relay was read back closed and open, and for how long sound was measured behind it.

    `heard_ms` is absent where the amplifier cannot measure its line.
    """

    zone: str = key(1, IDENTIFIER)
    closed_ms: int = key(2, MS)
    opened_ms: int = key(3, MS)
    confirmed: bool = key(4, flag())
    heard_ms: int | None = key(5, MS, default=None)


@dataclass(frozen=True, slots=True)
class BoardEvidence:
    """One board: from when to when, and how often its frame buffer's digest was compared and agreed."""

    board: str = key(1, IDENTIFIER)
    shown_ms: int = key(2, MS)
    ended_ms: int = key(3, MS)
    compared: int = key(4, uint())
    agreed: int = key(5, uint())
    digest: bytes = key(6, blob(16, 0))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured during an airing."""

    zones: tuple[ZoneEvidence, ...] = key(1, many(struct(ZoneEvidence), 64))
    boards: tuple[BoardEvidence, ...] = key(2, many(struct(BoardEvidence), 8))
    played_ms: int = key(3, MS)
    requested_ms: int = key(4, MS)
    attempts: int = key(5, uint(1000, 1))


@dataclass(frozen=True, slots=True)
class Receipt:
    """One event in the life of a statement; each names the digest of the hub's receipt before it.

    `audit_entry` and `audit_head` are the number and the hash of the last entry of the hub's audit trail at the time;
    `break_glass` counts the uses of sealed keys that nobody has cleared yet; `status` is that of the bulletin it is
    about, None where the hub holds none: what was refused, other statements.
    """

    hub: str = key(1, IDENTIFIER)
    sequence: int = key(2, uint(minimum=1))
    statement: bytes = key(3, DIGEST)
    event: Event = key(4, one_of(Event))
    time: int = key(5, uint())
    time_trust: TimeTrust = key(6, one_of(TimeTrust))
    previous: bytes = key(7, DIGEST, default=b"")
    reason: Reason | None = key(8, one_of(Reason), default=None)
    detail: str = key(9, text(300), default="")
    evidence: Evidence | None = key(10, struct(Evidence), default=None)
    audit_entry: int = key(11, uint(), default=0)
    audit_head: bytes = key(12, DIGEST, default=b"")
    break_glass: int = key(13, uint(1000), default=0)
    status: Status | None = key(14, one_of(Status), default=None)
