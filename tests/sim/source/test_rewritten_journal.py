"""A hub's journal is edited after its receipts were delivered: the hub's own commands and the source both show it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.journals import FILE, Now
from tests.rewriting import Story, altered, removed, rewrite, swapped
from tests.sim.links.rig import link_to, source
from tests.statements import STRANGER as HUB_KEY
from tests.unit.hub.test_config import GOOD

from ward_hub.cli.main import main
from ward_hub.clock import Clock
from ward_hub.identity import write_key
from ward_hub.journal import Journal, Ledger
from ward_hub.links import SourceLink
from ward_protocol.reasons import Reason
from ward_sim.source import ChainBreak, Source
from ward_sim.source.source import SourceEvent

COUNT = 6


class Hub:
    """A hub's state directory, its journal, and what it delivers."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.state.mkdir(mode=0o700)
        write_key(self.state / "hub.key", HUB_KEY)
        self.config = folder / "hub.toml"
        self.config.write_text(GOOD.replace("/var/lib/wardhub", str(self.state)), encoding="utf-8")
        self.journal = self.state / FILE
        self.refused = 0

    async def go_on(self, link: SourceLink, count: int = 1) -> None:
        """Decide so many things and deliver their receipts."""
        with Journal(self.journal, "hub-1", HUB_KEY, Clock(Now())) as journal:
            for _ in range(count):
                self.refused += 1
                place = f"feed/ward/{self.refused}"
                await journal.do(Ledger.refuse, bytes([self.refused]) * 32, place, Reason.UNKNOWN_KEY, "nobody's", None)
            for one in await journal.do(Ledger.waiting):
                assert await link.post_receipt(one.data, deadline=10) == one.digest
                await journal.do(Ledger.acknowledge, one.sequence)

    def audit(self, capture: pytest.CaptureFixture[str], *more: str | Path) -> tuple[int, str]:
        """Run `wardhub audit verify`; return its status and what it said."""
        status = main(["audit", "verify", "--config", str(self.config), *map(str, more)])
        out, err = capture.readouterr()
        return status, out + err


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return Hub(tmp_path)


def breaks(heard: list[SourceEvent]) -> list[ChainBreak]:
    return [one for one in heard if isinstance(one, ChainBreak)]


def saved(at: Source, folder: Path) -> Path:
    at.save_receipts(folder / "receipts")
    return folder / "receipts"


async def test_what_was_not_touched_agrees(hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heard: list[SourceEvent] = []
    async with source(on_event=heard.append) as at, link_to(at.uri) as link:
        for _ in range(COUNT):
            await hub.go_on(link)
        status, said = hub.audit(capsys, "--receipts", saved(at, tmp_path))
    assert (status, breaks(heard)) == (os.EX_OK, [])
    assert said.splitlines()[1:] == [f"{COUNT} receipts at the source agree; it acknowledged {COUNT}"]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (altered(3), "receipt 3 at the source (FILE) contradicts the trail: entry 3 was altered, removed or moved"),
        (removed(3), "receipt 3 at the source (FILE) contradicts the trail: entry 3 was altered, removed or moved"),
        (removed(COUNT), f"receipt {COUNT} at the source (FILE) was signed over entry {COUNT}: the trail ends at 5"),
        (swapped(2, 5), "receipt 2 at the source (FILE) contradicts the trail: entry 2 was altered, removed or moved"),
    ],
)
async def test_a_story_that_agrees_with_itself_shows_at_the_hub_and_at_the_source(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str], edit: Callable[[Story], Story], words: str
) -> None:
    heard: list[SourceEvent] = []
    async with source(on_event=heard.append) as at, link_to(at.uri) as link:
        await hub.go_on(link, COUNT)
        rewrite(hub.journal, HUB_KEY, edit)
        assert hub.audit(capsys)[0] == os.EX_OK  # nothing on the hub itself contradicts it
        folder = saved(at, tmp_path)
        status, said = hub.audit(capsys, "--receipts", folder)
        assert status == os.EX_DATAERR
        number = int(words.split()[1])
        (file,) = folder.glob(f"hub-1-{number:06d}-*.cose")
        assert f"audit: {words.replace('FILE', str(file))}" in said

        assert breaks(heard) == []
        await hub.go_on(link, 3)
        (found,) = breaks(heard)  # with the next receipt, and once
        assert (found.hub, found.sequence) == ("hub-1", COUNT + 1)
        assert len(at.receipts) == COUNT + 3  # what contradicts is kept


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("UPDATE entry SET detail = '{}' WHERE number = 4", "entry 4 is not the one that was written there"),
        ("DELETE FROM entry WHERE number = 4", "entry 4 is missing"),
        ("UPDATE entry SET number = 3 - number WHERE number IN (1, 2)", "entry 1 is not the one"),
    ],
)
async def test_a_clumsy_edit_shows_without_the_source(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str], order: str, words: str
) -> None:
    async with source() as at, link_to(at.uri) as link:
        await hub.go_on(link, COUNT)
        with closing(sqlite3.connect(hub.journal)) as db, db:
            db.execute("CREATE TEMP TABLE moved AS SELECT * FROM entry")
            db.execute(order.replace("entry", "moved"))
            db.execute("DELETE FROM entry")
            db.execute("INSERT INTO entry SELECT * FROM moved")
        for more in ([], ["--receipts", str(saved(at, tmp_path))]):
            status, said = hub.audit(capsys, *more)
            assert status == os.EX_DATAERR
            assert words in said


async def test_a_journal_that_is_begun_anew_with_the_same_key(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard: list[SourceEvent] = []
    async with source(on_event=heard.append) as at, link_to(at.uri) as link:
        await hub.go_on(link, COUNT)
        for file in hub.state.glob(f"{FILE}*"):
            file.unlink()
        await hub.go_on(link, 2)
        (found,) = breaks(heard)
        assert found.sequence == 1
        assert "came before with another content" in found.why
        status, said = hub.audit(capsys, "--receipts", saved(at, tmp_path))
        assert status == os.EX_DATAERR
        assert "receipt 1 at the source" in said


async def test_no_receipt_of_this_hub_is_no_agreement(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with source() as at, link_to(at.uri) as link:
        await hub.go_on(link)
        empty = tmp_path / "empty"
        empty.mkdir()
        assert hub.audit(capsys, "--receipts", empty)[0] == os.EX_USAGE
        status, said = hub.audit(capsys, "--receipts", *saved(at, tmp_path).iterdir(), empty, "--json")
        assert status == os.EX_OK
        assert '"agreed": 1, "acknowledged": 1, "passed_over": 0' in said
        assert hub.audit(capsys, "--receipts", tmp_path / "nowhere")[0] == os.EX_NOINPUT
