"""What goes over the page's WebSocket: everything first, then changes, paced, and no page in another's way."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from ward_sim.page import PageServer
from ward_sim.page.viewer import Pace, encode

GUARD_S = 30.0
QUICK = Pace(interval=0.01, idle=0.05, stall=10.0)


class Ward:
    """A snapshot that a test changes, and a count of how often it was read and when."""

    def __init__(self, **values: object) -> None:
        self.values: dict[str, Any] = values
        self.read_at: list[float] = []

    def snapshot(self) -> dict[str, Any]:
        self.read_at.append(asyncio.get_running_loop().time())
        return dict(self.values)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def receive(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    """The next message."""
    async with asyncio.timeout(GUARD_S):
        message = await socket.receive_str()
    return dict(json.loads(message))


async def until_news(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    """The next message that says something."""
    while not (news := await receive(socket)):
        pass
    return news


async def viewers_are(server: PageServer, count: int) -> None:
    """Return once that many pages are open; the server has no event for it, so the loop is let run."""
    async with asyncio.timeout(GUARD_S):
        while True:
            if server.viewers == count:
                return
            await asyncio.sleep(0.01)


async def test_everything_first_then_only_what_changed(session: aiohttp.ClientSession) -> None:
    ward = Ward(t=1.0, boards=[{"id": "gate"}], timeline=[{"vi": "Bản tin"}])
    async with PageServer(ward.snapshot, pace=QUICK) as server, session.ws_connect(server.url + "ws") as socket:
        assert await receive(socket) == ward.values
        ward.values["t"] = 2.0
        server.poke()
        assert await until_news(socket) == {"t": 2.0}
        ward.values["boards"] = []
        ward.values["t"] = 3.0
        server.poke()
        assert await until_news(socket) == {"t": 3.0, "boards": []}


async def test_each_page_begins_with_everything(session: aiohttp.ClientSession) -> None:
    ward = Ward(t=1.0, phase="normal")
    async with PageServer(ward.snapshot, pace=QUICK) as server:
        for _ in range(2):
            async with session.ws_connect(server.url + "ws") as socket:
                assert await receive(socket) == ward.values
        await viewers_are(server, 0)


async def test_a_quiet_ward_is_heard_of_without_a_poke(session: aiohttp.ClientSession) -> None:
    ward = Ward(t=1.0)
    async with PageServer(ward.snapshot, pace=QUICK) as server, session.ws_connect(server.url + "ws") as socket:
        assert await receive(socket) == {"t": 1.0}
        assert await receive(socket) == {}
        ward.values["t"] = 2.0
        assert await until_news(socket) == {"t": 2.0}


async def test_at_most_ten_updates_a_second(session: aiohttp.ClientSession) -> None:
    ward = Ward(t=0)
    async with PageServer(ward.snapshot) as server, session.ws_connect(server.url + "ws") as socket:
        poking = asyncio.create_task(_poke_all_the_time(ward, server))
        for _ in range(5):
            await until_news(socket)
        poking.cancel()
    resolution = 0.002  # a timer may fire that much early
    gaps = [later - earlier for earlier, later in zip(ward.read_at, ward.read_at[1:], strict=False)]
    assert min(gaps) >= Pace().interval - resolution
    assert Pace().interval >= 0.1


async def _poke_all_the_time(ward: Ward, server: PageServer) -> None:
    while True:
        ward.values["t"] += 1
        server.poke()
        await asyncio.sleep(0.001)


async def test_a_page_that_takes_no_data_holds_up_nobody(session: aiohttp.ClientSession) -> None:
    ward = Ward(t=0, ballast="x" * 3_000_000)
    patient = Pace(interval=0.01, idle=0.05, stall=600.0)
    async with (
        PageServer(ward.snapshot, pace=patient) as server,
        session.ws_connect(server.url + "ws", max_msg_size=0) as _stalled,
        session.ws_connect(server.url + "ws", max_msg_size=0) as reading,
    ):
        for t in range(1, 20):
            ward.values.update(t=t, ballast=f"{t:09}" * 300_000)
            server.poke()
            while (await until_news(reading)).get("t") != t:
                pass
        assert server.viewers == 2


async def test_a_stalled_page_is_dropped_with_a_word(
    session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    ward = Ward(ballast="")
    pace = Pace(interval=0.01, idle=0.01, stall=0.2)
    async with (
        PageServer(ward.snapshot, pace=pace) as server,
        session.ws_connect(server.url + "ws", max_msg_size=0),
    ):
        await viewers_are(server, 1)
        async with asyncio.timeout(GUARD_S):
            while server.viewers:
                ward.values["ballast"] = f"{len(ward.read_at):09}" * 300_000
                await asyncio.sleep(0.01)
    assert "dropped" in caplog.text


async def test_what_a_page_sends_changes_nothing(session: aiohttp.ClientSession) -> None:
    ward = Ward(t=1.0)
    async with PageServer(ward.snapshot, pace=QUICK) as server, session.ws_connect(server.url + "ws") as socket:
        await receive(socket)
        await socket.send_str('{"phase": "emergency"}')
        await socket.send_bytes(b"\x00")
        assert await receive(socket) == {}


async def test_a_long_message_ends_the_connection(session: aiohttp.ClientSession) -> None:
    async with PageServer(Ward(t=1.0).snapshot, pace=QUICK) as server:
        async with session.ws_connect(server.url + "ws") as socket:
            await socket.send_str("x" * 5000)
            async with asyncio.timeout(GUARD_S):
                while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                    pass
            assert message.data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
        await viewers_are(server, 0)


async def test_another_web_site_may_not_watch(session: aiohttp.ClientSession) -> None:
    async with PageServer(Ward(t=1.0).snapshot) as server:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(server.url + "ws", origin="http://example.org")
        assert refused.value.status == 403
        async with session.ws_connect(server.url + "ws", origin=server.url.rstrip("/")) as socket:
            assert await receive(socket) == {"t": 1.0}


async def test_a_plain_request_to_the_socket_is_refused(session: aiohttp.ClientSession) -> None:
    async with PageServer(Ward(t=1.0).snapshot) as server, session.get(server.url + "ws") as answer:
        assert answer.status == 400


async def test_pages_are_told_when_the_server_stops(session: aiohttp.ClientSession) -> None:
    async with PageServer(Ward(t=1.0).snapshot, pace=QUICK) as server:
        socket = await session.ws_connect(server.url + "ws")
        await receive(socket)
        reading = asyncio.create_task(_last_message(socket))
        await asyncio.sleep(0)
    async with asyncio.timeout(GUARD_S):
        assert (await reading).data == aiohttp.WSCloseCode.GOING_AWAY
    assert server.viewers == 0


async def _last_message(socket: aiohttp.ClientWebSocketResponse) -> aiohttp.WSMessage:
    while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
        pass
    return message


async def test_the_server_stops_though_a_page_takes_no_data(session: aiohttp.ClientSession) -> None:
    ward = Ward(ballast="")
    async with asyncio.timeout(GUARD_S):
        async with PageServer(ward.snapshot, pace=Pace(interval=0.01, idle=0.01, stall=600.0)) as server:
            stalled = await session.ws_connect(server.url + "ws", max_msg_size=0)
            reads = -1
            while len(ward.read_at) != reads:  # until the feed hangs in its socket
                reads = len(ward.read_at)
                ward.values["ballast"] = f"{reads:09}" * 300_000
                await asyncio.sleep(0.2)
        await stalled.close()


async def test_a_snapshot_that_json_cannot_carry_is_named(
    session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ValueError, match="'zones'"):
        encode({"t": 1.0, "zones": [{"level_db": float("-inf")}]})
    async with PageServer(Ward(zones=b"?").snapshot) as server, session.ws_connect(server.url + "ws") as socket:
        async with asyncio.timeout(GUARD_S):
            message = await socket.receive()
        assert message.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
    with caplog.at_level(logging.ERROR):
        assert "'zones'" in caplog.text
