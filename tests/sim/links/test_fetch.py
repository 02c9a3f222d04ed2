"""Small things asked of a source: in one round trip, over loss, larger ones in blocks, refusals by their names."""

from __future__ import annotations

import asyncio

import pytest
from tests.sim.links.rig import HANG_S, bulletin, link_to, linked, receipt
from tests.statements import SIGNER

from ward_hub.links import LinkDown, NotFound, Refused, SourceError, TooLarge
from ward_protocol.envelope import Envelope


@pytest.mark.parametrize("loss", [0.0, 0.2])
@pytest.mark.parametrize("length", [0, 1, 733, 1024, 1025, 20_000, 60_000])
async def test_any_size_over_any_link(loss: float, length: int) -> None:
    async with linked(loss) as (at, _network, link):
        data = bytes(number % 251 for number in range(length))
        at.inject("ward", 1, data)
        assert await link.fetch("feed/ward/1", deadline=HANG_S, max_size=65_536) == data


async def test_a_bulletin_takes_one_round_trip() -> None:
    async with linked() as (at, network, link):
        at.beat_period = 1000.0
        at.publish(bulletin(1))
        async for _beat in link.beats():
            break
        await asyncio.sleep(0.5)  # the second notification of the change has passed
        before = network.upward.traffic.datagrams, network.downward.traffic.datagrams
        await link.fetch("feed/ward/1", deadline=HANG_S, max_size=65_536)
        after = network.upward.traffic.datagrams, network.downward.traffic.datagrams
        assert (after[0] - before[0], after[1] - before[1]) == (1, 1)


async def test_trust_documents_by_version() -> None:
    async with linked() as (at, _network, link):
        assert await link.fetch("root/1", deadline=HANG_S, max_size=65_536) == at.root.get(1)
        assert await link.fetch("grants/1", deadline=HANG_S, max_size=65_536) == at.grants.get(1)


@pytest.mark.parametrize("path", ["nothing", "feed/ward/1", "feed/ward/x", "root/2", "grants/0", "media/00", "beat/x"])
async def test_what_is_not_there(path: str) -> None:
    async with linked() as (_at, _network, link):
        with pytest.raises(NotFound, match="is not there") as caught:
            await link.fetch(path, deadline=HANG_S, max_size=100)
        assert caught.value.code == "4.04"


async def test_a_method_that_is_not_allowed_is_a_refusal() -> None:
    async with linked() as (_at, _network, link):
        with pytest.raises(Refused, match=r"4\.05"):
            await link.fetch("receipts", deadline=HANG_S, max_size=100)


@pytest.mark.parametrize("length", [101, 1024, 50_000])
async def test_more_than_is_taken(length: int) -> None:
    async with linked() as (at, _network, link):
        at.inject("ward", 1, bytes(length))
        with pytest.raises(TooLarge):
            await link.fetch("feed/ward/1", deadline=HANG_S, max_size=100)


async def test_a_link_that_is_down_ends_at_the_deadline_as_a_timeout() -> None:
    async with linked() as (_at, network, link):
        network.up = False
        with pytest.raises(LinkDown) as caught:
            await link.fetch("root/1", deadline=0.3, max_size=100)
        assert isinstance(caught.value, TimeoutError)


async def test_a_host_that_has_no_address_is_down_and_not_broken() -> None:
    async with asyncio.timeout(HANG_S), link_to("coap://no-such-host.invalid") as link:
        with pytest.raises(LinkDown):
            await link.fetch("root/1", deadline=0.3, max_size=100)


@pytest.mark.parametrize("loss", [0.0, 0.2])
@pytest.mark.parametrize("zones", [1, 64])
async def test_receipts_are_acknowledged_with_their_digest(loss: float, zones: int) -> None:
    async with linked(loss) as (at, _network, link):
        for sequence in range(2, 5):
            data = receipt(sequence, zones=zones)
            assert await link.post_receipt(data, deadline=HANG_S) == Envelope.open(data).digest
        assert [one.sequence for one in at.receipts] == [2, 3, 4]


async def test_a_receipt_delivered_twice_is_kept_once() -> None:
    async with linked() as (at, _network, link):
        for _ in range(2):
            await link.post_receipt(receipt(), deadline=HANG_S)
        assert len(at.receipts) == 1


@pytest.mark.parametrize("data", [b"nonsense", receipt(key=SIGNER), bulletin(1)])
async def test_a_receipt_that_is_none_is_refused_with_the_reason(data: bytes) -> None:
    async with linked() as (at, _network, link):
        with pytest.raises(Refused, match=r"4\.03 \w+") as caught:
            await link.post_receipt(data, deadline=HANG_S)
        assert caught.value.code == "4.03"
        assert at.receipts == []


async def test_a_large_receipt_survives_a_new_address_half_way() -> None:
    async with linked(delay_s=0.05) as (at, network, link):
        delivering = asyncio.ensure_future(link.post_receipt(receipt(zones=64), deadline=HANG_S))
        await asyncio.sleep(0.15)
        network.rebind()
        await delivering
        assert len(at.receipts) == 1


async def test_a_nonce_of_the_wrong_length_is_refused() -> None:
    async with linked() as (_at, _network, link):
        with pytest.raises(Refused, match=r"4\.00"):
            await link.nonce_beat(b"short", HANG_S)


async def test_a_long_path_or_query_does_no_harm() -> None:
    async with linked() as (_at, _network, link):
        with pytest.raises(SourceError):
            await link.fetch("x" * 300, deadline=HANG_S, max_size=100)
