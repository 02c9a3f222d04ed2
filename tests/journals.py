"""The journal as tests see it: on a clock of theirs, read back through a second connection, chains checked."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from tests.clocks import clock
from tests.statements import NOW, SIGNER, signer

from ward_hub.clock import Clock
from ward_hub.journal import Journal, Ledger
from ward_protocol.envelope import Envelope
from ward_protocol.statements import Receipt

P = ParamSpec("P")
R = TypeVar("R")
HUB, HUB_KEY = "hub-1", signer(9)
FILE = "journal.sqlite"


@dataclass
class Now:
    """A system clock that stands where it is put, in Unix seconds."""

    at: float = float(NOW)

    def __call__(self) -> float:
        return self.at


@dataclass(frozen=True)
class Line:
    """One entry of the journal's story."""

    event: str
    statement: bytes | None
    detail: dict[str, Any]


class Inline(Journal):
    """A journal without its thread, for a loop whose time is virtual; methods named in `broken` fail as a full disk."""

    broken: frozenset[str] = frozenset()

    async def do(self, method: Callable[Concatenate[Ledger, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run at once, after others had their turn as with a real one."""
        await asyncio.sleep(0)
        if method.__name__ in self.broken:
            raise sqlite3.OperationalError("database or disk is full")
        before = self._receipts.written
        result = method(self.ledger, *args, **kwargs)
        if self._receipts.written != before:
            self.on_receipt()
        return result


@contextmanager
def journal(folder: Path, now: Now | None = None, hub_clock: Clock | None = None) -> Iterator[Journal]:
    """The journal in `folder`, made if it is new."""
    with Journal(folder / FILE, HUB, HUB_KEY, hub_clock or clock(now or Now())) as opened:
        yield opened


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    """What a second connection, such as a technician's, sees."""
    with closing(sqlite3.connect(folder / FILE)) as db:
        return db.execute(query).fetchall()


def story(folder: Path) -> list[Line]:
    """All entries, after their hash chain was worked out again from the columns."""
    lines, chain = [], b""
    for number, at_ms, event, statement, detail, kept in rows(
        folder, "SELECT number, at_ms, event, statement, detail, chain FROM entry ORDER BY number"
    ):
        told = json.dumps([number, at_ms, event, statement.hex() if statement else None, detail]).encode()
        chain = hashlib.sha256(chain + told).digest()
        assert kept == chain
        lines.append(Line(event, statement, json.loads(detail)))
    return lines


def receipts(folder: Path) -> list[Receipt]:
    """All receipts in order, after signature, numbering and chain of each were checked."""
    found: list[Receipt] = []
    previous = b""
    for number, data, digest in rows(folder, "SELECT sequence, data, digest FROM receipt ORDER BY sequence"):
        envelope = Envelope.open(data)
        receipt = envelope.statement
        assert isinstance(receipt, Receipt)
        assert envelope.verified_by({HUB_KEY.kid: HUB_KEY.public}) == {HUB_KEY.kid}
        assert (receipt.hub, receipt.sequence, receipt.previous) == (HUB, number, previous)
        assert (number, digest) == (len(found) + 1, envelope.digest)
        previous = envelope.digest
        found.append(receipt)
    return found


assert HUB_KEY.kid != SIGNER.kid
