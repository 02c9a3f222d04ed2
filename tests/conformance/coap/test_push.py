"""libcoap's client against a hub's own server: Echo, Block1, Request-Tag and codes as an outside reader has them."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest
from tests.conformance.coap.test_libcoap import CLIENT, coap
from tests.sim.lan.rig import served

from ward_hub.lan import LanServer

pytestmark = pytest.mark.capability(CLIENT)
AUDIO = random.Random(1).randbytes(50_000)
LONG = b"good " + random.Random(2).randbytes(5000)


def uri(server: LanServer, path: str) -> str:
    assert server.address is not None
    return f"coap://{server.address[0]}:{server.address[1]}/{path}"


async def test_it_shows_that_it_hears_us_and_pushes_in_one_datagram(tmp_path: Path) -> None:
    async with served(tmp_path) as (hub, server):
        (tmp_path / "short").write_bytes(b"good and short")
        answer = tmp_path / "answer"
        await coap("-m", "post", "-f", str(tmp_path / "short"), "-o", str(answer), uri(server, "push"))
        assert answer.read_bytes() == hashlib.sha256(b"good and short").digest()
        assert hub.given == [b"good and short"]


@pytest.mark.parametrize("size", ["1024", "256", "16"])
async def test_it_pushes_in_blocks(tmp_path: Path, size: str) -> None:
    data = LONG if size != "16" else LONG[:1500]
    async with served(tmp_path) as (hub, server):
        (tmp_path / "long").write_bytes(data)
        answer = tmp_path / "answer"
        await coap("-m", "post", "-b", size, "-f", str(tmp_path / "long"), "-o", str(answer), uri(server, "push"))
        assert answer.read_bytes() == hashlib.sha256(data).digest()
        assert hub.given == [data]


async def test_it_gives_a_recording(tmp_path: Path) -> None:
    sha256 = hashlib.sha256(AUDIO)
    async with served(tmp_path) as (hub, server):
        (tmp_path / "audio").write_bytes(AUDIO)
        for _ in range(2):
            place = uri(server, f"media/{sha256.hexdigest()}")
            assert b"4." not in await coap("-m", "put", "-f", str(tmp_path / "audio"), place)
        assert hub.kept == {sha256.digest(): AUDIO}


async def test_it_is_told_the_verdict_and_what_it_did_wrong(tmp_path: Path) -> None:
    async with served(tmp_path) as (hub, server):
        # It prints what is no ASCII as dots.
        assert b"4.03 unknown-key: no key of H" in await coap("-m", "post", "-e", "forged", uri(server, "push"))
        assert b"4.04" in await coap(uri(server, "nothing"))
        assert b"4.05" in await coap(uri(server, "push"))
        assert b"4.02" in await coap("-m", "post", "-O", "65001,x", "-e", "good", uri(server, "push"))
        (tmp_path / "large").write_bytes(bytes(65_537))
        assert b"4.13" in await coap("-m", "post", "-f", str(tmp_path / "large"), uri(server, "push"))
        assert hub.given == [b"forged"]


async def test_it_finds_what_there_is(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, server):
        assert b'</push>;rt="wardhub.push"' in await coap(uri(server, ".well-known/core"))
