"""Attacks by a stick: whoever lays one on the table decides about every byte and every name on it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fault.attacks.range import AREA, GUARD_S, Line, Range, Run, ranged
from tests.statements import STRANGER

from ward_hub.control import ask
from ward_hub.errors import HubError
from ward_hub.usb.container import HEAD, HEADER, MAGIC, MOST, NAME, VERSION, Kind, joined
from ward_protocol.envelope import MAX_SIZE, Envelope, sign
from ward_protocol.reasons import Reason
from ward_protocol.statements import Audience, Event, Priority


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Range, Run]]:
    with ranged(tmp_path_factory.mktemp("range")) as (at, run):
        run(at.open_ways())
        yield at, run


async def taken(at: Range) -> dict[str, Any]:
    """What the hub says of the bundle on the stick, which somebody there has it take."""
    found: dict[str, Any] = await asyncio.to_thread(
        ask, at.folder / "state", "import", patience=GUARD_S, path=str(at.stick / NAME)
    )
    return found


def put_in(at: Range, data: bytes) -> None:
    """Lay a bundle on the stick, at once."""
    (at.stick / "new").write_bytes(data)
    (at.stick / "new").replace(at.stick / NAME)


def pull_out(at: Range) -> None:
    shutil.rmtree(at.stick)
    at.stick.mkdir()


def troubles(at: Range, since: int) -> list[Line]:
    return [one for one in at.trail(since) if one.event == "bundle" and one.detail["trouble"]]


def test_statements_that_nobody_signed_or_not_for_this_hub(site: tuple[Range, Run]) -> None:
    """The stick is looked at by itself. What it says of its items, such as their kinds, changes nothing."""
    at, run = site
    elsewhere = Audience((AREA,), ("hub-xx-yyyyy",), ("none",), ("board-1",))

    async def play() -> None:
        async with at.attack() as before:
            good = sign(at.bulletin(), at.by())
            forged = sign(at.bulletin(priority=Priority.EMERGENCY), [STRANGER])
            carried = sign(at.bulletin(audience=elsewhere), at.by())
            at.sequences["ward"] = at.next()
            items = [forged, good[:-7], good.replace(b"ba.", b"BA."), carried]
            beat = at.stage.offices.grants()  # grants that are in force already, and call themselves a beat
            put_in(at, joined([(Kind.BEAT, beat), *((Kind.STATEMENT, one) for one in items)]))
            for reason in (
                Reason.VERSION_ROLLBACK,
                Reason.UNKNOWN_KEY,
                Reason.MALFORMED_CBOR,
                Reason.BAD_SIGNATURE,
                Reason.NOT_FOR_THIS_HUB,
            ):
                await at.refused(reason, before)
            assert {one.detail["place"] for one in at.trail(before) if one.event == "refused"} == {"usb"}
            pull_out(at)

    run(play())


def test_the_highest_number_there_is(site: tuple[Range, Run]) -> None:
    """By an author's stolen key: else all that this authority ever issued again would be refused as replayed."""
    at, run = site

    async def play() -> None:
        async with at.attack() as before:
            put_in(at, joined([(Kind.STATEMENT, sign(at.bulletin(sequence=2**53), at.by()))]))
            await at.refused(Reason.SEQUENCE_TOO_FAR, before)
            pull_out(at)

    run(play())


def bundle_of(at: Range) -> bytes:
    """A bundle of one good bulletin."""
    return joined([(Kind.STATEMENT, sign(at.bulletin(), at.by()))])


