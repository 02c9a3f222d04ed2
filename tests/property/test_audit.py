"""Whatever is done to the journal's audit trail behind the agent's back, `verify` names the place."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.journals import FILE, HUB_KEY, journal
from tests.rewriting import Story, altered, removed, rewrite, swapped
from tests.statements import MINIMAL, RECEIPT, SIGNER

from ward_hub.errors import StateError
from ward_hub.journal.audit import AuditError, checked, link, verify
from ward_hub.journal.held_upstream import Compared, compare
from ward_protocol.envelope import Envelope, sign
from ward_protocol.reasons import Reason
from ward_protocol.statements import Receipt

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


# Against what the source holds: whoever has the journal has the hub's key as well


def delivered(path: Path) -> list[tuple[str, bytes]]:
    """The receipts as they came to the source."""
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT sequence, data FROM receipt ORDER BY sequence").fetchall()
    return [(f"{sequence}.cose", data) for sequence, data in rows]


def compared(path: Path, held: list[tuple[str, bytes]]) -> Compared:
    return compare(checked(path, HUB_KEY.public), HUB_KEY.public, held)


@given(st.permutations(range(COUNT)), st.integers(0, COUNT))
def test_what_the_source_holds_agrees_in_any_order_and_number(order: list[int], count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = filled(Path(name))
        held = delivered(path)
        assert compared(path, [held[one] for one in order[:count]]) == Compared(count, 0)
        assert compared(path, [*held, *held]).agreed == COUNT


EDITS = st.one_of(
    st.builds(lambda place: (place, altered(place)), places),
    st.builds(lambda place: (place, removed(place)), places),
    st.builds(
        lambda pair: (min(pair), swapped(min(pair), max(pair))),
        st.tuples(places, places).filter(lambda pair: pair[0] != pair[1]),
    ),
)


@given(EDITS)
def test_a_story_that_agrees_with_itself_contradicts_what_was_delivered(
    edit: tuple[int, Callable[[Story], Story]],
) -> None:
    place, change = edit
    with tempfile.TemporaryDirectory() as name:
        path = filled(Path(name))
        held = delivered(path)
        rewrite(path, HUB_KEY, change)
        verify(path, HUB_KEY.public)  # nothing on the hub itself shows it
        with pytest.raises(AuditError) as caught:
            compared(path, held)
        words = str(caught.value)
        assert words.startswith(f"audit: receipt {place} at the source ({place}.cose) ")
        if len(checked(path, HUB_KEY.public).chains) < place:
            assert words.endswith(f"was signed over entry {place}: the trail ends at {place - 1}")
        else:
            assert words.endswith(f"entry {place} was altered, removed or moved after it was signed")


def test_without_every_receipt_the_entries_between_are_named(tmp_path: Path) -> None:
    path = filled(tmp_path)
    held = delivered(path)
    rewrite(path, HUB_KEY, altered(3))
    with pytest.raises(AuditError, match=r"receipt 5 .* one of the entries 2 to 5 was altered, removed or moved"):
        compared(path, [held[0], held[4]])
    assert compared(path, held[:2]) == Compared(2, 0)  # what came before it agrees


def test_a_receipt_that_was_removed_or_made_anew_is_named(tmp_path: Path) -> None:
    path = filled(tmp_path)
    held = delivered(path)
    tamper(path, ("DELETE FROM receipt WHERE sequence = ?", (COUNT,)))
    with pytest.raises(AuditError, match=rf"receipt {COUNT} at the source .* is not in this journal: it was removed"):
        compared(path, held)
    receipt = Envelope.open(held[1][1]).statement
    assert isinstance(receipt, Receipt)
    other = sign(replace(receipt, detail="another"), [HUB_KEY])
    with pytest.raises(AuditError, match=r"receipt 2 at the source .*other.* was made anew, though the trail agrees"):
        compared(path, [*held[:3], ("other", other)])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"garbage", "audit: it: malformed-cose"),
        (sign(MINIMAL, [SIGNER]), "audit: it: a bulletin is no receipt"),
        (sign(RECEIPT, [HUB_KEY])[:-1] + b"x", "audit: it: bad-signature"),
    ],
)
def test_what_is_no_receipt_of_this_hub_is_said_so(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(AuditError, match=words):
        compared(filled(tmp_path), [("it", data)])


def test_receipts_by_other_keys_are_passed_over(tmp_path: Path) -> None:
    path = filled(tmp_path)
    others = [("other", sign(RECEIPT, [SIGNER]))]
    assert compared(path, [*delivered(path), *others]) == Compared(COUNT, 1)
