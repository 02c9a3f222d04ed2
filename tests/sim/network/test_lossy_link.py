"""The simulated network: delay, loss from a seed, outages, narrow links, and a NAT that forgets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

from ward_sim.network import Address, LossyLink

HANG_S = 30.0


class Echo(asyncio.DatagramProtocol):
    """Gives back what comes, and keeps who sent it."""

    def __init__(self) -> None:
        self.seen: list[Address] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.seen.append(addr)
        self._transport.sendto(data, addr)  # type: ignore[attr-defined] # a datagram transport


@asynccontextmanager
async def echoed(**shape: float) -> AsyncIterator[tuple[LossyLink, Echo, socket.socket]]:
    loop, echo = asyncio.get_running_loop(), Echo()
    transport, _ = await loop.create_datagram_endpoint(lambda: echo, local_addr=("127.0.0.1", 0))
    settings = {"delay_s": 0.0, "loss": 0.0, **shape}
    with closing(transport), closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        target = transport.get_extra_info("sockname")
        async with asyncio.timeout(HANG_S), LossyLink(target, seed=1, **settings) as link:  # type: ignore[arg-type]
            sock.setblocking(False)
            sock.connect(link.address)
            yield link, echo, sock


async def heard(sock: socket.socket, within_s: float = 0.3) -> list[bytes]:
    """Return all that comes until it has been quiet for a while."""
    found = []
    try:
        while True:
            async with asyncio.timeout(within_s):
                found.append(await asyncio.get_running_loop().sock_recv(sock, 2048))
    except TimeoutError:
        return found


async def test_carries_both_ways_in_order() -> None:
    async with echoed() as (link, _echo, sock):
        for number in range(10):
            sock.send(bytes([number]))
        assert await heard(sock) == [bytes([number]) for number in range(10)]
        assert link.upward.traffic.datagrams == link.downward.traffic.datagrams == 10


async def test_delay_is_each_way() -> None:
    async with echoed(delay_s=0.05) as (_link, _echo, sock):
        began = asyncio.get_running_loop().time()
        sock.send(b"x")
        await asyncio.get_running_loop().sock_recv(sock, 10)
        assert asyncio.get_running_loop().time() - began >= 0.1


async def test_loss_is_counted_and_the_same_for_a_seed() -> None:
    lost = []
    for _ in range(2):
        async with echoed(loss=0.3) as (link, _echo, sock):
            for number in range(200):
                sock.send(bytes([number]))
            came = await heard(sock)
            assert len(came) == link.downward.traffic.datagrams
            lost.append((link.upward.traffic.lost, link.downward.traffic.lost))
    assert lost[0] == lost[1]
    assert 30 < lost[0][0] < 90


async def test_down_drops_also_what_is_on_its_way() -> None:
    async with echoed(delay_s=0.05) as (link, echo, sock):
        sock.send(b"x")
        await asyncio.sleep(0.01)
        link.up = False
        sock.send(b"y")
        assert await heard(sock) == []
        assert link.upward.traffic.refused == 1
        link.up = True
        sock.send(b"z")
        assert await heard(sock) == [b"z"]
        assert len(echo.seen) == 1


async def test_rebinding_changes_the_address_that_the_source_sees() -> None:
    async with echoed() as (link, echo, sock):
        for _ in range(2):
            sock.send(b"x")
            await heard(sock)
        link.rebind()
        sock.send(b"x")
        assert await heard(sock) == [b"x"]
        assert echo.seen[0] == echo.seen[1] != echo.seen[2]


async def test_a_narrow_link_queues_and_then_drops() -> None:
    async with echoed(rate=10_000, queue_s=0.5) as (link, _echo, sock):
        for _ in range(20):
            sock.send(bytes(1000))
        came = await heard(sock, 1.0)
        assert 4 <= len(came) <= 8
        assert link.upward.traffic.lost == 20 - link.upward.traffic.datagrams
