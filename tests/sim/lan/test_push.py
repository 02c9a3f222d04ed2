"""Pushing to a hub: its questions are answered, losses repeated, recordings follow what names them; `wardhub push`."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from tests.sim.lan.rig import served
from tests.sim.links.rig import bulletin
from tests.statements import MINIMAL, SIGNER

from ward_hub.cli.main import main
from ward_hub.lan import LanServer
from ward_hub.lan.limits import DECISIONS, KNOWN_S
from ward_hub.links import LinkDown, MisuseError
from ward_hub.links.push import Pushed, push_to
from ward_protocol.envelope import sign
from ward_protocol.reasons import Reason
from ward_protocol.statements import Audio
from ward_sim.network import LossyLink

AUDIO = random.Random(1).randbytes(50_000)
SHA256 = hashlib.sha256(AUDIO).digest()
NAMING = sign(replace(MINIMAL, sequence=2, audio=(Audio(SHA256, len(AUDIO), "audio/ogg", 1000),)), [SIGNER])
LONG = bulletin(3, "Nước lũ đang lên nhanh. " * 150)


def everything(_data: bytes) -> bool:
    return True


def nothing(_data: bytes) -> bool:
    return False


def uri(server: LanServer) -> str:
    assert server.address is not None
    return f"coap://{server.address[0]}:{server.address[1]}"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, data in (("one", bulletin(1)), ("naming", NAMING), ("long", LONG), ("audio", AUDIO), ("junk", b"junk")):
        (tmp_path / name).write_bytes(data)
    return tmp_path


# The way to a hub


@pytest.mark.parametrize("loss", [0.0, 0.15])
async def test_statements_and_recordings(files: Path, loss: float) -> None:
    async with served(files / "hub", good=everything) as (hub, server):
        assert server.address is not None
        async with LossyLink(server.address, delay_s=0.01, loss=loss, seed=1) as network, push_to(network.uri) as push:
            assert await push.statement(bulletin(1)) == Pushed(taken=True)
            assert await push.statement(LONG) == Pushed(taken=True)
            assert await push.recording(files / "audio") == Pushed(taken=True)
            assert await push.recording(files / "audio") == Pushed(taken=True)
        assert hub.given == [bulletin(1), LONG]
        assert hub.kept == {SHA256: AUDIO}


async def test_a_refusal_comes_in_the_hubs_words(files: Path) -> None:
    async with served(files / "hub", good=nothing) as (_, server), push_to(uri(server)) as push:
        why = "unknown-key: no key of Hà Đông signed it"
        assert await push.statement(LONG) == Pushed(taken=False, words=why)
        too_large = await push.statement(bytes(70_000))
        assert too_large == Pushed(taken=False, words="at most 65536 bytes")


async def test_a_hub_that_forgets_us_asks_again_in_the_middle(files: Path) -> None:
    async with served(files / "hub", good=everything, frozen=True) as (hub, server), push_to(uri(server)) as push:
        assert (await push.statement(bulletin(1))).taken
        pushing = asyncio.create_task(push.recording(files / "audio"))
        while not hub.spooled:
            await asyncio.sleep(0)
        server._limits._accounts["127.0.0.1"].known_until.clear()
        assert (await pushing).taken
        hub.now += KNOWN_S + 1
        assert (await push.statement(LONG)).taken


async def test_a_hub_that_has_no_time_is_asked_when_it_has(files: Path) -> None:
    async with served(files / "hub", good=everything) as (hub, server):
        async with push_to(uri(server)) as push:
            assert (await push.statement(bulletin(1))).taken
            server._limits._accounts["127.0.0.1"].decisions.stock = 0.4
            assert (await push.statement(LONG)).taken
            assert hub.given == [bulletin(1), LONG]
        assert DECISIONS.peer.each_second == 0.5


async def test_a_hub_that_starts_again_gets_all_of_it(files: Path) -> None:
    """Its secret is another one then, and nothing is left of what came."""
    async with served(files / "one-hub", good=everything) as (hub, server):
        assert server.address is not None
        async with LossyLink(server.address, delay_s=0.002, loss=0, seed=1) as network, push_to(network.uri) as push:
            pushing = asyncio.create_task(push.recording(files / "audio"))
            while not hub.spooled:
                await asyncio.sleep(0)
            await asyncio.sleep(0.05)
            server._spool.close()
            server._limits._accounts.clear()
            assert (await pushing).taken
        assert hub.kept == {SHA256: AUDIO}


async def test_nobody_there(files: Path) -> None:
    async with push_to("coap://127.0.0.1:9", deadline=0.3) as push:
        with pytest.raises(LinkDown):
            await push.statement(bulletin(1))
    with pytest.raises(MisuseError):
        async with push_to("http://hub"):
            pass


# The command


async def wardhub(*words: str | Path) -> int:
    return await asyncio.to_thread(main, [*map(str, words)])


async def test_what_is_named_goes_with_what_names_it(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with served(files / "hub", good=everything) as (hub, server):
        words = (files / "naming", files / "one", "--to", uri(server), "--media", files / "audio", "--json")
        assert await wardhub("push", *words) == 0
        told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [(Path(one["file"]).name, one["taken"]) for one in told] == [
            ("naming", True),
            ("audio", True),
            ("one", True),
        ]
        assert told[1]["id"] == SHA256.hex()
        assert hub.given == [NAMING, bulletin(1)]
        assert hub.kept == {SHA256: AUDIO}


async def test_recordings_of_what_is_refused_are_not_sent(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with served(files / "hub", good=lambda data: data == bulletin(1)) as (hub, server):
        words = (files / "naming", files / "one", "--to", uri(server), "--media", files / "audio")
        assert await wardhub("push", *words, "--lang", "en") == 77
        said = capsys.readouterr().out.splitlines()
        why = "unknown-key: no key of Hà Đông signed it (it lacks the signatures that count here)"
        assert said[0].endswith(f"naming: the hub refuses it: {why}")
        assert "one: the hub took it, id " in said[1]
        assert len(said) == 2
        assert hub.kept == {}


async def test_recordings_that_nothing_names_are_sent_ahead(files: Path) -> None:
    async with served(files / "hub", good=everything) as (hub, server):
        assert await wardhub("push", files / "one", "--to", uri(server), "--media", files / "audio") == 0
        assert hub.kept == {SHA256: AUDIO}


async def test_recordings_of_what_was_decided_before_are_sent(files: Path) -> None:
    """They may be what is missed; the hub takes what it needs."""
    async with served(files / "hub", reason=Reason.REPLAYED, good=nothing) as (hub, server):
        assert await wardhub("push", files / "naming", "--to", uri(server), "--media", files / "audio") == 77
        assert hub.kept == {SHA256: AUDIO}


async def test_in_vietnamese(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with served(files / "hub", good=lambda data: data == bulletin(1)) as (_, server):
        assert await wardhub("push", files / "one", files / "naming", "--to", uri(server)) == 77
        said = capsys.readouterr().out.splitlines()
        assert "thiết bị trung tâm đã nhận" in said[0]
        assert "thiết bị trung tâm từ chối" in said[1]


async def test_what_is_no_signed_file_is_not_sent(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with served(files / "hub", good=everything) as (hub, server):
        assert await wardhub("push", files / "one", files / "junk", "--to", uri(server)) == 65
        assert capsys.readouterr().err.count("\n") == 1
        assert hub.given == []


@pytest.mark.parametrize(("to", "status"), [("http://hub", 69), ("coap://127.0.0.1:0", 69)])
def test_no_way_to_it(files: Path, to: str, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["push", str(files / "one"), "--to", to]) == status
    assert capsys.readouterr().err.count("\n") == 1
