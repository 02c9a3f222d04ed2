"""Publishing: recordings first, then the statement; what a careful source refuses, and what a careless one takes."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from tests.sim.links.rig import HANG_S, bulletin, linked, receipt, source
from tests.statements import BULLETIN, CANCEL, SIGNER, STRANGER

from ward_hub.links import LinkDown, Refused
from ward_hub.links.publish import publish
from ward_protocol.envelope import sign
from ward_protocol.errors import ProtocolError
from ward_protocol.statements import Bulletin
from ward_sim.source import RefusedStatement
from ward_sim.source.source import SourceEvent


@pytest.mark.parametrize("loss", [0.0, 0.15])
async def test_a_bulletin_and_its_recording(tmp_path: Path, loss: float) -> None:
    recording = tmp_path / "speech.ogg"
    recording.write_bytes(random.Random(1).randbytes(20_000))
    async with linked(loss) as (at, network, link):
        place = await publish(network.uri, bulletin(1), [recording], deadline=HANG_S)
        assert place == "feed/ward/1"
        assert await link.fetch(place, deadline=HANG_S, max_size=65_536) == bulletin(1)
        assert at.heads == {"ward": 1}
        assert list(at._media.values()) == [recording.read_bytes()]


async def test_a_long_bulletin_goes_in_blocks() -> None:
    async with linked() as (at, network, _link):
        data = bulletin(1, "Nước lũ đang lên nhanh. " * 150)
        assert len(data) > 4096
        await publish(network.uri, data, deadline=HANG_S)
        assert at.feed.get("ward", 1) == data


async def test_the_same_again_is_the_same() -> None:
    async with linked() as (at, network, _link):
        for _ in range(2):
            assert await publish(network.uri, bulletin(1), deadline=HANG_S) == "feed/ward/1"
        assert at.heads == {"ward": 1}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (bulletin(2), "4.09 .*sequence 1 is next"),
        (sign(BULLETIN, [STRANGER]), "4.03 signed by 0 of ward's keys"),
        (receipt(), "4.22 a receipt is not published"),
    ],
)
async def test_a_careful_source_refuses(data: bytes, why: str) -> None:
    async with linked() as (at, network, _link):
        with pytest.raises(Refused, match=why):
            await publish(network.uri, data, deadline=HANG_S)
        assert at.heads == {}


async def test_a_careless_source_takes_a_forgery() -> None:
    async with asyncio.timeout(HANG_S), source(unchecked=True) as at:
        await publish(at.uri, sign(BULLETIN, [STRANGER]), deadline=HANG_S)
        assert at.heads == {"ward": 1}


async def test_no_envelope_is_not_even_sent() -> None:
    with pytest.raises(ProtocolError):
        await publish("coap://127.0.0.1:9", b"nonsense")


async def test_nobody_there_is_a_link_that_is_down() -> None:
    with pytest.raises(LinkDown):
        await publish("coap://127.0.0.1:9", bulletin(1), deadline=0.3)


async def test_whoever_watches_a_source_hears_what_happens() -> None:
    heard: list[SourceEvent] = []
    async with asyncio.timeout(HANG_S), source(on_event=heard.append) as at:
        assert at.publish(bulletin(1)) == ("ward", 1)
        at.publish(bulletin(1))
        at.publish(sign(CANCEL, [SIGNER]))
        with pytest.raises(RefusedStatement):
            at.publish(bulletin(9))
        with pytest.raises(Refused):
            await publish(at.uri, bulletin(9), deadline=HANG_S)
    assert [type(one).__name__ for one in heard] == ["Bulletin", "Cancel", "RefusedStatement"]
    assert isinstance(heard[0], Bulletin)
