"""A hub killed in the middle of a recording goes on where it was: no block that came is asked for again."""

from __future__ import annotations

import asyncio
import hashlib
import random
import sys
from pathlib import Path

from tests.sim.links.rig import HANG_S, link_to, source

from ward_hub.links.partial import PartialFile
from ward_sim.network import LossyLink

AUDIO = random.Random(9).randbytes(200_000)
SHA256 = hashlib.sha256(AUDIO).digest()
FETCH = """
import asyncio, sys
from pathlib import Path
from ward_hub.links import SourceLink

async def main(uri: str, sha256: str, size: str, into: str) -> None:
    async with SourceLink(uri) as link:
        await link.fetch_media(bytes.fromhex(sha256), int(size), Path(into), deadline=60.0)

asyncio.run(main(*sys.argv[1:]))
"""


async def fetched_until_killed(uri: str, into: Path, blocks: int) -> None:
    """Fetch in a process of its own and kill that, as the kernel does, once about so many blocks are there."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FETCH, uri, SHA256.hex(), str(len(AUDIO)), str(into)
    )
    partial = into.with_name(into.name + ".part")
    while process.returncode is None and have(partial) < blocks:
        await asyncio.sleep(0.002)
    process.kill()
    await process.wait()


def have(partial: Path) -> int:
    """Count the blocks that a partial file says it has, without touching it."""
    if not partial.exists():
        return 0
    return sum(byte.bit_count() for byte in partial.read_bytes()[len(AUDIO) : -32])


async def test_killed_three_times(tmp_path: Path) -> None:
    into = tmp_path / "a"
    async with (
        asyncio.timeout(HANG_S),
        source() as at,
        LossyLink(at.address, delay_s=0.01, loss=0.05, seed=1, rate=150_000) as network,
    ):
        at.put_media(AUDIO)
        kept = 0
        for blocks in (30, 80, 130):
            await fetched_until_killed(network.uri, into, blocks)
            with PartialFile(into, SHA256, len(AUDIO)) as part:
                assert part.resumed
                assert part.count - len(part.missing) >= max(kept, blocks)
                kept = part.count - len(part.missing)
                for block in set(range(part.count)) - set(part.missing):
                    partial = part.path.read_bytes()[: len(AUDIO)]
                    at_byte = block * 1024
                    assert partial[at_byte : at_byte + 1024] == AUDIO[at_byte : at_byte + 1024]
        before = network.upward.traffic.datagrams
        async with link_to(network.uri) as link:
            await link.fetch_media(SHA256, len(AUDIO), into, deadline=HANG_S)
        assert network.upward.traffic.datagrams - before < (196 - kept) * 1.5 + 20
    assert into.read_bytes() == AUDIO
