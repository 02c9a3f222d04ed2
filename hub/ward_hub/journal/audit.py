"""The audit trail: every decision as an entry that carries the hash of itself and of the one before.

Whoever edits the journal's file can hash the rest of the trail anew; but each receipt is signed over the head of the
trail at its moment and lies at the source, out of reach: the trail must still pass through every head in the receipts.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ward_hub.clock import Clock
from ward_hub.errors import HubError, StateError
from ward_protocol.envelope import Envelope
from ward_protocol.errors import ProtocolError
from ward_protocol.keys import PublicKey
from ward_protocol.statements import Receipt


class AuditError(HubError):
    """The trail is not what was written; the message names the first entry or receipt that shows it."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the trail at some moment: the number of its last entry, 0 for none, and its hash."""

    number: int
    chain: bytes


@dataclass(frozen=True, slots=True)
class Checked:
    """A journal whose trail and receipts agree: the hash of each entry, and the id of each receipt, in order.

    `acknowledged` counts the receipts that the source said it holds.
    """

    chains: tuple[bytes, ...]
    receipts: tuple[bytes, ...]
    acknowledged: int

    @property
    def head(self) -> Head:
        """Where the trail ends."""
        return Head(len(self.chains), self.chains[-1] if self.chains else b"")


class AuditTrail:
    """Appends entries in the journal's transaction at hand."""

    def __init__(self, db: sqlite3.Connection, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def append(self, event: str, digest: bytes | None, detail: Mapping[str, object]) -> None:
        """Add an entry about the statement of that digest, if it is about one."""
        now, text = self._clock.ms(), json.dumps(detail, ensure_ascii=False, sort_keys=True)
        last = head(self._db)
        entry = (last.number + 1, now, event, digest, text)
        self._db.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)", (*entry, link(last.chain, entry)))


def head(db: sqlite3.Connection) -> Head:
    """Return where the trail ends now."""
    row = db.execute("SELECT number, chain FROM entry ORDER BY number DESC LIMIT 1").fetchone()
    return Head(*row) if row else Head(0, b"")


def link(previous: bytes, entry: tuple[int, int, str, bytes | None, str]) -> bytes:
    """Return the hash of an entry (number, at_ms, event, digest, detail) that follows the hash `previous`."""
    number, at_ms, event, digest, detail = entry
    plain = [number, at_ms, event, None if digest is None else digest.hex(), detail]
    return hashlib.sha256(previous + json.dumps(plain).encode()).digest()


def verify(path: Path, key: PublicKey) -> Head:
    """Check the trail of the journal file at `path`, and its receipts by the hub's `key`; return the head.

    Raises as `checked` does.
    """
    return checked(path, key).head


def checked(path: Path, key: PublicKey) -> Checked:
    """Do the same and return what the journal holds.

    Reads only, also beside a running agent. Raises AuditError, or StateError where there is no journal to read.
    """
    if not path.is_file():
        raise StateError(f"{path}: there is no journal")
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            db.execute("BEGIN")  # one moment of the journal, whatever a running agent adds
            chains = _trail(
                db.execute("SELECT number, at_ms, event, statement, detail, chain FROM entry ORDER BY number")
            )
            receipts = _receipts(db.execute("SELECT sequence, data FROM receipt ORDER BY sequence"), chains, key)
            there = db.execute("SELECT count(*) FROM receipt WHERE acknowledged_ms IS NOT NULL").fetchone()[0]
        finally:
            db.close()
    except sqlite3.Error as error:
        raise StateError(f"{path}: the journal cannot be read: {error}") from error
    return Checked(tuple(chains), tuple(receipts), there)


def _trail(rows: Iterable[tuple[int, int, str, bytes | None, str, bytes]]) -> list[bytes]:
    """Return the hash of each entry in order."""
    chains: list[bytes] = []
    for number, at_ms, event, digest, detail, chain in rows:
        if number != len(chains) + 1:
            raise AuditError(f"audit: entry {len(chains) + 1} is missing")
        if link(chains[-1] if chains else b"", (number, at_ms, event, digest, detail)) != chain:
            raise AuditError(f"audit: entry {number} is not the one that was written there: altered or moved")
        chains.append(chain)
    return chains


def _receipts(rows: Iterable[tuple[int, bytes]], chains: list[bytes], key: PublicKey) -> list[bytes]:
    """Check that the receipts are the hub's, unbroken, and that the trail passes through the head in each.

    Returns their ids.
    """
    ids: list[bytes] = []
    for count, (sequence, data) in enumerate(rows, 1):
        if sequence != count:
            raise AuditError(f"audit: receipt {count} is missing")
        try:
            envelope = Envelope.open(data)
        except ProtocolError as error:
            raise AuditError(f"audit: receipt {sequence} cannot be read: {error}") from error
        receipt = envelope.statement
        if not isinstance(receipt, Receipt) or not envelope.verified_by({key.kid: key}):
            raise AuditError(f"audit: receipt {sequence} is not signed by this hub's key")
        if receipt.sequence != sequence or receipt.previous != (ids[-1] if ids else b""):
            raise AuditError(f"audit: receipt {sequence} does not follow the one before it")
        if not 0 <= receipt.audit_entry <= len(chains):
            raise AuditError(
                f"audit: entry {len(chains) + 1} is missing: receipt {sequence} was signed over a later one"
            )
        if receipt.audit_entry and chains[receipt.audit_entry - 1] != receipt.audit_head:
            raise AuditError(
                f"audit: entry {receipt.audit_entry}, or one before it, was rewritten after receipt {sequence}"
            )
        ids.append(envelope.digest)
    return ids
