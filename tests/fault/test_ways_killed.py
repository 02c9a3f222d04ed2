"""The agent is killed with SIGKILL while something comes by hand: no debris counts, the next try brings all of it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from tests.agents import GUARD_S, CutOff, bulletin, cut_off
from tests.journals import FILE, HUB_KEY, receipts
from tests.statements import SIGNER

from ward_hub.journal.audit import verify
from ward_hub.links.push import push_to
from ward_hub.usb.container import NAME, Kind, joined
from ward_protocol.envelope import Envelope, sign
from ward_protocol.statements import Audio, Bulletin, Event

RECORDING = random.Random(1).randbytes(3_000_000)
SHA256 = hashlib.sha256(RECORDING).digest()
COUNT = 60
GRANTS_ID = bytes(32)  # as tests.agents keeps them


def naming(sequence: int) -> bytes:
    statement = Envelope.open(bulletin(sequence)).statement
    assert isinstance(statement, Bulletin)
    later = replace(statement, audio=(Audio(SHA256, len(RECORDING), "audio/ogg", 1000),))
    return sign(later, [SIGNER])


def accepted(state: Path) -> list[bytes]:
    """What was accepted, but for the grants that the hub begins with."""
    found = [one.statement for one in receipts(state) if one.event is Event.ACCEPTED]
    return [one for one in found if one != GRANTS_ID]


def put_bundle(hub: CutOff, statements: list[bytes]) -> None:
    parts = [(Kind.STATEMENT, one) for one in statements] + [(Kind.RECORDING, RECORDING)]
    (hub.stick / "new").write_bytes(joined(parts))
    (hub.stick / "new").replace(hub.stick / NAME)


def is_here(hub: CutOff) -> bool:
    return any((hub.state / "media" / place / SHA256.hex()).exists() for place in ("", "ahead"))


async def test_while_a_recording_is_pushed(tmp_path: Path) -> None:
    (tmp_path / "audio").write_bytes(RECORDING)
    async with cut_off(tmp_path) as hub:
        async with push_to(hub.uri, deadline=GUARD_S) as push:
            pushing = asyncio.create_task(push.recording(tmp_path / "audio"))
            async with asyncio.timeout(GUARD_S):
                while not any(one.stat().st_size > len(RECORDING) // 4 for one in hub.incoming()):
                    await asyncio.sleep(0.01)
            await hub.end(signal.SIGKILL)
            assert len(hub.incoming()) == 1
            assert not is_here(hub)
            await hub.start()
            assert (await pushing).taken  # it began again by itself
        assert hub.incoming() == []
        assert (hub.state / "media" / "ahead" / SHA256.hex()).read_bytes() == RECORDING


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_while_a_bundle_is_taken(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    statements = [bulletin(sequence) for sequence in range(1, COUNT)] + [naming(COUNT)]
    digests = {Envelope.open(one).digest for one in statements}
    async with cut_off(tmp_path) as hub:
        put_bundle(hub, statements)
        enough = rng.randrange(1, COUNT)
        async with asyncio.timeout(GUARD_S):
            while len(hub.states()) < enough:
                await asyncio.sleep(0.001)
        await hub.end(signal.SIGKILL)
        (hub.state / "incoming" / "left-by-hand").write_bytes(RECORDING[:1000])
        await hub.start()
        async with asyncio.timeout(GUARD_S):
            while set(hub.states()) != digests or not (hub.state / "media" / SHA256.hex()).exists():
                await asyncio.sleep(0.05)  # for a moment it lies ahead; then the bulletin that names it has it
        await hub.end()
        assert hub.incoming() == []
        assert (hub.state / "media" / SHA256.hex()).read_bytes() == RECORDING
    assert sorted(accepted(hub.state)) == sorted(digests)
    verify(hub.state / FILE, HUB_KEY.public)


async def test_a_stick_that_is_pulled_and_comes_back(tmp_path: Path) -> None:
    """The file goes under the reader; what was judged stays judged, and the rest comes with the next try."""
    statements = [bulletin(sequence) for sequence in range(1, COUNT)]
    async with cut_off(tmp_path) as hub:
        put_bundle(hub, statements)
        whole = (hub.stick / NAME).read_bytes()
        async with asyncio.timeout(GUARD_S):
            while not hub.states():
                await asyncio.sleep(0.001)
        os.truncate(hub.stick / NAME, len(whole) // 3)
        (hub.stick / NAME).unlink()
        async with asyncio.timeout(GUARD_S):
            while (await hub.asked("status"))["bundle"] is None:
                await asyncio.sleep(0.02)
        (hub.stick / "new").write_bytes(whole)
        (hub.stick / "new").replace(hub.stick / NAME)
        async with asyncio.timeout(GUARD_S):
            while len(hub.states()) < len(statements):
                await asyncio.sleep(0.05)
    taken = accepted(hub.state)
    assert len(taken) == len(set(taken)) == len(statements)
