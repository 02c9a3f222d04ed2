"""What somebody with a hub's journal and its key can do: another story, hashed anew, and receipts signed anew."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from ward_hub.journal.audit import link
from ward_protocol.envelope import Envelope, sign
from ward_protocol.keys import Signer
from ward_protocol.statements import Receipt

Entry = tuple[int, int, str, bytes | None, str]
Story = list[Entry]


def altered(place: int) -> Callable[[Story], Story]:
    """Write something else into the entry of that number."""

    def edit(story: Story) -> Story:
        number, at_ms, event, statement, _ = story[place - 1]
        return [*story[: place - 1], (number, at_ms, event, statement, '{"detail": "rewritten"}'), *story[place:]]

    return edit


def removed(place: int) -> Callable[[Story], Story]:
    """Leave the entry of that number out."""
    return lambda story: [*story[: place - 1], *story[place:]]


def swapped(first: int, second: int) -> Callable[[Story], Story]:
    """Let two entries change places."""

    def edit(story: Story) -> Story:
        story = list(story)
        story[first - 1], story[second - 1] = story[second - 1], story[first - 1]
        return story

    return edit


def rewrite(path: Path, key: Signer, edit: Callable[[Story], Story]) -> None:
    """Put another story into the journal, so that it agrees with itself: numbers, hashes, and each receipt's head."""
    with closing(sqlite3.connect(path)) as db, db:
        story: Story = db.execute(
            "SELECT number, at_ms, event, statement, detail FROM entry ORDER BY number"
        ).fetchall()
        chains = [b""]
        db.execute("DELETE FROM entry")
        for number, (_, at_ms, event, statement, detail) in enumerate(edit(story), 1):
            entry = (number, at_ms, event, statement, detail)
            chains.append(link(chains[-1], entry))
            db.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)", (*entry, chains[-1]))
        previous = b""
        for sequence, data in db.execute("SELECT sequence, data FROM receipt ORDER BY sequence").fetchall():
            receipt = Envelope.open(data).statement
            assert isinstance(receipt, Receipt)
            stands = min(receipt.audit_entry, len(chains) - 1)
            told = replace(receipt, previous=previous, audit_entry=stands, audit_head=chains[stands])
            signed = sign(told, [key])
            previous = Envelope.open(signed).digest
            row = (signed, previous, sequence)
            db.execute("UPDATE receipt SET data = ?, digest = ? WHERE sequence = ?", row)
