"""Receipts as the journal makes them: signed, numbered, each naming the one before."""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import dataclass

from ward_hub.clock import Clock
from ward_hub.errors import StateError
from ward_hub.journal.audit import head
from ward_protocol.envelope import Envelope, Sealed, sign
from ward_protocol.errors import StatementError
from ward_protocol.keys import PublicKey, Signing
from ward_protocol.reasons import Reason
from ward_protocol.statements import Bulletin, Cancel, Event, Evidence, Order, Receipt, Status

log = logging.getLogger(__name__)
MAX_DETAIL = 300
MOST_USES = 1000


@dataclass(frozen=True, slots=True)
class Waiting:
    """A receipt that the source has not acknowledged: its sequence, its digest, its envelope."""

    sequence: int
    digest: bytes
    data: bytes


def need_same_key(db: sqlite3.Connection, key: PublicKey) -> None:
    """Raise StateError where the last receipt is of another key: the source would take no receipt of this one.

    The last of those that can be read: one that a worn card damaged says nothing, and keeps no hub from its start.
    """
    for sequence, data in db.execute("SELECT sequence, data FROM receipt ORDER BY sequence DESC"):
        try:
            kids = [one.kid for one in Envelope.open(data).signatures]
        except StatementError as error:
            log.error("journal: receipt %d cannot be read, see the card: %s", sequence, error)
            continue
        if key.kid not in kids:
            raise StateError(
                f"journal: receipt {sequence} was signed with key {kids[0].hex()}, the hub's key is {key.kid.hex()}: "
                "bring that key back; or move all of the state away, and enrol the hub as a new one"
            )
        return


class ReceiptBook:
    """Writes receipts into the journal's transaction at hand, and says which wait to be delivered.

    `written` counts those of this process.
    """

    def __init__(self, hub: str, signer: Signing, clock: Clock) -> None:
        self._hub = hub
        self._signer = signer
        self._clock = clock
        self.written = 0

    def write(
        self,
        db: sqlite3.Connection,
        statement: bytes,
        event: Event,
        *,
        reason: Reason | None = None,
        detail: str = "",
        evidence: Evidence | None = None,
    ) -> bytes:
        """Add a receipt about the statement of that digest; return the receipt's own digest."""
        last = db.execute("SELECT sequence, digest FROM receipt ORDER BY sequence DESC LIMIT 1").fetchone()
        number, previous = last or (0, b"")
        trail = head(db)
        receipt = Receipt(
            hub=self._hub,
            sequence=number + 1,
            statement=statement,
            event=event,
            time=int(self._clock.now()),
            time_trust=self._clock.trust,
            previous=previous,
            reason=reason,
            detail=detail[:MAX_DETAIL],
            evidence=evidence,
            audit_entry=trail.number,
            audit_head=trail.chain,
            break_glass=min(uncleared(db), MOST_USES),
            status=_status_of(db, statement),
        )
        data = sign(receipt, [self._signer])
        digest = Sealed.read(data).digest
        db.execute("INSERT INTO receipt VALUES (?, ?, ?, NULL)", (number + 1, data, digest))
        self.written += 1
        return digest

    def waiting(self, db: sqlite3.Connection, limit: int, after: int) -> list[Waiting]:
        """Return the oldest unacknowledged receipts behind the sequence `after`, in order."""
        rows = db.execute(
            "SELECT sequence, digest, data FROM receipt WHERE acknowledged_ms IS NULL AND sequence > ?"
            " ORDER BY sequence LIMIT ?",
            (after, limit),
        )
        return [Waiting(*row) for row in rows]

    def acknowledge(self, db: sqlite3.Connection, sequence: int) -> None:
        """Note that the source holds the receipt of that sequence."""
        db.execute("UPDATE receipt SET acknowledged_ms = ? WHERE sequence = ?", (self._clock.ms(), sequence))


def uncleared(db: sqlite3.Connection) -> int:
    """Return how many uses of break-glass keys nobody has cleared."""
    return int(db.execute("SELECT count(*) FROM break_glass WHERE NOT cleared").fetchone()[0])


def _status_of(db: sqlite3.Connection, digest: bytes) -> Status | None:
    """Return what a kept statement airs as, None where it airs nothing, or is not kept.

    Read from the bytes that were signed, so that no caller can forget it. None also for what another version kept and
    this one cannot read.
    """
    row = db.execute("SELECT data FROM statement WHERE digest = ?", (digest,)).fetchone()
    try:
        statement = Envelope.open(row[0]).statement if row else None
    except StatementError:
        return None
    if isinstance(statement, (Bulletin, Order)):
        return statement.status
    return Status.ACTUAL if isinstance(statement, Cancel) and statement.announce else None
