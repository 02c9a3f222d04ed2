"""Recordings and alerts over simulated links: windowed blocks against aiocoap's own block-wise GET, and the limits.

The peer fetches the same bytes from the same source through the same link. A narrow link's limit is what its rate
leaves for blocks of 1,024 bytes with their CoAP headers; an alert's is one and a half round trips: notification, and
one question. Loss and delay are each way.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

from aiocoap import Context, Message
from aiocoap.numbers.codes import Code
from tests.bench.harness import Row
from tests.sim.links.rig import beat_with, bulletin, head, link_to, source

from ward_hub.links import SourceLink
from ward_sim.network import LossyLink
from ward_sim.source import Source

KIB = 1024
AUDIO = random.Random(1).randbytes(KIB * KIB)
# A block's answer: header, token, ETag, Block2, Size2, marker.
BLOCK_ON_THE_WAY = 1024 + 4 + 8 + 9 + 3 + 5 + 1
# Not the maximum: on Linux that begins with what the parent had when it forked.
RESIDENT = "import {}, pathlib; print(pathlib.Path('/proc/self/statm').read_text().split()[1])"
PAGE = os.sysconf("SC_PAGESIZE")


async def rows() -> AsyncIterator[Row]:
    """Yield times against the peer, shares of narrow links, and what an alert waits."""
    for size, loss in ((128 * KIB, 0.0), (64 * KIB, 0.05)):
        ours = await _timed(size, _ours, delay_s=0.025, loss=loss)
        peer = await _timed(size, _aiocoap, delay_s=0.025, loss=loss)
        yield Row(f"{size // KIB} KiB, 50 ms, {loss:.0%} lost", "s", ours, peer, "aiocoap block-wise")
    ours = await _timed(len(AUDIO), _ours, delay_s=0.025, loss=0.05)
    yield Row("1 MiB, 50 ms, 5% lost", "s", ours)
    for rate, delay_s, loss, size in ((125_000, 0.025, 0.05, KIB * KIB), (48_000, 0.15, 0.02, 512 * KIB)):
        took = await _timed(size, _ours, delay_s=delay_s, loss=loss, rate=rate)
        limit = rate * 1024 / BLOCK_ON_THE_WAY / 1000
        what = f"{size // KIB} KiB, {rate * 8 // 1000} kbit/s, {delay_s * 2000:.0f} ms, {loss:.0%} lost"
        yield Row(what, "kB/s", size / took / 1000, limit, "limit: the link's rate")
    yield Row("alert: published to fetched, 50 ms", "ms", await _alert(busy=False), 75.0, "limit: 1.5 round trips")
    yield Row(
        "the same while a recording fills 1 Mbit/s", "ms", await _alert(busy=True), 75.0, "limit: 1.5 round trips"
    )
    yield Row("resident after import", "MB", _resident("ward_hub.links"), _resident("aiocoap"), "import aiocoap")


async def _timed(
    size: int,
    fetch: Callable[[str, bytes, Path], Awaitable[None]],
    *,
    delay_s: float,
    loss: float,
    rate: float | None = None,
) -> float:
    """Return the seconds that `fetch` takes for the first `size` bytes, whole and right."""
    data = AUDIO[:size]
    async with source() as at, LossyLink(at.address, delay_s=delay_s, loss=loss, seed=1, rate=rate) as network:
        at.put_media(data)
        with tempfile.TemporaryDirectory() as folder:
            into = Path(folder) / "recording"
            began = asyncio.get_running_loop().time()
            await fetch(network.uri, data, into)
            took = asyncio.get_running_loop().time() - began
            if into.read_bytes() != data:
                message = f"{fetch.__name__}: not what was served"
                raise ValueError(message)
    return took


async def _ours(uri: str, data: bytes, into: Path) -> None:
    async with link_to(uri) as link:
        await link.fetch_media(hashlib.sha256(data).digest(), len(data), into, deadline=600.0)


async def _aiocoap(uri: str, data: bytes, into: Path) -> None:
    context = await Context.create_client_context(transports=["simple6"])
    try:
        question = Message(code=Code.GET, uri=f"{uri}/media/{hashlib.sha256(data).hexdigest()}")
        into.write_bytes((await context.request(question).response).payload)
    finally:
        await context.shutdown()


async def _alert(*, busy: bool) -> float:
    """Return the median milliseconds from publishing to the bulletin in hand."""
    async with AsyncExitStack() as stack:
        at = await stack.enter_async_context(source())
        rate = 125_000 if busy else None
        network = LossyLink(at.address, delay_s=0.025, loss=0, seed=1, rate=rate)
        link = await stack.enter_async_context(link_to((await stack.enter_async_context(network)).uri))
        await beat_with(link, head(0))
        if not busy:
            return await _alerts(at, link)
        at.put_media(AUDIO)
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        sha256 = hashlib.sha256(AUDIO).digest()
        filling = asyncio.ensure_future(link.fetch_media(sha256, len(AUDIO), Path(folder) / "a", deadline=600.0))
        await asyncio.sleep(2.0)
        took = await _alerts(at, link)
        filling.cancel()
        await asyncio.wait([filling])
        return took


async def _alerts(at: Source, link: SourceLink) -> float:
    loop, times = asyncio.get_running_loop(), []
    for sequence in range(1, 16):
        began = loop.time()
        at.publish(bulletin(sequence))
        await beat_with(link, head(sequence))
        await link.fetch(f"feed/ward/{sequence}", deadline=10.0, max_size=65_536)
        times.append((loop.time() - began) * 1000)
        await asyncio.sleep(0.3)
    return median(times)


def _resident(module: str) -> float:
    """Return the megabytes of a Python that has imported a module."""
    output = subprocess.run(
        [sys.executable, "-c", RESIDENT.format(module)], check=True, capture_output=True, text=True
    ).stdout
    return int(output) * PAGE / 1e6
