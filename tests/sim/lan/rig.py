"""A hub's way in over its own network, on real sockets of the loopback, with an intake and a store that remember."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.sim.source.test_site import Options, message, parsed

from ward_hub.intake import Accepted, Place, Verdict
from ward_hub.lan import LanServer
from ward_hub.lan.echo import Echo
from ward_hub.lan.gathering import Gathering
from ward_hub.lan.limits import Limits
from ward_hub.lan.site import Site
from ward_hub.lan.spool import Bounds, Spool
from ward_hub.staging import Staging
from ward_hub.tally import Tally
from ward_protocol.reasons import Reason
from ward_protocol.statements import Cancel

HANG_S = 60.0
GET, POST, PUT = 1, 2, 3
CON, NON = 0, 1
BLOCK1, SIZE1, MAX_AGE, ECHO, TAG = 27, 60, 14, 252, 292
SECRET = bytes(range(32))


@dataclass
class Hub:
    """What a server is given: `good` bytes are accepted, documents of trust are taken, others neither; and a store."""

    folder: Path
    good: Callable[[bytes], bool] = lambda data: data.startswith(b"good")
    reason: Reason = Reason.UNKNOWN_KEY
    given: list[bytes] = field(default_factory=list)
    wanted: dict[bytes, int] = field(default_factory=dict)
    kept: dict[bytes, bytes] = field(default_factory=dict)
    pause: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(0)
    now: float = 1000.0
    frozen: bool = False
    tally: Tally = field(default_factory=Tally)

    async def deliver(self, data: bytes, place: Place) -> Verdict:
        assert place == Place("lan")
        self.given.append(data)
        await self.pause()
        digest = hashlib.sha256(data).digest()
        if data.startswith(b"fail"):
            raise OSError("the disk failed")
        if data.startswith(b"document"):
            return Verdict(digest)
        if self.good(data):
            return Verdict(digest, Accepted(digest, Cancel.__new__(Cancel)))
        return Verdict(digest, None, self.reason, "no key of Hà Đông signed it")

    def named(self, sha256: bytes) -> frozenset[int]:
        return frozenset([self.wanted[sha256]] if sha256 in self.wanted else [])

    def holds(self, sha256: bytes) -> bool:
        return sha256 in self.kept

    async def offer(self, draft: Path, sha256: bytes) -> None:
        self.kept[sha256] = draft.read_bytes()
        draft.unlink()

    def clock(self) -> float:
        return self.now if self.frozen else asyncio.get_running_loop().time()

    @property
    def spooled(self) -> list[Path]:
        return list((self.folder / "incoming").iterdir())


class Client:
    """A socket of its own towards the server, at an address of the loopback's."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock

    async def ask(self, data: bytes) -> tuple[str, dict[int, bytes], bytes]:
        """Send a datagram, and return what comes."""
        await asyncio.get_running_loop().sock_sendall(self.socket, data)
        return await self.hear()

    async def hear(self) -> tuple[str, dict[int, bytes], bytes]:
        """Return the next message that comes."""
        return parsed(await asyncio.get_running_loop().sock_recv(self.socket, 65_536))

    async def silent(self, data: bytes, seconds: float = 0.2) -> bool:
        """Send, and say whether nothing comes."""
        try:
            async with asyncio.timeout(seconds):
                await self.ask(data)
        except TimeoutError:
            return True
        return False

    async def prove(self) -> None:
        """Show that we hear the server, as a first request would have to."""
        code, options, _ = await self.ask(message(POST, "push"))
        if code == "4.01":
            await self.ask(message(GET, "x", [(ECHO, options[ECHO])]))

    async def push(self, data: bytes, options: Options | None = None, kind: int = CON) -> tuple[str, bytes]:
        """Push a statement in one datagram; return code and payload."""
        code, _, payload = await self.ask(message(POST, "push", options, data, kind))
        return code, payload

    async def block(self, path: str, whole: bytes, number: int, *, tag: bytes = b"", size: int = 1024) -> str:
        """Send one block of an upload; return the code."""
        part, more = whole[number * size : (number + 1) * size], (number + 1) * size < len(whole)
        exponent = size.bit_length() - 5
        option = (number << 4 | more << 3 | exponent).to_bytes(3, "big")
        tags = [(TAG, tag)] if tag else []
        method = POST if path == "push" else PUT
        return (await self.ask(message(method, path, [(BLOCK1, option), *tags], part)))[0]

    async def upload(self, path: str, whole: bytes) -> str:
        """Send all blocks; return the last code."""
        codes = [await self.block(path, whole, number) for number in range(-(-len(whole) // 1024))]
        assert set(codes[:-1]) <= {"2.31"}, codes
        return codes[-1]


@asynccontextmanager
async def served(
    folder: Path, *, bounds: Bounds | None = None, floor: int = 0, host: str = "127.0.0.1", **hub_details: object
) -> AsyncIterator[tuple[Hub, LanServer]]:
    """A server that listens somewhere on the loopback."""
    folder.mkdir(exist_ok=True)
    hub = Hub(folder, **hub_details)  # type: ignore[arg-type]
    limits, spool = Limits(hub.clock()), Spool(Staging(folder / "incoming", floor), bounds or Bounds())
    site = Site(
        deliver=hub.deliver,
        store=hub,
        gathering=Gathering(spool, limits, hub.tally, hub.clock),
        limits=limits,
        echo=Echo(SECRET),
        tally=hub.tally,
        clock=hub.clock,
    )
    server = LanServer(host, 0, site=site, limits=limits, spool=spool, tally=hub.tally, clock=hub.clock)
    task = asyncio.create_task(server.run())
    try:
        async with asyncio.timeout(HANG_S):
            await asyncio.sleep(0)
            assert server.address is not None
            yield hub, server
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert hub.spooled == []


@contextlib.contextmanager
def client(server: LanServer, host: str = "127.0.0.1") -> Iterator[Client]:
    """A client at `host`."""
    assert server.address is not None
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_DGRAM)) as sock:
        sock.setblocking(False)
        sock.bind((host, 0))
        sock.connect(server.address)
        yield Client(sock)
