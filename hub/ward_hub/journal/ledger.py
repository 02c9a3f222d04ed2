"""What the journal can be asked and told: each method is one transaction, written before anything acts on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ward_hub.holds import Hold, What
from ward_hub.journal.hub_ledger import HubLedger
from ward_hub.journal.receipts import Waiting, uncleared
from ward_protocol.errors import StatementError
from ward_protocol.reasons import Reason
from ward_protocol.statements import Event, Evidence, Priority

WINDOW = 128
DAY_MS = 86_400_000


class State(StrEnum):
    """Where an accepted bulletin stands; `AIRING` after a restart means that the power went in the middle."""

    ACCEPTED = "accepted"
    AIRING = "airing"
    AIRED = "aired"
    PARTLY = "partly"
    NOT_AIRED = "not-aired"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    CARRIED_OUT = "carried-out"
    NOTED = "noted"


ENDINGS: dict[State, Event] = {
    State.AIRED: Event.AIRED,
    State.PARTLY: Event.PARTLY,
    State.NOT_AIRED: Event.NOT_AIRED,
    State.REFUSED: Event.REFUSED,
    State.CANCELLED: Event.CANCELLED,
    State.CARRIED_OUT: Event.CARRIED_OUT,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted statement as the journal holds it; `attempts` counts the airings that began, `rank` as decided."""

    digest: bytes
    data: bytes
    state: State
    attempts: int
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of an issuer's may be accepted within 24 hours (0: no limit), and what is counted of one statement.

    `break_glass` is the sealed key that stood in for the signatures, `uses` how often it may without being cleared.
    """

    bulletins: int = 0
    emergencies: int = 0
    emergency: bool = False
    break_glass: bytes | None = None
    uses: int = 0


NO_BOUNDS = Bounds()


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """How a bulletin ends that was taken back, and why: by a cancel or later bulletin of its issuer, or by a stop."""

    target: bytes
    state: State
    reason: Reason
    detail: str


Overtaken = Callable[[Iterable[bytes]], Withdrawal | None]
"""Says from orders, the oldest first, how a statement ends that comes after them; None where it does not."""


def _never(_: Iterable[bytes]) -> None:
    """Nothing has overtaken it."""


class Ledger(HubLedger):
    """The journal's tables behind a narrow set of transactions; used by one thread at a time."""

    # What came in

    def settled(self, issuer: str, sequence: int) -> bool:
        """Say whether that sequence of the issuer was decided, or lies below the replay window."""
        return sequence <= self._low(issuer) or self._slot(issuer, sequence) is not None

    def newest(self, issuer: str) -> int:
        """Return the highest sequence of the issuer that was decided, 0 where none was."""
        row = self._db.execute("SELECT max(sequence) FROM slot WHERE issuer = ?", (issuer,)).fetchone()
        return max(row[0] or 0, self._low(issuer))

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
        bulletin: bool = True,
        bounds: Bounds = NO_BOUNDS,
        withdraws: Iterable[Withdrawal] = (),
        overtaken: Overtaken = _never,
    ) -> StatementError | None:
        """Settle a sequence with an accepted statement and what it withdraws, and write its receipt.

        `overtaken` is given the issuer's later orders that were accepted before it, and says how it ends by them.
        Returns why not, and does nothing, where the sequence was settled meanwhile or a bound is reached.
        """
        with self._transaction():
            refusal = self._refusal(issuer, sequence, bounds)
            if refusal is not None:
                return refusal
            ended = overtaken(self._orders_after(issuer, sequence))
            self._settle(issuer, sequence, digest)
            row = (digest, data, state.value, 0, self._clock.ms(), issuer, bulletin, bounds.emergency, 0)
            self._db.execute("INSERT INTO statement VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            if bounds.break_glass is not None and bulletin:
                self._db.execute("INSERT INTO break_glass VALUES (?, ?, 0)", (digest, bounds.break_glass))
            for one in (*withdraws, *([ended] if ended is not None else [])):
                self._withdraw(one, issuer)
            told: dict[str, object] = {"issuer": issuer, "sequence": sequence}
            if bounds.break_glass is not None:
                told["break_glass"] = bounds.break_glass.hex()
            self._audit.append("accepted", digest, told)
            self._receipts.write(self._db, digest, Event.ACCEPTED)
        return None

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

    def withdraw(self, one: Withdrawal, issuer: str) -> None:
        """Note that a statement of `issuer` is not to air any more, before it is known how it ended."""
        with self._transaction():
            self._withdraw(one, issuer)

    def withdrawal(self, digest: bytes, issuer: str) -> Withdrawal | None:
        """Return how a statement of `issuer` was taken back, even if this was known before the statement."""
        row = self._db.execute(
            "SELECT state, reason, detail FROM withdrawal WHERE target = ? AND issuer = ?", (digest, issuer)
        ).fetchone()
        return Withdrawal(digest, State(row[0]), Reason(row[1]), row[2]) if row else None

    # What became of it

    def unfinished(self) -> list[Entry]:
        """Return the accepted statements that have not ended, oldest first."""
        rows = self._db.execute(
            "SELECT digest, data, state, attempts, rank FROM statement"
            " WHERE state IN ('accepted', 'airing') ORDER BY rowid"  # not by a time, which may stand or fall back
        )
        return [Entry(digest, data, State(state), attempts, rank) for digest, data, state, attempts, rank in rows]

    def entry(self, digest: bytes) -> Entry | None:
        """Return the accepted statement of that digest, ended or not; None if it was never accepted."""
        row = self._db.execute(
            "SELECT digest, data, state, attempts, rank FROM statement WHERE digest = ?", (digest,)
        ).fetchone()
        return Entry(row[0], row[1], State(row[2]), row[3], row[4]) if row else None

    def received(self) -> dict[bytes, int]:
        """Return when each accepted statement that has not ended came, Unix milliseconds."""
        return dict(self._db.execute("SELECT digest, received_ms FROM statement WHERE state IN ('accepted', 'airing')"))

    def state_of(self, digest: bytes) -> State | None:
        """Return where the statement of that digest stands, None if it was never accepted."""
        row = self._db.execute("SELECT state FROM statement WHERE digest = ?", (digest,)).fetchone()
        return State(row[0]) if row else None

    def nothing_to_air(self, digest: bytes, why: str) -> None:
        """Note that an accepted statement has nothing to air after all; what it did otherwise stays done."""
        with self._transaction():
            self._db.execute("UPDATE statement SET state = 'noted' WHERE digest = ?", (digest,))
            self._audit.append("noted", digest, {"why": why})

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

    def put_first(self, digest: bytes) -> int:
        """Note that a bulletin goes before the others of its priority that wait; return its rank."""
        with self._transaction():
            rank = self._db.execute("SELECT max(rank) FROM statement").fetchone()[0] + 1
            self._db.execute("UPDATE statement SET rank = ? WHERE digest = ?", (rank, digest))
            self._audit.append("first", digest, {"rank": rank})
        return int(rank)

    # What is held back

    def holds(self, *, here: bool = False) -> list[Hold]:
        """Return what silences and blanks stand, by orders or by commands at the hub."""
        rows = self._db.execute(
            "SELECT digest, what, level, priority, outlets, until, issuer, sequence, since FROM hold ORDER BY since"
        )
        found = [
            Hold(digest, What(what), level, Priority(priority), tuple(json.loads(outlets)), *rest)
            for digest, what, level, priority, outlets, *rest in rows
        ]
        return [one for one in found if one.here is here]

    def hold(self, one: Hold) -> None:
        """Let a silence or a blank stand, in place of one with the same id."""
        reach = (one.digest, one.what.value, one.level, one.priority, json.dumps(one.outlets))
        row = (*reach, one.until, one.issuer, one.sequence, one.since)
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO hold VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            self._tell(one.what.value, one, {"level": one.level, "until": one.until})

    def release(self, holds: Iterable[Hold]) -> None:
        """End silences and blanks."""
        with self._transaction():
            for one in holds:
                self._db.execute("DELETE FROM hold WHERE digest = ?", (one.digest,))
                self._tell("released", one, {"what": one.what.value})

    def _tell(self, event: str, one: Hold, more: Mapping[str, object]) -> None:
        """Add an entry about a hold: about its order, or, of one at the hub, about no statement."""
        detail = {"by": one.by, "outlets": list(one.outlets) or "all", **more}
        self._audit.append(event, None if one.here else one.digest, detail)

    # What sealed keys did

    def uncleared(self) -> int:
        """Return how many uses of break-glass keys nobody has cleared."""
        return uncleared(self._db)

    def uncleared_uses(self) -> dict[bytes, int]:
        """Return the same for each key with such uses, by its id."""
        return dict(self._db.execute("SELECT kid, count(*) FROM break_glass WHERE NOT cleared GROUP BY kid"))

    def uncleared_issuers(self) -> list[str]:
        """Return in whose names they were used; by now these may have other sealed keys."""
        query = (
            "SELECT DISTINCT issuer FROM break_glass JOIN statement ON digest = statement WHERE NOT cleared"
            " ORDER BY issuer"
        )
        return [row[0] for row in self._db.execute(query)]

    def clear_break_glass(self) -> int:
        """Clear all uses of break-glass keys; return how many there were."""
        with self._transaction():
            count = self._db.execute("UPDATE break_glass SET cleared = 1 WHERE NOT cleared").rowcount
            self._audit.append("break-glass-cleared", None, {"uses": count})
        return int(count)

    # What goes up

    def waiting(self, limit: int = 16, *, after: int = 0) -> list[Waiting]:
        """Return the oldest receipts that wait to be delivered, of those behind the sequence `after`."""
        return self._receipts.waiting(self._db, limit, after)

    def acknowledge(self, sequence: int) -> None:
        """Note that the source holds the receipt of that sequence."""
        with self._transaction():
            self._receipts.acknowledge(self._db, sequence)

    # Inside

    def _refusal(self, issuer: str, sequence: int, bounds: Bounds) -> StatementError | None:
        if self.settled(issuer, sequence):
            return StatementError(Reason.REPLAYED, f"sequence {sequence} of {issuer} was decided")
        since = self._clock.ms() - DAY_MS
        for most, what in ((bounds.bulletins, "bulletin"), (bounds.emergencies, "emergency")):
            if most and self._accepted_since(since, issuer, what) >= most:
                return StatementError(Reason.QUOTA_EXCEEDED, f"{issuer} had {most} ({what}) within 24 hours")
        if bounds.break_glass is not None and bounds.uses and self._uses(bounds.break_glass) >= bounds.uses:
            return StatementError(
                Reason.BREAK_GLASS_USED_UP,
                f"key {bounds.break_glass.hex()} was used {bounds.uses} times, and nobody cleared it",
            )
        return None

    def _withdraw(self, one: Withdrawal, issuer: str) -> None:
        row = (one.target, issuer, one.state.value, one.reason, one.detail)
        self._db.execute("INSERT OR IGNORE INTO withdrawal VALUES (?, ?, ?, ?, ?)", row)

    def _accepted_since(self, since_ms: int, issuer: str, what: str) -> int:
        query = "SELECT sum(bulletin), sum(emergency) FROM statement WHERE issuer = ? AND received_ms > ?"
        bulletins, emergencies = self._db.execute(query, (issuer, since_ms)).fetchone()
        return int((emergencies if what == "emergency" else bulletins) or 0)

    def _uses(self, kid: bytes) -> int:
        row = self._db.execute("SELECT count(*) FROM break_glass WHERE kid = ? AND NOT cleared", (kid,)).fetchone()
        return int(row[0])

    def _low(self, issuer: str) -> int:
        row = self._db.execute("SELECT sequence FROM low WHERE issuer = ?", (issuer,)).fetchone()
        return int(row[0]) if row else 0

    def _slot(self, issuer: str, sequence: int) -> bytes | None:
        row = self._db.execute(
            "SELECT digest FROM slot WHERE issuer = ? AND sequence = ?", (issuer, sequence)
        ).fetchone()
        return row[0] if row else None

    def _orders_after(self, issuer: str, sequence: int) -> list[bytes]:
        """Return the orders that follow on an undecided sequence of the issuer: all that was decided has its slot."""
        rows = self._db.execute(
            "SELECT data FROM slot JOIN statement ON statement.digest = slot.digest WHERE slot.issuer = ?"
            " AND slot.sequence > ? AND state IN ('accepted', 'carried-out') AND NOT bulletin ORDER BY slot.sequence",
            (issuer, sequence),
        )
        return [row[0] for row in rows]

    def _settle(self, issuer: str, sequence: int, digest: bytes) -> None:
        self._db.execute("INSERT INTO slot VALUES (?, ?, ?)", (issuer, sequence, digest))
        low = max(self._low(issuer), sequence - WINDOW)
        while self._slot(issuer, low + 1) is not None:
            low += 1
        self._db.execute("INSERT OR REPLACE INTO low VALUES (?, ?)", (issuer, low))
        self._db.execute("DELETE FROM slot WHERE issuer = ? AND sequence <= ?", (issuer, low))
