"""Taking a bundle: each item is judged by itself, everything is told, and nothing of a bad one does harm."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.intakes import bulletin, desk, signed
from tests.journals import journal, story

from ward_hub.errors import HubError
from ward_hub.intake import Place, Verdict
from ward_hub.journal import Journal
from ward_hub.staging import Staging
from ward_hub.tally import Tally
from ward_hub.usb import watch
from ward_hub.usb.container import NAME, Item, Kind, joined
from ward_hub.usb.importer import Importer
from ward_hub.usb.stick import CHUNK, Stick
from ward_hub.usb.watch import Watch
from ward_protocol.reasons import Reason

RECORDING = os.urandom(100_000)
SHA256 = hashlib.sha256(RECORDING).digest()
PARTS = [
    (Kind.ROOT, b"root"),
    (Kind.STATEMENT, b"good one"),
    (Kind.STATEMENT, b"bad one"),
    (Kind.RECORDING, RECORDING),
]


@dataclass
class Hub:
    """An intake and a store that remember what they were given, in order."""

    folder: Path
    journal: Journal
    floor: int = 0
    given: list[bytes] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    fails: bool = False
    gate: asyncio.Event | None = None

    def __post_init__(self) -> None:
        (self.folder / "stick").mkdir()
        staging = Staging(self.folder / "incoming", self.floor)
        self.importer = Importer(self.deliver, self, staging, self.journal, self.tally)

    async def deliver(self, data: bytes, place: Place) -> Verdict:
        assert place == Place("usb")
        if self.gate is not None:
            await self.gate.wait()
        if self.fails:
            raise RuntimeError("the journal is full")
        self.given.append(data)
        bad = data.startswith(b"bad")
        return Verdict(hashlib.sha256(data).digest(), None, Reason.UNKNOWN_KEY if bad else None, "why" if bad else "")

    def holds(self, sha256: bytes) -> bool:
        return any(hashlib.sha256(one).digest() == sha256 for one in self.given)

    async def offer(self, draft: Path, sha256: bytes) -> None:
        if self.fails:
            raise OSError(5, "Input/output error")
        self.given.append(draft.read_bytes())
        draft.unlink()

    def put(self, data: bytes) -> Path:
        path = self.folder / "stick" / NAME
        path.with_name("new").write_bytes(data)
        path.with_name("new").replace(path)
        return path

    async def take(self, data: bytes) -> dict[str, Any]:
        return cast("dict[str, Any]", await self.importer.asked({"path": str(self.put(data))}))

    @property
    def entries(self) -> list[dict[str, Any]]:
        return [line.detail for line in story(self.folder) if line.event == "bundle"]

    @property
    def drafts(self) -> list[Path]:
        return list((self.folder / "incoming").iterdir())


@contextmanager
def hub(folder: Path, **details: Any) -> Iterator[Hub]:  # noqa: ANN401 - a field of Hub is anything
    with journal(folder) as opened:
        yield Hub(folder, opened, **details)


async def test_each_item_is_taken_in_order_and_told(tmp_path: Path) -> None:
    with hub(tmp_path) as one:
        report = await one.take(joined(PARTS))
        assert one.given == [data for _, data in PARTS]
        assert [(item["kind"], item["accepted"], item["reason"]) for item in report["items"]] == [
            ("root", True, ""),
            ("statement", True, ""),
            ("statement", False, "unknown-key"),
            ("recording", True, ""),
        ]
        assert [item["sha256"] for item in report["items"]] == [hashlib.sha256(data).hexdigest() for _, data in PARTS]
        assert report["trouble"] == ""
        counts = {"accepted": 2, "refused": 1, "recordings": 1, "trouble": "", "path": report["path"]}
        assert one.entries == [{"place": "usb", **counts}]
        assert one.importer.last is not None
        assert one.importer.last.counts() == counts
        assert one.drafts == []


async def test_a_recording_that_is_here_is_not_read(tmp_path: Path) -> None:
    with hub(tmp_path) as one:
        one.given.append(RECORDING)
        damaged = bytearray(joined(PARTS))
        damaged[-1] ^= 1
        report = await one.take(bytes(damaged))
        assert report["trouble"] == ""
        assert one.given.count(RECORDING) == 1


async def test_what_is_no_bundle_takes_nothing(tmp_path: Path) -> None:
    with hub(tmp_path) as one:
        report = await one.take(joined(PARTS)[:-1])
        assert report["items"] == ()
        assert "cut off or damaged; copy it again" in report["trouble"]
        assert one.given == []
        assert one.entries[0]["trouble"] == report["trouble"]


async def test_a_damaged_item_does_not_keep_the_others_back(tmp_path: Path) -> None:
    damaged = bytearray(joined(PARTS))
    damaged[damaged.index(b"good one")] ^= 1
    damaged[-1] ^= 1
    with hub(tmp_path) as one:
        report = await one.take(bytes(damaged))
        assert one.given == [b"root", b"bad one"]
        assert report["trouble"] == ""
        assert [item["accepted"] for item in report["items"]] == [True, False, False, False]
        assert "a statement is damaged" in report["items"][1]["detail"]
        assert "a recording is damaged" in report["items"][3]["detail"]
        assert one.drafts == []


async def test_a_stick_that_is_pulled_out_ends_it_and_what_was_taken_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a pulled stick does to a reader is EIO, which no file of ours gives."""
    real, reads = os.pread, 0

    def pread(descriptor: int, size: int, offset: int) -> bytes:
        nonlocal reads
        reads += 1
        if reads > 1 + len(PARTS) + 2:  # the heads, and two items
            raise OSError(5, "Input/output error")
        return real(descriptor, size, offset)

    with hub(tmp_path) as one:
        monkeypatch.setattr(os, "pread", pread)
        report = await one.take(joined(PARTS))
        assert one.given == [b"root", b"good one"]
        assert "Input/output error; see whether the stick is in" in report["trouble"]
        assert one.entries[0]["accepted"] == 2


