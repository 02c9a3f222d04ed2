"""Receipts reach the source whatever one of them is: one that it never takes stays, and holds up none behind it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

import pytest
from tests.journals import FILE, Now, rows
from tests.sim.links.rig import HANG_S, link_to, source
from tests.statements import SIGNER, STRANGER

from ward_hub import outbox
from ward_hub.clock import Clock
from ward_hub.journal import Journal, Ledger
from ward_hub.links import SourceLink
from ward_hub.outbox import BATCH, Outbox
from ward_protocol.keys import Signer
from ward_protocol.reasons import Reason
from ward_sim.source import Source


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "FIRST_RETRY_S", 0.02)
    monkeypatch.setattr(outbox, "LONGEST_RETRY_S", 0.1)


def opened(folder: Path, key: Signer = STRANGER) -> Journal:
    return Journal(folder / FILE, "hub-1", key, Clock(Now()))


async def decide(journal: Journal, numbers: Iterable[int]) -> None:
    """Have a receipt written for each number."""
    for one in numbers:
        await journal.do(Ledger.refuse, bytes([one]) * 32, f"feed/ward/{one}", Reason.UNKNOWN_KEY, "nobody's", None)


def damage(folder: Path, numbers: Iterable[int]) -> None:
    """Change one letter of receipts, as a card that wears out does."""
    with closing(sqlite3.connect(folder / FILE)) as db, db:
        for one in numbers:
            (data,) = db.execute("SELECT data FROM receipt WHERE sequence = ?", (one,)).fetchone()
            worn = data.replace(b"nobody's", b"nobody'q")
            db.execute("UPDATE receipt SET data = ? WHERE sequence = ?", (worn, one))


def left(folder: Path) -> list[int]:
    return [row[0] for row in rows(folder, "SELECT sequence FROM receipt WHERE acknowledged_ms IS NULL")]


@asynccontextmanager
async def delivering(journal: Journal, link: SourceLink) -> AsyncIterator[Outbox]:
    box = Outbox(link, journal)
    journal.on_receipt = box.poke
    task = asyncio.create_task(box.run())
    try:
        yield box
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until_left(folder: Path, numbers: list[int]) -> None:
    while left(folder) != numbers:
        await asyncio.sleep(0.02)


def came(at: Source) -> list[int]:
    return [one.sequence for one in at.receipts]


async def test_one_that_is_never_taken_holds_up_none_behind_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    refused: list[object] = []
    async with asyncio.timeout(HANG_S), source(on_event=refused.append) as at, link_to(at.uri) as link:
        with opened(tmp_path) as journal:
            await decide(journal, range(1, 6))
            damage(tmp_path, [2])
            async with delivering(journal, link):
                await until_left(tmp_path, [2])
                assert came(at) == [1, 3, 4, 5]
                await decide(journal, [6])
                await until_left(tmp_path, [2])
                refused.clear()
                while len(refused) < 3:  # it is tried again all the same
                    await asyncio.sleep(0.02)
            told = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
            assert [one.split(":")[0] for one in told] == [
                "receipt 2 stays in the journal, the source does not take it"
            ]
            assert [one.sequence for one in await journal.do(Ledger.waiting)] == [2]  # the status goes on counting it


async def test_more_of_them_than_are_tried_at_once(tmp_path: Path) -> None:
    worn = list(range(1, 2 * BATCH + 2))
    async with asyncio.timeout(HANG_S), source() as at, link_to(at.uri) as link:
        with opened(tmp_path) as journal:
            await decide(journal, range(1, worn[-1] + 3))
            damage(tmp_path, worn)
            async with delivering(journal, link):
                await until_left(tmp_path, worn)
                assert came(at) == [worn[-1] + 1, worn[-1] + 2]


async def test_a_hub_that_is_enrolled_late_delivers_all_and_complains_of_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    count = BATCH + 3
    refused: list[object] = []
    async with asyncio.timeout(HANG_S), AsyncExitStack() as stack:
        first = await stack.enter_async_context(source(on_event=refused.append))
        async with link_to(first.uri) as link:
            with opened(tmp_path, SIGNER) as journal:
                await decide(journal, range(1, count + 1))
                async with delivering(journal, link):
                    while len(refused) < 2 * count:
                        await asyncio.sleep(0.02)
                    port = first.address[1]
                    await stack.aclose()
                    async with source(port, hub_key=SIGNER) as second:
                        await until_left(tmp_path, [])
                        assert sorted(came(second)) == list(range(1, count + 1))
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING and one.name == outbox.__name__]


async def test_through_an_outage_they_come_in_order(tmp_path: Path) -> None:
    async with asyncio.timeout(HANG_S), AsyncExitStack() as stack:
        first = await stack.enter_async_context(source())
        async with link_to(first.uri) as link:
            with opened(tmp_path) as journal:
                async with delivering(journal, link):
                    await decide(journal, range(1, 4))
                    await until_left(tmp_path, [])
                    port = first.address[1]
                    await stack.aclose()
                    await decide(journal, range(4, 9))
                    async with source(port) as second:
                        await until_left(tmp_path, [])
                        assert came(second) == [4, 5, 6, 7, 8]
