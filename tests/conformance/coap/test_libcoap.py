"""libcoap's client against our source: an implementation that shares nothing with ours reads and writes it."""

from __future__ import annotations

import asyncio
import hashlib
import random
from pathlib import Path

import pytest
from tests.sim.links.rig import HANG_S, bulletin, receipt, source

from ward_protocol.envelope import Envelope
from ward_protocol.statements import Beat

CLIENT = "coap-client-notls"
pytestmark = pytest.mark.capability(CLIENT)


async def coap(*arguments: str) -> bytes:
    """Run libcoap's client and return what it wrote."""
    process = await asyncio.create_subprocess_exec(
        CLIENT, "-v", "0", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    return output


async def test_reads_small_and_large_things(tmp_path: Path) -> None:
    media = random.Random(1).randbytes(100_000)
    async with asyncio.timeout(HANG_S), source() as at:
        at.publish(bulletin(1))
        sha256 = at.put_media(media).hex()
        await coap("-o", str(tmp_path / "root"), f"{at.uri}/root/1")
        await coap("-o", str(tmp_path / "one"), f"{at.uri}/feed/ward/1")
        await coap("-b", "1024", "-o", str(tmp_path / "media"), f"{at.uri}/media/{sha256}")
        assert (tmp_path / "root").read_bytes() == at.root.get(1)
        assert (tmp_path / "one").read_bytes() == bulletin(1)
        assert (tmp_path / "media").read_bytes() == media


async def test_observes_the_beat(tmp_path: Path) -> None:
    async with asyncio.timeout(HANG_S), source() as at:
        await coap("-s", "2", "-o", str(tmp_path / "beats"), f"{at.uri}/beat")
        found = (tmp_path / "beats").read_bytes()
        length = len(at.beat())
        beats = {found[start : start + length] for start in range(0, len(found), length)}
        assert len(beats) >= 2
        assert all(isinstance(Envelope.open(data).statement, Beat) for data in beats)


async def test_gives_receipts_and_recordings(tmp_path: Path) -> None:
    media, large = random.Random(2).randbytes(50_000), receipt(3, zones=64)
    (tmp_path / "media").write_bytes(media)
    (tmp_path / "large").write_bytes(large)
    async with asyncio.timeout(HANG_S), source() as at:
        answer = tmp_path / "answer"
        await coap("-m", "post", "-f", str(tmp_path / "large"), "-o", str(answer), f"{at.uri}/receipts")
        assert answer.read_bytes() == Envelope.open(large).digest
        place = f"media/{hashlib.sha256(media).hexdigest()}"
        await coap("-m", "put", "-b", "1024", "-f", str(tmp_path / "media"), f"{at.uri}/{place}")
        assert list(at._media.values()) == [media]
        assert len(at.receipts) == 1


async def test_is_told_what_it_did_wrong() -> None:
    async with asyncio.timeout(HANG_S), source() as at:
        assert b"4.04" in await coap(f"{at.uri}/nothing")
        assert b"4.02" in await coap("-O", "65001,x", f"{at.uri}/root/1")
        assert b"4.03" in await coap("-m", "post", "-e", "nonsense", f"{at.uri}/receipts")