async def test_a_hub_without_room_takes_the_statements(tmp_path: Path) -> None:
    with hub(tmp_path, floor=2**60) as one:
        report = await one.take(joined(PARTS))
        assert one.given == [b"root", b"good one", b"bad one"]
        assert report["items"][3]["detail"] == "there is no room on the hub's disk"


@pytest.mark.parametrize("path", ["", "wardhub.bundle", "/etc/passwd", "/tmp/x.bundle", 7, None])
async def test_only_a_whole_path_of_that_one_name_is_opened(tmp_path: Path, path: object) -> None:
    with hub(tmp_path) as one:
        with pytest.raises(HubError, match="with its whole path"):
            await one.importer.asked({"path": path})
        assert one.entries == []


async def test_what_fails_inside_is_no_verdict(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with hub(tmp_path, fails=True) as one:
        with pytest.raises(HubError, match="its log says why"):
            await one.take(joined(PARTS))
        assert one.entries == []
        report = await one.take(joined(PARTS[3:]))
        assert "could not be written to the hub's disk" in report["items"][0]["detail"]
        assert one.drafts == []
    assert "the journal is full" in caplog.text


async def test_a_stick_that_stalls_until_it_is_given_up_writes_into_no_other_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that waits for a medium cannot be stopped: what it writes to must not be another file meanwhile."""
    stalls, goes_on, ended = (threading.Event() for _ in range(3))
    copy = Stick.copy

    def stalled(descriptor: int, size: int, offset: int) -> bytes:
        data = os.pread(descriptor, size, offset)
        if size == CHUNK:
            stalls.set()
            goes_on.wait()
        return data

    def copied(stick: Stick, item: Item, into: Path) -> None:
        try:
            copy(stick, item, into)
        finally:
            ended.set()

    monkeypatch.setattr("ward_hub.usb.stick.os", SimpleNamespace(**{**vars(os), "pread": stalled}))
    monkeypatch.setattr(Stick, "copy", copied)
    with hub(tmp_path) as one:
        path = one.put(joined([(Kind.RECORDING, os.urandom(3 * CHUNK))]))
        taking = asyncio.create_task(one.importer.take(path))
        await asyncio.to_thread(stalls.wait)
        taking.cancel()
        await asyncio.sleep(0.05)
        others = [tmp_path / str(number) for number in range(10)]
        with ExitStack() as stack:
            for other in others:
                stack.enter_context(other.open("wb"))
            goes_on.set()
            await asyncio.to_thread(ended.wait)
            with pytest.raises(asyncio.CancelledError):
                await taking
        assert {other.read_bytes() for other in others} == {b""}
        assert one.drafts == []
        assert [entry["recordings"] for entry in one.entries] == []


async def test_one_at_a_time(tmp_path: Path) -> None:
    with hub(tmp_path, gate=asyncio.Event()) as one:
        first = asyncio.create_task(one.take(joined(PARTS)))
        await asyncio.sleep(0.05)
        with pytest.raises(HubError, match="already"):
            await one.take(joined(PARTS))
        assert one.gate is not None
        one.gate.set()
        assert len((await first)["items"]) == len(PARTS)


async def test_bad_bundles_do_not_fill_the_trail(tmp_path: Path) -> None:
    with hub(tmp_path, tally=Tally(burst=2)) as one:
        for _ in range(5):
            await one.take(b"junk")
        assert len(one.entries) == 2
        assert one.tally.due(0.0, all_of_it=True)[0].counts == {"bad-bundle": 3}


async def test_a_stick_that_is_another_one_each_time_does_not_fill_the_trail(tmp_path: Path) -> None:
    with hub(tmp_path, tally=Tally(burst=2)) as one:
        for number in range(5):
            await one.take(joined([(Kind.STATEMENT, b"bad %d" % number)]))
        assert len(one.entries) == 2
        assert one.tally.due(0.0, all_of_it=True)[0].counts == {"bundle": 3}


async def test_a_real_intake_decides(tmp_path: Path) -> None:
    with desk(tmp_path) as at:
        staging = Staging(tmp_path / "incoming", 0)
        store = cast("Any", None)
        importer = Importer(at.intake.take, store, staging, at.journal, at.tally)
        data = signed(bulletin())
        (tmp_path / NAME).write_bytes(joined([(Kind.STATEMENT, data), (Kind.STATEMENT, data + b"\0")]))
        report = await importer.take(tmp_path)
        assert [(one.accepted, one.reason) for one in report.items] == [(True, ""), (False, "not-deterministic")]
        assert [one.event.name for one in at.receipts()] == ["ACCEPTED", "REFUSED"]


# The watched directory


@contextmanager
def watched(one: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[asyncio.Task[None]]:
    monkeypatch.setattr(watch, "LOOK_S", 0.02)
    task = asyncio.create_task(Watch(one.folder / "stick", one.importer).run())
    try:
        yield task
    finally:
        task.cancel()


async def taken(one: Hub, count: int) -> None:
    async with asyncio.timeout(30):
        while len(one.entries) < count:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    assert len(one.entries) == count


async def test_a_bundle_that_appears_or_changes_is_taken_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hub(tmp_path) as one, watched(one, monkeypatch) as task:
        await asyncio.sleep(0.1)
        assert one.entries == []
        path = one.put(joined(PARTS[:1]))
        await taken(one, 1)
        one.put(joined(PARTS[1:2]))
        await taken(one, 2)
        path.unlink()
        await asyncio.sleep(0.1)
        one.put(joined(PARTS[2:3]))
        await taken(one, 3)
        assert one.given == [b"root", b"good one", b"bad one"]
        assert not task.done()


async def test_the_same_stick_again_is_looked_at_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hub(tmp_path) as one, watched(one, monkeypatch):
        path = one.put(joined(PARTS[:1]))
        await taken(one, 1)
        path.rename(tmp_path / "away")
        await asyncio.sleep(0.1)
        (tmp_path / "away").rename(path)
        await taken(one, 2)


async def test_what_is_still_being_written_is_left_until_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = joined(PARTS)
    with hub(tmp_path) as one:
        path = one.folder / "stick" / NAME
        with path.open("wb") as file, watched(one, monkeypatch):
            for start in range(0, len(data), 4096):
                file.write(data[start : start + 4096])
                file.flush()
                await asyncio.sleep(0.005)
            await taken(one, 1)
        assert one.entries[0]["trouble"] == ""


async def test_a_link_is_told_once_and_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hub(tmp_path) as one:
        (tmp_path / "elsewhere").write_bytes(joined(PARTS))
        (one.folder / "stick" / NAME).symlink_to(tmp_path / "elsewhere")
        with watched(one, monkeypatch):
            await taken(one, 1)
        assert "it is a link" in one.entries[0]["trouble"]
        assert one.given == []
