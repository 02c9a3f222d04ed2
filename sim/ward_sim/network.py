"""The network between a hub and its source: a UDP relay that delays, loses, falls, and translates addresses.

As a carrier's NAT does, it keeps a socket of its own towards the source for each address it hears from, and gives
what comes back on it to that address. Loss is drawn from a seed, each way apart.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, cast

Address = tuple[str, int]
# What a datagram becomes on its way: changed, cut, or None for lost.
Mangle = Callable[[bytes], bytes | None]


@dataclass(slots=True)
class Traffic:
    """What one direction carried so far."""

    datagrams: int = 0
    octets: int = 0
    lost: int = 0
    refused: int = 0  # while the link was down


@dataclass(slots=True)
class Way:
    """One direction: `rate` in octets/s (None: unlimited), its queue at most `queue_s` long."""

    delay_s: float
    jitter_s: float
    loss: float
    rng: random.Random
    rate: float | None
    queue_s: float
    mangle: Mangle | None = None
    traffic: Traffic = field(default_factory=Traffic)
    busy_until: float = 0.0

    def carry(self, data: bytes, now: float) -> tuple[bytes, float] | None:
        """Return what arrives and after how many seconds; None where it is lost."""
        if self.rng.random() < self.loss:
            self.traffic.lost += 1
            return None
        queued = self._queued(len(data), now)
        mangled = data if self.mangle is None else self.mangle(data)
        if queued is None or mangled is None:
            self.traffic.lost += 1
            return None
        self.traffic.datagrams += 1
        self.traffic.octets += len(data)
        return mangled, queued + self.delay_s + self.jitter_s * self.rng.random()

    def _queued(self, octets: int, now: float) -> float | None:
        if self.rate is None:
            return 0.0
        begins = max(self.busy_until, now)
        if begins - now > self.queue_s:
            return None
        self.busy_until = begins + octets / self.rate
        return self.busy_until - now


class LossyLink:
    """A link to the source at `target`; an async context manager. Times in seconds, `loss` a share, each way.

    Point the hub at `address`. `up` = False drops everything. `rate` (octets/s each way) and `queue_s` make it a
    narrow link. `mangle_down` changes what comes from the source.
    """

    def __init__(
        self,
        target: Address,
        *,
        delay_s: float,
        loss: float,
        seed: int,
        jitter_s: float = 0.0,
        rate: float | None = None,
        queue_s: float = 0.5,
        mangle_down: Mangle | None = None,
    ) -> None:
        rng = random.Random(seed)
        ways = [Way(delay_s, jitter_s, loss, random.Random(rng.getrandbits(64)), rate, queue_s) for _ in range(2)]
        self.upward, self.downward = ways
        self.downward.mangle = mangle_down
        self.target = target
        self.up = True
        self._near: Near | None = None
        self._far: dict[Address, Far] = {}
        self._opening: dict[Address, list[bytes]] = {}
        self._timers: set[asyncio.TimerHandle] = set()
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        near = Near(self)
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: near, local_addr=("127.0.0.1", 0))
        self._near = near
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        await self._tasks.__aexit__(None, None, None)  # what the body raised stays as it is
        self.rebind()
        if self._near is not None:
            self._near.close()
        await asyncio.sleep(0)  # closed transports let go of their sockets in the loop's next round

    @property
    def address(self) -> Address:
        """Where the hub reaches the source."""
        assert self._near is not None, "the link is not open"  # noqa: S101 - a mistake of the caller
        return self._near.address

    @property
    def uri(self) -> str:
        """The same as a CoAP URI."""
        host, port = self.address
        return f"coap://{host}:{port}"

    def shape(self, *, delay_s: float | None = None, loss: float | None = None) -> None:
        """Change delay or loss of both ways from now on."""
        for way in (self.upward, self.downward):
            way.delay_s = way.delay_s if delay_s is None else delay_s
            way.loss = way.loss if loss is None else loss

    def rebind(self) -> None:
        """Forget all mappings: the source sees every hub come from a new address, and reaches no old one."""
        for far in self._far.values():
            far.close()
        self._far.clear()

    def send_up(self, data: bytes, hub: Address) -> None:
        """A datagram came from a hub."""
        self._carry(self.upward, data, lambda arrived: self._deliver_up(arrived, hub))

    def send_down(self, data: bytes, hub: Address) -> None:
        """A datagram came from the source for a hub."""
        self._carry(self.downward, data, lambda arrived: self._deliver_down(arrived, hub))

    def _carry(self, way: Way, data: bytes, deliver: Callable[[bytes], None]) -> None:
        if not self.up:
            way.traffic.refused += 1
            return
        loop = asyncio.get_running_loop()
        carried = way.carry(data, loop.time())
        if carried is None:
            return
        arrived, after_s = carried

        def arrive() -> None:
            self._timers.discard(timer)
            if self.up:
                deliver(arrived)

        timer = loop.call_later(after_s, arrive)
        self._timers.add(timer)

    def _deliver_down(self, data: bytes, hub: Address) -> None:
        if self._near is not None:
            self._near.send(data, hub)

    def _deliver_up(self, data: bytes, hub: Address) -> None:
        far = self._far.get(hub)
        if far is not None and far.target == self.target:
            far.send(data)
            return
        waiting = self._opening.setdefault(hub, [])
        waiting.append(data)
        if len(waiting) == 1:
            self._tasks.create_task(self._map(hub), name=f"map {hub}")

    async def _map(self, hub: Address) -> None:
        """Make the mapping of a new hub, and send what waits for it."""
        far = Far(self, hub, self.target)
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: far, remote_addr=self.target)
        old, self._far[hub] = self._far.get(hub), far
        if old is not None:
            old.close()
        for data in self._opening.pop(hub, []):
            far.send(data)


class Socket(asyncio.DatagramProtocol):
    """One of the link's sockets; errors of the other side are losses."""

    def __init__(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    @property
    def address(self) -> Address:
        """Where it is bound."""
        assert self._transport is not None  # noqa: S101 - bound before anyone can ask
        host, port = self._transport.get_extra_info("sockname")[:2]
        return str(host), int(port)

    def close(self) -> None:
        """Close; what is sent afterwards is lost."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None


class Near(Socket):
    """The side of the hubs."""

    def __init__(self, link: LossyLink) -> None:
        super().__init__()
        self._link = link

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Carry it towards the source."""
        self._link.send_up(data, addr)

    def send(self, data: bytes, hub: Address) -> None:
        """Give a datagram to a hub."""
        if self._transport is not None:
            self._transport.sendto(data, hub)


class Far(Socket):
    """One hub's side towards the source."""

    def __init__(self, link: LossyLink, hub: Address, target: Address) -> None:
        super().__init__()
        self._link = link
        self._hub = hub
        self.target = target

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Carry it towards the hub."""
        self._link.send_down(data, self._hub)

    def send(self, data: bytes) -> None:
        """Give a datagram to the source."""
        if self._transport is not None:
            self._transport.sendto(data)
