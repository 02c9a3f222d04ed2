"""The tables of the journal, and opening the file that holds them.

`entry` is the append-only, hash-chained story; the other tables are what the agent needs to go on after a power cut.
Everything that belongs together is written in one transaction with synchronous=FULL.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ward_hub.errors import StateError

VERSION = 3
TABLES = """
CREATE TABLE entry (
    number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, event TEXT NOT NULL, statement BLOB, detail TEXT NOT NULL,
    chain BLOB NOT NULL);
CREATE TABLE document (kind TEXT PRIMARY KEY, version INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE statement (
    digest BLOB PRIMARY KEY, data BLOB NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    received_ms INTEGER NOT NULL, issuer TEXT NOT NULL, bulletin INTEGER NOT NULL, emergency INTEGER NOT NULL,
    rank INTEGER NOT NULL DEFAULT 0);
CREATE INDEX statement_state ON statement (state);
CREATE INDEX statement_issuer ON statement (issuer, received_ms);
CREATE TABLE break_glass (
    statement BLOB PRIMARY KEY, kid BLOB NOT NULL, cleared INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE hold (
    digest BLOB PRIMARY KEY, what TEXT NOT NULL, level INTEGER NOT NULL, priority INTEGER NOT NULL,
    outlets TEXT NOT NULL, until INTEGER NOT NULL, issuer TEXT NOT NULL, sequence INTEGER NOT NULL,
    since INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE slot (issuer TEXT, sequence INTEGER, digest BLOB NOT NULL, PRIMARY KEY (issuer, sequence)) WITHOUT ROWID;
CREATE TABLE low (issuer TEXT PRIMARY KEY, sequence INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE refusal (digest BLOB, place TEXT, reason INTEGER, PRIMARY KEY (digest, place, reason)) WITHOUT ROWID;
CREATE TABLE withdrawal (
    target BLOB, issuer TEXT, state TEXT NOT NULL, reason INTEGER NOT NULL, detail TEXT NOT NULL,
    PRIMARY KEY (target, issuer)) WITHOUT ROWID;
CREATE TABLE receipt (
    sequence INTEGER PRIMARY KEY, data BLOB NOT NULL, digest BLOB NOT NULL, acknowledged_ms INTEGER);
CREATE TABLE alarm (kind INTEGER PRIMARY KEY, since_ms INTEGER NOT NULL, detail TEXT NOT NULL);
CREATE INDEX receipt_waiting ON receipt (sequence) WHERE acknowledged_ms IS NULL;
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open the journal, making it if it is new; raises StateError when it is not one this version can use."""
    try:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise StateError(f"{path}: the journal cannot be opened: {error}") from error
    try:
        _prepare(db, path)
    except sqlite3.Error as error:
        db.close()
        raise StateError(f"{path}: the journal cannot be used: {error}") from error
    except StateError:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        db.executescript(f"BEGIN; {TABLES} PRAGMA user_version={VERSION}; COMMIT;")
    elif version != VERSION:
        raise StateError(f"{path}: journal of version {version}, this agent needs {VERSION}")
