"""What a peer may ask of us before it answers: to show that we hear it, or to come again later; and how often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import cast

import pytest
from tests.sim.links.rig import HANG_S, bulletin

from ward_hub.lan.message import Code as Codes
from ward_hub.lan.message import Message, Option, Type, of_uint, read, write
from ward_hub.links import Refused
from ward_hub.links.ask import ECHOES
from ward_hub.links.publish import publish
from ward_hub.links.push import push_to

Answer = Callable[[Message], tuple[int, tuple[tuple[int, bytes], ...]]]


class Peer(asyncio.DatagramProtocol):
    """Answers each request as it is told; keeps what it heard."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.heard: list[Message] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        asked = read(data)
        self.heard.append(asked)
        code, options = self._answer(asked)
        self.transport.sendto(write(Message(Type.NON, code, len(self.heard), asked.token, options)), addr)

    @property
    def echoes(self) -> list[bytes | None]:
        return [one.first(Option.ECHO) for one in self.heard]


@asynccontextmanager
async def peer(answer: Answer) -> AsyncIterator[tuple[Peer, str]]:
    loop = asyncio.get_running_loop()
    transport, one = await loop.create_datagram_endpoint(lambda: Peer(answer), local_addr=("127.0.0.1", 0))
    try:
        async with asyncio.timeout(HANG_S):
            host, port = transport.get_extra_info("sockname")
            yield one, f"coap://{host}:{port}"
    finally:
        transport.close()


def wants(*echoes: bytes) -> Answer:
    """A peer that wants to see these, one after the other, and takes everything then."""
    left = list(echoes)

    def answer(asked: Message) -> tuple[int, tuple[tuple[int, bytes], ...]]:
        if left and asked.first(Option.ECHO) == left[0]:
            left.pop(0)
        return (Codes.UNAUTHORIZED, ((Option.ECHO, left[0]),)) if left else (Codes.CHANGED, ())

    return answer


async def test_what_it_sent_is_shown_and_then_shown_each_time() -> None:
    async with peer(wants(b"one")) as (at, uri), push_to(uri) as push:
        assert (await push.statement(b"a")).taken
        assert (await push.statement(b"b")).taken
        assert at.echoes == [None, b"one", b"one"]
        assert [one.payload for one in at.heard] == [b"a", b"a", b"b"]


async def test_it_may_want_to_see_another_one_later() -> None:
    async with peer(wants(b"one", b"two")) as (at, uri), push_to(uri) as push:
        assert (await push.statement(b"a")).taken
        assert at.echoes == [None, b"one", b"two"]


@pytest.mark.parametrize("size", [1, 40])
async def test_it_may_be_as_long_as_the_rfc_has_it(size: int) -> None:
    async with peer(wants(bytes(size))) as (_, uri), push_to(uri) as push:
        assert (await push.statement(b"a")).taken


@pytest.mark.parametrize("echo", [b"", bytes(41), bytes(1000)])
async def test_what_is_no_echo_is_not_shown(echo: bytes) -> None:
    async with peer(wants(echo)) as (at, uri), push_to(uri) as push:
        assert not (await push.statement(b"a")).taken
        assert at.echoes == [None]


async def test_one_that_is_never_content_is_a_refusal() -> None:
    number = iter(range(1000))

    def another(_: Message) -> tuple[int, tuple[tuple[int, bytes], ...]]:
        return Codes.UNAUTHORIZED, ((Option.ECHO, bytes([next(number)])),)

    async with peer(another) as (at, uri), push_to(uri) as push:
        pushed = await push.statement(b"a")
        assert (pushed.taken, pushed.words) == (False, "4.01")
        assert len(at.heard) == 1 + ECHOES


async def test_a_source_may_want_it_too() -> None:
    def answer(asked: Message) -> tuple[int, tuple[tuple[int, bytes], ...]]:
        if asked.first(Option.ECHO) != b"one":
            return Codes.UNAUTHORIZED, ((Option.ECHO, b"one"),)
        return Codes.CREATED, ((8, b"feed"), (8, b"ward"), (8, b"1"))

    async with peer(answer) as (_, uri):
        assert await publish(uri, bulletin(1), deadline=HANG_S) == "feed/ward/1"


async def test_one_that_has_no_time_is_asked_when_it_says_and_not_for_ever() -> None:
    now = asyncio.get_running_loop().time
    asked_at: list[float] = []

    def busy(_: Message) -> tuple[int, tuple[tuple[int, bytes], ...]]:
        asked_at.append(now())
        return Codes.UNAVAILABLE, ((Option.MAX_AGE, of_uint(1)),)

    async with peer(busy) as (_, uri), push_to(uri, deadline=2.5) as push:
        with pytest.raises(Refused, match=r"5\.03"):
            await push.statement(b"a")
    assert len(asked_at) == 3
    assert all(later - earlier >= 0.99 for earlier, later in pairwise(asked_at))
