"""Recordings come whole or not at all: over loss, narrow links and outages, resumed, urgent ones first."""

from __future__ import annotations

import asyncio
import hashlib
import random
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.sim.links.rig import HANG_S, beat_with, bulletin, head, link_to, linked, source

from ward_hub.links import LinkDown, MisuseError, NotFound, SourceLink, WrongDigest
from ward_hub.links import endpoint as endpoint_module
from ward_hub.links import line as line_module
from ward_hub.links.partial import PartialFile

AUDIO = random.Random(3).randbytes(300_001)
SHA256 = hashlib.sha256(AUDIO).digest()


async def fetch(link: SourceLink, into: Path, *, urgent: bool = False) -> None:
    await link.fetch_media(SHA256, len(AUDIO), into, deadline=HANG_S, urgent=urgent)


@pytest.mark.parametrize("loss", [0.0, 0.1, 0.2])
async def test_whole_over_loss(tmp_path: Path, loss: float) -> None:
    async with linked(loss, delay_s=0.02) as (at, _network, link):
        at.put_media(AUDIO)
        await fetch(link, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == AUDIO
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


@pytest.mark.parametrize("size", [1, 1023, 1024, 1025, 2048])
async def test_every_kind_of_last_block(tmp_path: Path, size: int) -> None:
    async with linked() as (at, _network, link):
        sha256 = at.put_media(AUDIO[:size])
        await link.fetch_media(sha256, size, tmp_path / "a", deadline=HANG_S)
    assert (tmp_path / "a").read_bytes() == AUDIO[:size]


async def test_a_narrow_link_is_filled_without_a_standing_queue(tmp_path: Path) -> None:
    async with linked(delay_s=0.05, rate=100_000) as (at, network, link):
        at.put_media(AUDIO)
        await fetch(link, tmp_path / "a")
        sent, arrived = network.upward.traffic.datagrams, network.downward.traffic.datagrams
        assert network.downward.traffic.lost == 0  # a full queue drops
        assert arrived < 1.1 * sent
        assert sent < 1.2 * len(AUDIO) / 1024 + 50


async def test_an_outage_in_the_middle_costs_only_its_time(tmp_path: Path) -> None:
    async with linked(delay_s=0.02, rate=200_000) as (at, network, link):
        at.put_media(AUDIO)
        fetching = asyncio.ensure_future(fetch(link, tmp_path / "a"))
        while network.downward.traffic.octets < 100_000:
            await asyncio.sleep(0.01)
        network.up = False
        await asyncio.sleep(1.0)
        network.up = True
        await fetching
        assert network.downward.traffic.octets < 1.3 * len(AUDIO)
    assert (tmp_path / "a").read_bytes() == AUDIO


async def test_what_came_before_the_deadline_is_not_fetched_again(tmp_path: Path) -> None:
    async with linked(delay_s=0.01, rate=200_000) as (at, network, link):
        at.put_media(AUDIO)
        with pytest.raises(LinkDown, match="what came is kept"):
            await link.fetch_media(SHA256, len(AUDIO), tmp_path / "a", deadline=0.7)
        with PartialFile(tmp_path / "a", SHA256, len(AUDIO)) as part:
            missing = len(part.missing)
        assert 0 < missing < len(AUDIO) // 1024
        before = network.downward.traffic.octets
        await fetch(link, tmp_path / "a")
        assert network.downward.traffic.octets - before < (missing + 30) * 1100
    assert (tmp_path / "a").read_bytes() == AUDIO


async def test_another_process_may_go_on_where_one_stopped(tmp_path: Path) -> None:
    async with linked(delay_s=0.01, rate=200_000) as (at, network, link):
        at.put_media(AUDIO)
        fetching = asyncio.ensure_future(fetch(link, tmp_path / "a"))
        while network.downward.traffic.octets < 100_000:
            await asyncio.sleep(0.01)
        fetching.cancel()
        await asyncio.wait([fetching])
        async with link_to(network.uri) as other:
            await fetch(other, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == AUDIO


async def test_a_damaged_leftover_is_fetched_afresh(tmp_path: Path) -> None:
    with PartialFile(tmp_path / "a", SHA256, len(AUDIO)) as part:
        part.put(5, b"\0" * 1024)
    async with linked() as (at, _network, link):
        at.put_media(AUDIO)
        await fetch(link, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == AUDIO


async def test_a_wrong_digest_leaves_nothing(tmp_path: Path) -> None:
    async with linked() as (at, _network, link):
        at._media[SHA256.hex()] = AUDIO[:-1] + b"?"
        with pytest.raises(WrongDigest, match="another SHA-256"):
            await fetch(link, tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("claimed", [len(AUDIO) - 1, len(AUDIO) + 1, 1024, 10**7])
async def test_a_wrong_size_is_found_at_the_first_block(tmp_path: Path, claimed: int) -> None:
    async with linked() as (at, network, link):
        at.put_media(AUDIO)
        with pytest.raises(WrongDigest, match=f"300001 bytes, {claimed} were announced"):
            await link.fetch_media(SHA256, claimed, tmp_path / "a", deadline=HANG_S)
        assert network.downward.traffic.octets < 20_000


async def test_what_is_not_there(tmp_path: Path) -> None:
    async with linked() as (_at, _network, link):
        with pytest.raises(NotFound):
            await fetch(link, tmp_path / "a")


async def test_twice_at_once_is_refused(tmp_path: Path) -> None:
    async with linked(delay_s=0.05) as (at, _network, link):
        at.put_media(AUDIO)
        first = asyncio.ensure_future(fetch(link, tmp_path / "a"))
        await asyncio.sleep(0.02)
        with pytest.raises(MisuseError, match="already"):
            await fetch(link, tmp_path / "a", urgent=True)
        await first


async def test_an_urgent_one_overtakes_and_the_other_still_comes(tmp_path: Path) -> None:
    urgent_audio = AUDIO[:60_000]
    async with linked(delay_s=0.01, rate=100_000) as (at, network, link):
        at.put_media(AUDIO)
        sha256 = at.put_media(urgent_audio)
        slow = asyncio.ensure_future(fetch(link, tmp_path / "slow"))
        while network.downward.traffic.octets < 50_000:
            await asyncio.sleep(0.01)
        before = network.downward.traffic.octets
        await link.fetch_media(sha256, len(urgent_audio), tmp_path / "urgent", deadline=HANG_S, urgent=True)
        # Beside its own blocks, only what was under way already, and beats, may have come.
        assert network.downward.traffic.octets - before < len(urgent_audio) * 1.1 + 40_000
        assert not slow.done()
        await slow
    assert (tmp_path / "urgent").read_bytes() == urgent_audio
    assert (tmp_path / "slow").read_bytes() == AUDIO


async def test_a_recording_that_waits_its_turn_too_long_says_so(tmp_path: Path) -> None:
    async with linked(delay_s=0.05, rate=50_000) as (at, _network, link):
        at.put_media(AUDIO)
        first = asyncio.ensure_future(fetch(link, tmp_path / "a"))
        await asyncio.sleep(0.02)
        with pytest.raises(LinkDown, match="other recordings"):
            await link.fetch_media(SHA256, len(AUDIO), tmp_path / "b", deadline=0.1)
        first.cancel()
        await asyncio.wait([first])


async def test_a_worn_endpoint_is_replaced_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_module, "MESSAGES", 100)
    async with linked(0.05) as (at, _network, link):
        at.put_media(AUDIO)
        await fetch(link, tmp_path / "a")
        assert link.line.renewals >= 2
    assert (tmp_path / "a").read_bytes() == AUDIO


async def test_the_beat_moves_to_the_endpoint_that_replaces_a_worn_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint_module, "MESSAGES", 100)
    monkeypatch.setattr(line_module, "GRACE_S", 0.05)
    async with asyncio.timeout(HANG_S), source() as at:
        at.beat_period = 1000.0
        at.put_media(AUDIO)
        # With such a period, a lost registration would be missed after a minute only.
        async with SourceLink(at.uri, period=1000.0) as link:
            await beat_with(link, head(0))
            await fetch(link, tmp_path / "a")
            assert link.line.renewals >= 2
            await asyncio.sleep(0.3)
            at.publish(bulletin(1))
            await beat_with(link, head(1))


async def test_a_source_that_restarts_during_a_transfer(tmp_path: Path) -> None:
    async with asyncio.timeout(HANG_S), AsyncExitStack() as stack:
        first = await stack.enter_async_context(source())
        port = first.address[1]
        first.put_media(AUDIO)
        async with link_to(first.uri) as link:
            fetching = asyncio.ensure_future(fetch(link, tmp_path / "a"))
            while not (tmp_path / "a.part").exists():
                await asyncio.sleep(0)
            await asyncio.sleep(0.02)
            await stack.aclose()
            await asyncio.sleep(0.2)
            async with source(port) as second:
                second.put_media(AUDIO)
                await fetching
    assert (tmp_path / "a").read_bytes() == AUDIO
