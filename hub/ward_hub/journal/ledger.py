"""What the journal can be asked and told: each method is one transaction, written before anything acts on it."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from ward_hub.clock import Clock
from ward_hub.journal.audit import AuditTrail
from ward_hub.journal.receipts import ReceiptBook, Waiting
from ward_protocol.reasons import Reason
from ward_protocol.statements import Event, Evidence

WINDOW = 128


class State(StrEnum):
    """Where an accepted bulletin stands; `AIRING` after a restart means that the power went in the middle."""

    ACCEPTED = "accepted"
    AIRING = "airing"
    AIRED = "aired"
    PARTLY = "partly"
    NOT_AIRED = "not-aired"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    NOTED = "noted"


ENDINGS: dict[State, Event] = {
    State.AIRED: Event.AIRED,
    State.PARTLY: Event.PARTLY,
    State.NOT_AIRED: Event.NOT_AIRED,
    State.REFUSED: Event.REFUSED,
    State.CANCELLED: Event.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted statement as the journal holds it; `attempts` counts the airings that began."""

    digest: bytes
    data: bytes
    state: State
    attempts: int


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What an accepted cancel or later bulletin does to an earlier one of its issuer: how that one ends, and why."""

    target: bytes
    state: State
    reason: Reason
    detail: str


class Ledger:
    """The journal's tables behind a narrow set of transactions; used by one thread at a time."""

    def __init__(self, db: sqlite3.Connection, receipts: ReceiptBook, clock: Clock) -> None:
        self._db = db
        self._receipts = receipts
        self._clock = clock
        self._audit = AuditTrail(db, clock)

    # What may be trusted

    def documents(self) -> dict[str, bytes]:
        """Return the newest trust documents by kind: root, grants, beat."""
        return dict(self._db.execute("SELECT kind, data FROM document"))

    def keep_document(self, kind: str, version: int, data: bytes) -> None:
        """Keep a verified trust document in place of the one before."""
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO document VALUES (?, ?, ?)", (kind, version, data))
            self._audit.append("document", None, {"kind": kind, "version": version})

    def keep_beat(self, time: int, data: bytes) -> None:
        """Keep the newest beat; it is also the floor of the clock after a restart."""
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO document VALUES ('beat', ?, ?)", (time, data))

    # What came in

    def settled(self, issuer: str, sequence: int) -> bool:
        """Say whether that sequence of the issuer was decided, or lies below the replay window."""
        return sequence <= self._low(issuer) or self._slot(issuer, sequence) is not None

    def missing(self, heads: Mapping[str, int]) -> list[tuple[str, int]]:
        """Return what the heads of a beat name and nobody decided yet, the newest of each issuer first."""
        gaps: list[tuple[str, int]] = []
        for issuer, head in heads.items():
            low = max(self._low(issuer), head - WINDOW)
            rows = self._db.execute("SELECT sequence FROM slot WHERE issuer = ? AND sequence > ?", (issuer, low))
            known = {row[0] for row in rows}
            gaps.extend((issuer, number) for number in range(head, low, -1) if number not in known)
        return gaps

    def accept(
        self,
        issuer: str,
        sequence: int,
        digest: bytes,
        data: bytes,
        state: State = State.ACCEPTED,
        *,
        withdraws: Iterable[Withdrawal] = (),
    ) -> bool:
        """Settle a sequence with an accepted statement and what it withdraws, and write its receipt.

        Returns False, and does nothing, where the sequence was settled meanwhile.
        """
        with self._transaction():
            if self.settled(issuer, sequence):
                return False
            self._settle(issuer, sequence, digest)
            self._db.execute(
                "INSERT INTO statement VALUES (?, ?, ?, 0, ?)", (digest, data, state.value, self._clock.ms())
            )
            for one in withdraws:
                row = (one.target, issuer, one.state.value, one.reason, one.detail)
                self._db.execute("INSERT OR IGNORE INTO withdrawal VALUES (?, ?, ?, ?, ?)", row)
            self._audit.append("accepted", digest, {"issuer": issuer, "sequence": sequence})
            self._receipts.write(self._db, digest, Event.ACCEPTED)
        return True

    def refuse(self, digest: bytes, place: str, reason: Reason, detail: str, slot: tuple[str, int] | None) -> bool:
        """Note a refusal once for each digest, place and reason; settle `slot` (issuer, sequence) if its issuer signed.

        Returns False where the same was refused before.
        """
        with self._transaction():
            row = (digest, place, reason)
            fresh = self._db.execute("INSERT OR IGNORE INTO refusal VALUES (?, ?, ?)", row).rowcount == 1
            if fresh:
                self._audit.append("refused", digest, {"place": place, "reason": reason.word, "detail": detail})
                self._receipts.write(self._db, digest, Event.REFUSED, reason=reason, detail=f"{place}: {detail}")
            if slot is not None and not self.settled(*slot):
                self._settle(*slot, digest)
        return fresh

    def note(self, event: str, detail: Mapping[str, object]) -> None:
        """Add an entry to the audit trail that is about no single statement."""
        with self._transaction():
            self._audit.append(event, None, detail)

    def withdrawal(self, digest: bytes, issuer: str) -> Withdrawal | None:
        """Return how `issuer` took that statement of its own back, even if this was known before the statement."""
        row = self._db.execute(
            "SELECT state, reason, detail FROM withdrawal WHERE target = ? AND issuer = ?", (digest, issuer)
        ).fetchone()
        return Withdrawal(digest, State(row[0]), Reason(row[1]), row[2]) if row else None

    # What became of it

    def unfinished(self) -> list[Entry]:
        """Return the accepted statements that have not ended, oldest first."""
        rows = self._db.execute(
            "SELECT digest, data, state, attempts FROM statement"
            " WHERE state IN ('accepted', 'airing') ORDER BY received_ms"
        )
        return [Entry(digest, data, State(state), attempts) for digest, data, state, attempts in rows]

    def state_of(self, digest: bytes) -> State | None:
        """Return where the statement of that digest stands, None if it was never accepted."""
        row = self._db.execute("SELECT state FROM statement WHERE digest = ?", (digest,)).fetchone()
        return State(row[0]) if row else None

    def begin(self, digest: bytes) -> int:
        """Note that an airing begins; return how many began, this one included."""
        with self._transaction():
            self._db.execute(
                "UPDATE statement SET state = 'airing', attempts = attempts + 1 WHERE digest = ?", (digest,)
            )
            attempts = self._db.execute("SELECT attempts FROM statement WHERE digest = ?", (digest,)).fetchone()[0]
            self._audit.append("airing", digest, {"attempt": attempts})
        return int(attempts)

    def interrupt(self, digest: bytes, why: str) -> None:
        """Note that an airing was cut short and is to begin again."""
        with self._transaction():
            self._db.execute("UPDATE statement SET state = 'accepted' WHERE digest = ?", (digest,))
            self._audit.append("interrupted", digest, {"why": why})

    def end(
        self,
        digest: bytes,
        state: State,
        reason: Reason | None = None,
        detail: str = "",
        evidence: Evidence | None = None,
    ) -> bool:
        """Note how a statement ended, with its receipt. Returns False, and does nothing, where it had ended before."""
        with self._transaction():
            ended = self._db.execute(
                "UPDATE statement SET state = ? WHERE digest = ? AND state IN ('accepted', 'airing')",
                (state.value, digest),
            )
            if ended.rowcount == 0:
                return False
            self._audit.append(state.value, digest, {"reason": reason.word if reason else None, "detail": detail})
            self._receipts.write(self._db, digest, ENDINGS[state], reason=reason, detail=detail, evidence=evidence)
        return True

    # What goes up

    def waiting(self, limit: int = 16) -> list[Waiting]:
        """Return the oldest receipts that wait to be delivered."""
        return self._receipts.waiting(self._db, limit)

    def acknowledge(self, sequence: int) -> None:
        """Note that the source holds the receipt of that sequence."""
        with self._transaction():
            self._receipts.acknowledge(self._db, sequence)

    # Inside

    def _low(self, issuer: str) -> int:
        row = self._db.execute("SELECT sequence FROM low WHERE issuer = ?", (issuer,)).fetchone()
        return int(row[0]) if row else 0

    def _slot(self, issuer: str, sequence: int) -> bytes | None:
        row = self._db.execute(
            "SELECT digest FROM slot WHERE issuer = ? AND sequence = ?", (issuer, sequence)
        ).fetchone()
        return row[0] if row else None

    def _settle(self, issuer: str, sequence: int, digest: bytes) -> None:
        self._db.execute("INSERT INTO slot VALUES (?, ?, ?)", (issuer, sequence, digest))
        low = max(self._low(issuer), sequence - WINDOW)
        while self._slot(issuer, low + 1) is not None:
            low += 1
        self._db.execute("INSERT OR REPLACE INTO low VALUES (?, ?)", (issuer, low))
        self._db.execute("DELETE FROM slot WHERE issuer = ? AND sequence <= ?", (issuer, low))

    @contextmanager
    def _transaction(self) -> Generator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            # A full disk may fail the COMMIT itself, and SQLite may have rolled back by then.
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
