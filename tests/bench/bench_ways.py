"""Ways in by hand, on a real agent: what a push takes, what it leaves behind, and what a flood of strangers costs.

The peer in memory is aiocoap's own server, which takes the same blocks by the same client, and stores nothing of them.
The flood comes from 200 addresses of the loopback, as fast as one process sends; none of them proves itself.
"""

from __future__ import annotations

import asyncio
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psutil
from tests.agents import CutOff, bulletin, cut_off
from tests.bench.harness import Row
from tests.e2e.walks import free_port
from tests.sim.source.test_site import message

from ward_hub.lan.server import READ
from ward_hub.links.push import push_to

SIZE = 4 * 2**20
RNG = random.Random(1)
FLOOD_S = 5.0
HOSTS = 200
PEER = """
import asyncio, sys
from aiocoap import CHANGED, CONTINUE, Context, Message
from aiocoap.resource import Resource, Site

class Media(Resource):
    async def needs_blockwise_assembly(self, request):
        return False
    async def render_put(self, request):
        return Message(code=CONTINUE if request.opt.block1.more else CHANGED, block1=request.opt.block1)

class Any(Site):
    def _find_child_and_pathstripped_message(self, request):
        return Media(), request

async def main():
    await Context.create_server_context(Any(), bind=("127.0.0.1", int(sys.argv[1])))
    print("up", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def rows() -> AsyncIterator[Row]:
    """Yield what the way over the network takes, leaves, and costs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with cut_off(folder) as hub:
            took = await _statements(hub)
            yield Row("alert in one datagram, to the verdict", "ms", median(took) * 1000)
            ours, peer = await _upload(folder, hub.uri, hub.pid), await _peer(folder)
            yield Row("recording of 4 MiB", "kB/s", ours.speed, peer.speed, "aiocoap's server, which keeps none")
            yield Row("server's share of a core in it", "%", ours.share, peer.share, "aiocoap's server")
            yield Row("server grown by it", "MB", ours.grown, peer.grown, "aiocoap's server")
            quiet = await _status(hub)
            yield Row("status, quiet", "ms", quiet * 1000)
            async for row in _flood(hub):
                yield row


async def _statements(hub: CutOff) -> list[float]:
    took = []
    async with push_to(hub.uri) as push:
        for sequence in range(1, 41):
            data = bulletin(sequence)
            began = time.perf_counter()
            assert (await push.statement(data)).taken
            took.append(time.perf_counter() - began)
    return took[1:]


class Upload(NamedTuple):
    """What an upload was like: kB a second, per cent of a core at the server, MB that the server grew by."""

    speed: float
    share: float
    grown: float


async def _upload(folder: Path, uri: str, pid: int) -> Upload:
    path, process = folder / "audio", psutil.Process(pid)
    for size in (64 * 1024, SIZE):  # the first warms it up
        path.write_bytes(RNG.randbytes(size))
        before, busy = process.memory_info().rss, sum(process.cpu_times()[:2])
        began = time.perf_counter()
        async with push_to(uri) as push:
            await push.recording(path)
    took = time.perf_counter() - began
    busy = sum(process.cpu_times()[:2]) - busy
    return Upload(SIZE / took / 1000, 100 * busy / took, (process.memory_info().rss - before) / 1e6)


async def _peer(folder: Path) -> Upload:
    port = free_port()
    server = await asyncio.create_subprocess_exec(sys.executable, "-c", PEER, port, stdout=subprocess.PIPE)
    assert server.stdout is not None
    await server.stdout.readline()
    try:
        return await _upload(folder, f"coap://127.0.0.1:{port}", server.pid)
    finally:
        server.kill()
        await server.wait()


async def _status(hub: CutOff) -> float:
    took = []
    for _ in range(10):
        began = time.perf_counter()
        await hub.asked("status")
        took.append(time.perf_counter() - began)
    return median(took)


async def _flood(hub: CutOff) -> AsyncIterator[Row]:
    process = psutil.Process(hub.pid)
    before, busy = process.memory_info().rss, sum(process.cpu_times()[:2])
    began = time.perf_counter()
    flood = asyncio.create_task(asyncio.to_thread(_send, hub.port))
    loaded = await _status(hub)
    sent = await flood
    took = time.perf_counter() - began
    busy = sum(process.cpu_times()[:2]) - busy
    yield Row("flood of strangers", "1/s", sent / FLOOD_S, READ.each_second, "limit: read")
    yield Row("agent's share of a core in it", "%", 100 * busy / took)
    yield Row("status in it", "ms", loaded * 1000)
    yield Row("agent grown by it", "MB", (process.memory_info().rss - before) / 1e6)


def _send(port: int) -> int:
    """Send as fast as it goes for a while; return how many."""
    datagrams = [message(2, "push", [], RNG.randbytes(700)) for _ in range(50)]
    sent, until = 0, time.perf_counter() + FLOOD_S
    with ExitStack() as stack:
        hosts = []
        for number in range(HOSTS):
            one = stack.enter_context(closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
            one.bind((f"127.9.0.{number + 1}", 0))
            one.connect(("127.0.0.1", port))
            hosts.append(one)
        while time.perf_counter() < until:
            for one in hosts:
                one.send(datagrams[sent % 50])
                sent += 1
    return sent
