"""Whatever is done to the journal's audit trail behind the agent's back, `verify` names the place."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.journals import FILE, HUB_KEY, journal

from ward_hub.errors import StateError
from ward_hub.journal.audit import AuditError, link, verify
from ward_protocol.reasons import Reason

COUNT = 6
places = st.integers(1, COUNT)


def filled(folder: Path) -> Path:
    with journal(folder) as one:
        for number in range(1, COUNT + 1):
            one.ledger.refuse(bytes([number]) * 32, f"feed/ward/{number}", Reason.UNKNOWN_KEY, "nobody's", None)
    return folder / FILE


def tamper(path: Path, *orders: tuple[str, tuple[object, ...]]) -> None:
    db = sqlite3.connect(path)
    with db:
        for order, values in orders:
            db.execute(order, values)
    db.close()


def test_an_untouched_trail_is_good() -> None:
    with tempfile.TemporaryDirectory() as name:
        assert verify(filled(Path(name)), HUB_KEY.public).number == COUNT


def test_no_journal_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="there is no journal"):
        verify(tmp_path / "none.sqlite", HUB_KEY.public)


@given(places, st.sampled_from(["at_ms = at_ms + 1", "event = 'aired'", "statement = x'00'", "detail = '{}'"]))
def test_an_altered_entry_is_named(place: int, change: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = filled(Path(name))
        tamper(path, (f"UPDATE entry SET {change} WHERE number = ?", (place,)))
        with pytest.raises(AuditError, match=rf"entry {place} "):
            verify(path, HUB_KEY.public)


@given(places)
def test_a_removed_entry_is_named(place: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = filled(Path(name))
        tamper(path, ("DELETE FROM entry WHERE number = ?", (place,)))
        with pytest.raises(AuditError, match=rf"entry {place} is missing"):
            verify(path, HUB_KEY.public)


@given(st.tuples(places, places).filter(lambda pair: pair[0] < pair[1]))
def test_the_first_of_two_swapped_entries_is_named(pair: tuple[int, int]) -> None:
    first, second = pair
    with tempfile.TemporaryDirectory() as name:
        path = filled(Path(name))
        move = "UPDATE entry SET number = ? WHERE number = ?"
        tamper(path, (move, (0, first)), (move, (first, second)), (move, (second, 0)))
        with pytest.raises(AuditError, match=rf"entry {first} "):
            verify(path, HUB_KEY.public)


@given(places)
def test_a_trail_hashed_anew_contradicts_the_receipts(place: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = filled(Path(name))
        tamper(path, ("UPDATE entry SET detail = '{}' WHERE number = ?", (place,)))
        rehash(path)
        with pytest.raises(AuditError, match=rf"entry {place}, or one before it, was rewritten"):
            verify(path, HUB_KEY.public)


@given(st.integers(1, COUNT - 1))
def test_a_removed_receipt_is_named(place: int) -> None:
    """The last one leaves no gap on the hub; it is the source that holds it."""
    with tempfile.TemporaryDirectory() as name:
        path = filled(Path(name))
        tamper(path, ("DELETE FROM receipt WHERE sequence = ?", (place,)))
        with pytest.raises(AuditError, match=rf"receipt {place} is missing"):
            verify(path, HUB_KEY.public)


def rehash(path: Path) -> None:
    """Do what somebody with the file, but without the hub's past receipts, would do."""
    db = sqlite3.connect(path)
    chain = b""
    with db:
        for entry in db.execute("SELECT number, at_ms, event, statement, detail FROM entry ORDER BY number").fetchall():
            chain = link(chain, entry)
            db.execute("UPDATE entry SET chain = ? WHERE number = ?", (chain, entry[0]))
    db.close()
