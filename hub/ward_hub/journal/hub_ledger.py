"""What the journal keeps about the hub itself: whom it trusts, its clock, its settings, and its alarms."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TypeVar

import msgspec

from ward_hub.alarm_words import Detail, joined, restored, written
from ward_hub.clock import Clock, Kept
from ward_hub.journal.audit import AuditTrail
from ward_hub.journal.receipts import ReceiptBook
from ward_protocol.reasons import Reason
from ward_protocol.statements import Event

log = logging.getLogger(__name__)
T = TypeVar("T")
NO_STATEMENT = bytes(32)


class _Clock(msgspec.Struct, frozen=True):
    """What is kept of the clock beside its floor, as `Kept` has it."""

    boot: str
    at: float
    now: float
    known: bool
    shown: float = 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """An alarm that stands: since when (Unix ms), and how it shows."""

    kind: Reason
    since_ms: int
    details: tuple[Detail, ...]

    @property
    def detail(self) -> str:
        """How it shows, in English: for log, audit trail and receipts."""
        return joined(self.details)


class HubLedger:
    """The transactions about the hub itself, and what all transactions have in common."""

    def __init__(self, db: sqlite3.Connection, receipts: ReceiptBook, clock: Clock) -> None:
        self._db = db
        self._receipts = receipts
        self._clock = clock
        self._audit = AuditTrail(db, clock)

    # What may be trusted

    def documents(self) -> dict[str, bytes]:
        """Return the newest trust documents by kind: root, grants, beat."""
        return dict(self._db.execute("SELECT kind, data FROM document WHERE kind IN ('root', 'grants', 'beat')"))

    def keep_document(self, kind: str, version: int, digest: bytes, data: bytes) -> None:
        """Keep a verified trust document in place of the one before, with its receipt."""
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO document VALUES (?, ?, ?)", (kind, version, data))
            self._audit.append("document", digest, {"kind": kind, "version": version})
            self._receipts.write(self._db, digest, Event.ACCEPTED)

    def keep_beat(self, time: int, data: bytes) -> None:
        """Keep the newest beat; it is also the floor of the clock after a restart."""
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO document VALUES ('beat', ?, ?)", (time, data))

    # What is known of the time

    def clock(self) -> Kept | None:
        """Return what was kept of the clock last; where that cannot be read, its floor alone."""
        row = self._db.execute("SELECT version FROM document WHERE kind = 'clock'").fetchone()
        if row is None:
            return None
        read = self._plain("clock", _Clock)
        return Kept(row[0], "", 0.0, 0.0, known=False) if read is None else Kept(row[0], *msgspec.structs.astuple(read))

    def newest_beat(self) -> int:
        """Return the time of the beat that was kept last, 0 where none was."""
        row = self._db.execute("SELECT version FROM document WHERE kind = 'beat'").fetchone()
        return int(row[0]) if row else 0

    def keep_clock(self, kept: Kept) -> None:
        """Keep what a restart needs of the clock."""
        with self._transaction():
            self._keep_clock(kept)

    def recover_clock(self, kept: Kept) -> None:
        """Keep an earlier time than before, and no beat: what showed the later one does not count any more.

        What came in the time that was not counts for quotas as if it came now, else it would until that time comes.
        """
        now_ms = int(kept.now * 1000)
        with self._transaction():
            self._keep_clock(kept)
            self._db.execute("DELETE FROM document WHERE kind = 'beat'")
            self._db.execute("UPDATE statement SET received_ms = ? WHERE received_ms > ?", (now_ms, now_ms))
            self._audit.append("clock-recovered", None, {"floor": kept.floor})

    def _keep_clock(self, kept: Kept) -> None:
        data = json.dumps({name: value for name, value in asdict(kept).items() if name != "floor"}).encode()
        self._db.execute("INSERT OR REPLACE INTO document VALUES ('clock', ?, ?)", (kept.floor, data))

    # How it is configured

    def settings(self) -> dict[str, str]:
        """Return the settings that orders have made, by name; none where they cannot be read."""
        return self._plain("settings", dict[str, str]) or {}

    def keep_settings(self, digest: bytes, settings: Mapping[str, str]) -> None:
        """Keep settings in place of those before; `digest` is the order's."""
        with self._transaction():
            row = (json.dumps(settings, ensure_ascii=False, sort_keys=True).encode(),)
            self._db.execute("INSERT OR REPLACE INTO document VALUES ('settings', 0, ?)", row)
            self._audit.append("settings", digest, dict(settings))

    def configure(self, prints: Mapping[str, str]) -> list[str]:
        """Keep digests of what the hub is configured with, by name; return the names of those that changed.

        None did where nothing was kept before: a hub begins with some configuration. All did where it cannot be read.
        """
        row = self._db.execute("SELECT 1 FROM document WHERE kind = 'configuration'").fetchone()
        before = (self._plain("configuration", dict[str, str]) or {}) if row else dict(prints)
        changed = sorted(one for one in {*before, *prints} if before.get(one) != prints.get(one))
        if changed or not row:
            with self._transaction():
                data = json.dumps(prints, sort_keys=True).encode()
                self._db.execute("INSERT OR REPLACE INTO document VALUES ('configuration', 0, ?)", (data,))
                self._audit.append("configured", None, {"changed": changed})
        return changed

    # What is wrong

    def alarms(self) -> list[Standing]:
        """Return the alarms that stand."""
        rows = self._db.execute("SELECT kind, since_ms, detail FROM alarm")
        return [Standing(Reason(kind), since_ms, restored(text)) for kind, since_ms, text in rows]

    def alarm(self, one: Standing, *, began: bool) -> None:
        """Note that an alarm began, or that it is over, with its receipt."""
        with self._transaction():
            if began:
                row = (one.kind, one.since_ms, written(one.details))
                self._db.execute("INSERT OR REPLACE INTO alarm VALUES (?, ?, ?)", row)
            else:
                self._db.execute("DELETE FROM alarm WHERE kind = ?", (one.kind,))
            event = Event.ALARM if began else Event.ALARM_CLEARED
            word = event.name.lower().replace("_", "-")
            self._audit.append(word, None, {"reason": one.kind.word, "detail": one.detail})
            self._receipts.write(self._db, NO_STATEMENT, event, reason=one.kind, detail=one.detail)

    # What all have in common

    def _plain(self, kind: str, form: type[T]) -> T | None:
        """Return a document of the hub's own; None, told in the log, where it is not there in that form.

        SQLite does not see where a worn card changed a letter, and that may not end the agent at every start.
        """
        row = self._db.execute("SELECT data FROM document WHERE kind = ?", (kind,)).fetchone()
        try:
            return msgspec.json.decode(row[0], type=form) if row else None
        except (msgspec.MsgspecError, ValueError) as error:
            log.error("what the journal kept of the %s cannot be read, the hub goes on without: %s", kind, error)
            return None

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