def headed(kind: int, size: int, data: bytes, *, count: int = 1) -> bytes:
    """A bundle by hand, of one item whose head says that."""
    whole = HEAD.pack(kind, bytes(3), size, hashlib.sha256(data).digest()) + data
    return HEADER.pack(MAGIC, VERSION, count, HEADER.size + len(whole)) + whole


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        (lambda data: data[:-1], "cut off"),
        (lambda data: data[: HEADER.size + 10], "cut off"),
        (lambda data: data + b"\0", "cut off or damaged"),
        (lambda data: struct.pack(">8sHHI", MAGIC, VERSION, 2, len(data)) + data[HEADER.size :], "cut off"),
        (lambda _data: headed(4, MAX_SIZE + 1, bytes(MAX_SIZE + 1)), "not 65537"),
        (lambda _data: headed(4, 2**32 - 1, b"x"), "not 4294967295"),
        (lambda _data: headed(9, 1, b"x"), "a kind that this program does not know"),
        (lambda _data: headed(4, 1, b"x", count=0), "0 items"),
        (lambda _data: b"PK\x03\x04" + bytes(1000), "no bundle"),
        (lambda data: data + bytes(MOST + 1 - len(data)), f"at most {MOST}"),
    ],
    ids=["cut", "head-cut", "tail", "count", "item-too-large", "size-lies", "kind", "empty", "zip", "file-too-large"],
)
def test_a_bundle_that_lies_about_itself(
    site: tuple[Range, Run], change: Callable[[bytes], bytes], trouble: str
) -> None:
    """Refused whole, before any item is read, with the good bulletin that is in it."""
    at, run = site

    async def play() -> None:
        async with at.attack() as before:
            put_in(at, change(bundle_of(at)))
            report = await taken(at)
            assert report["items"] == []
            assert trouble in report["trouble"]
            assert troubles(at, before)
            pull_out(at)

    run(play())


@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_what_is_no_plain_file(site: tuple[Range, Run], tmp_path: Path, kind: str) -> None:
    """A link would have the hub read any file of its own; items have no names, so there are no other paths in it."""
    at, run = site

    async def play() -> None:
        async with at.attack() as before:
            elsewhere = tmp_path / NAME
            elsewhere.write_bytes(bundle_of(at))
            match kind:
                case "link":
                    (at.stick / NAME).symlink_to(elsewhere)
                case "pipe":
                    os.mkfifo(at.stick / NAME)
                case _:
                    (at.stick / NAME).mkdir()
            report = await taken(at)
            assert (report["items"], bool(report["trouble"])) == ([], True)
            assert troubles(at, before)
            pull_out(at)

    run(play())


def test_another_name(site: tuple[Range, Run]) -> None:
    """There is one name; the agent, which may read more than who asks it, opens no other for anybody."""
    at, run = site

    async def play() -> None:
        async with at.attack(audited=False):  # nothing is opened, so nothing came
            for name in ("wardhub.bundle.bak", "WARDHUB.BUNDLE", "update.bin"):
                (at.stick / name).write_bytes(bundle_of(at))
            for path in (at.stick / "update.bin", at.stick / "..", at.folder / "state" / "hub.key", Path(NAME)):
                with pytest.raises(HubError, match=NAME):
                    await asyncio.to_thread(ask, at.folder / "state", "import", patience=GUARD_S, path=str(path))
            await asyncio.sleep(5)  # longer than the watch needs for a bundle
            pull_out(at)

    run(play())


def test_a_recording_under_the_digest_of_another(site: tuple[Range, Run]) -> None:
    """What is not the file that its head names is passed over, and nothing of it stays on the disk."""
    at, run = site

    async def play() -> None:
        async with at.attack() as before:
            data = bytearray(joined([(Kind.RECORDING, b"RIFF" * 1000)]))
            data[-1] ^= 1
            put_in(at, bytes(data))
            (item,) = (await taken(at))["items"]
            assert (item["accepted"], "another SHA-256" in item["detail"]) == (False, True)
            assert [one.detail["recordings"] for one in at.trail(before) if one.event == "bundle"] == [0]
            assert not any((at.folder / "state" / "incoming").iterdir())
            pull_out(at)

    run(play())


def test_a_stick_that_is_put_in_again_and_again(site: tuple[Range, Run]) -> None:
    """It airs once, whoever carries it round."""
    at, run = site

    async def play() -> None:
        data = sign(at.bulletin(), at.by())
        at.sequences["ward"] = at.next()
        digest = Envelope.open(data).digest
        put_in(at, joined([(Kind.STATEMENT, data)]))
        await at.until(lambda: any(one.event is Event.AIRED for one in at.receipts(digest)), "it airs")
        async with at.attack() as before:
            for _ in range(2):
                (item,) = (await taken(at))["items"]
                assert item["reason"] == Reason.REPLAYED.word
            await at.refused(Reason.REPLAYED, before)
            pull_out(at)
        assert [one.event for one in at.receipts(digest)].count(Event.AIRED) == 1

    run(play())
