"""The source as a server: critical options, blocks without state, uploads within bounds, links, observers."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import pytest
from tests.sim.links.rig import HANG_S, PERIOD_S, bulletin, source

from ward_sim.source import Source

CON, NON, ACK = 0, 1, 2
GET, POST, PUT, DELETE = 1, 2, 3, 4
URI_PATH, URI_QUERY, ACCEPT, BLOCK2, BLOCK1, SIZE1, ETAG, OBSERVE = 11, 15, 17, 23, 27, 60, 4, 6
Options = list[tuple[int, bytes]]
NUMBERS = itertools.count(1)


def message(code: int, path: str, options: Options | None = None, payload: bytes = b"", kind: int = CON) -> bytes:
    """Encode a request by hand (RFC 7252 §3): an independent view of the wire. None has another's id and token."""
    own = (next(NUMBERS) & 0xFFFF).to_bytes(2, "big")
    numbered = sorted([(URI_PATH, part.encode()) for part in path.split("/")] + (options or []), key=lambda o: o[0])
    data = bytes([0x40 | kind << 4 | 4, code]) + own + b"tk" + own
    last = 0
    for number, value in numbered:
        data += _head(number - last, len(value)) + value
        last = number
    return data + (b"\xff" + payload if payload else b"")


def _head(delta: int, length: int) -> bytes:
    nibbles, extended = [], b""
    for value in (delta, length):
        if value < 13:
            nibbles.append(value)
        elif value < 269:
            nibbles.append(13)
            extended += bytes([value - 13])
        else:
            nibbles.append(14)
            extended += struct.pack("!H", value - 269)
    return bytes([nibbles[0] << 4 | nibbles[1]]) + extended


def parsed(data: bytes) -> tuple[str, dict[int, bytes], bytes]:
    """Return code as words, options (the last of each number), payload."""
    at, number, options = 4 + (data[0] & 15), 0, dict[int, bytes]()
    while at < len(data) and data[at] != 0xFF:
        delta, length, at = data[at] >> 4, data[at] & 15, at + 1
        delta, at = _extended(data, delta, at)
        length, at = _extended(data, length, at)
        number += delta
        options[number], at = data[at : at + length], at + length
    return f"{data[1] >> 5}.{data[1] & 31:02}", options, data[at + 1 :]


def _extended(data: bytes, value: int, at: int) -> tuple[int, int]:
    if value == 13:
        return data[at] + 13, at + 1
    if value == 14:
        return int.from_bytes(data[at : at + 2], "big") + 269, at + 2
    return value, at


class Client:
    """A socket of its own towards a source."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    async def ask(self, data: bytes) -> tuple[str, dict[int, bytes], bytes]:
        """Send, and return the answer to it; what is sent again of an earlier one is passed over."""
        await asyncio.get_running_loop().sock_sendall(self._sock, data)
        while True:
            heard = await asyncio.get_running_loop().sock_recv(self._sock, 65_536)
            if heard[4 : 4 + (heard[0] & 15)] == data[4:8]:
                return parsed(heard)

    async def hear(self) -> tuple[str, dict[int, bytes], bytes]:
        """Return the next message that comes."""
        return parsed(await asyncio.get_running_loop().sock_recv(self._sock, 65_536))

    async def silent(self, data: bytes) -> bool:
        """Send, and say whether nothing comes."""
        try:
            async with asyncio.timeout(0.2):
                await self.ask(data)
        except TimeoutError:
            return True
        return False


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Source, Client]]:
    async with asyncio.timeout(HANG_S), source() as at:
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
            sock.setblocking(False)
            sock.connect(at.address)
            yield at, Client(sock)


@pytest.mark.parametrize("number", [1, 5, 9, 13, 19, 21, 31, 35, 39, 65001])
async def test_a_critical_option_that_is_not_understood_is_refused(number: int) -> None:
    async with served() as (_at, client):
        code, _, _ = await client.ask(message(GET, "root/1", [(number, b"\1")]))
        assert code == "4.02"
        assert await client.silent(message(GET, "root/1", [(number, b"\1")], kind=NON))


@pytest.mark.parametrize("number", [2, 20, 258 + 2, 65000])
async def test_an_elective_one_is_passed_over(number: int) -> None:
    async with served() as (_at, client):
        assert (await client.ask(message(GET, "root/1", [(number, b"\1")])))[0] == "2.05"


async def test_a_critical_option_twice_is_refused() -> None:
    async with served() as (_at, client):
        assert (await client.ask(message(GET, "root/1", [(BLOCK2, b"\6"), (BLOCK2, b"\6")])))[0] == "4.02"


@pytest.mark.parametrize(
    ("code", "path", "options", "answer"),
    [
        (DELETE, "root/1", [], "4.05"),
        (GET, "receipts", [], "4.05"),
        (POST, "beat", [], "4.05"),
        (GET, "", [], "4.04"),
        (GET, "root/1", [(ACCEPT, struct.pack("!H", 65103))], "4.06"),
        (GET, "root/1", [(ACCEPT, struct.pack("!H", 65101))], "2.05"),
        (GET, "root/1", [(BLOCK2, b"\x16")], "4.00"),
        (GET, "beat", [(URI_QUERY, b"n=00")], "4.00"),
        (GET, "beat", [(URI_QUERY, b"x")], "4.00"),
        (GET, "beat", [(URI_QUERY, b"n=0011223344556677")], "2.05"),
        (PUT, "media/" + "0" * 64, [], "4.22"),
        (PUT, "media/zz", [], "4.00"),
        (PUT, "media/" + "0" * 64, [(BLOCK1, b"\x0e"), (SIZE1, struct.pack("!I", 9 * 2**20))], "4.13"),
        (PUT, "media/" + "0" * 64, [(BLOCK1, b"\x1e")], "4.00"),
        (POST, "feed", [], "4.00"),
        (POST, "receipts", [], "4.03"),
    ],
)
async def test_answers(code: int, path: str, options: Options, answer: str) -> None:
    async with served() as (_at, client):
        assert (await client.ask(message(code, path, options)))[0] == answer


@pytest.mark.parametrize("exponent", [0, 2, 6, 7])
async def test_blocks_are_cut_in_any_order_and_size(exponent: int) -> None:
    data = random.Random(1).randbytes(5000)
    size = 1 << (min(exponent, 6) + 4)
    async with served() as (at, client):
        at.put_media(data)
        path = f"media/{hashlib.sha256(data).hexdigest()}"
        count = -(-len(data) // size)
        for number in [count - 1, 0, count // 2]:
            asked = (number << 4 | exponent).to_bytes(3, "big")
            code, options, payload = await client.ask(message(GET, path, [(BLOCK2, asked)]))
            assert code == "2.05"
            assert payload == data[number * size : (number + 1) * size]
            more = number + 1 < count
            assert int.from_bytes(options[BLOCK2], "big") == number << 4 | more << 3 | min(exponent, 6)
            assert int.from_bytes(options[28], "big") == len(data)
            assert options[ETAG] == hashlib.sha256(data).digest()[:8]


async def test_an_upload_with_repeated_and_missing_blocks() -> None:
    data = random.Random(2).randbytes(1024 * 2 + 100)
    path = f"media/{hashlib.sha256(data).hexdigest()}"
    async with served() as (at, client):

        async def put(number: int) -> str:
            more = number < 2
            option = (number << 4 | more << 3 | 6).to_bytes(1, "big")
            part = data[number * 1024 : (number + 1) * 1024]
            return (await client.ask(message(PUT, path, [(BLOCK1, option)], part)))[0]

        assert await put(1) == "4.08"
        assert [await put(number) for number in (0, 0, 1, 1, 0, 2, 2)] == ["2.31"] * 5 + ["2.01"] * 2
        assert list(at._media.values()) == [data]


async def test_everything_is_listed() -> None:
    async with served() as (_at, client):
        code, options, payload = await client.ask(message(GET, ".well-known/core"))
        assert (code, options[12]) == ("2.05", b"\x28")
        assert b"</beat>;ct=65103;obs" in payload
        for name in ("root", "grants", "feed", "media", "receipts"):
            assert f"</{name}>".encode() in payload


async def test_an_observer_hears_each_period_and_each_change_until_it_registers_anew() -> None:
    async with served() as (at, client):
        code, options, _ = await client.ask(message(GET, "beat", [(OBSERVE, b"")], kind=NON))
        assert code == "2.05"
        assert OBSERVE in options
        at.publish(bulletin(1))
        numbers = [int.from_bytes((await client.hear())[1][OBSERVE], "big") for _ in range(4)]
        assert numbers == sorted(set(numbers))
        await client.ask(message(GET, "beat", [(OBSERVE, b"")], kind=NON))
        await asyncio.sleep(PERIOD_S)
        assert len(at.observers) == 1


async def test_an_observer_that_is_gone_is_found_out() -> None:
    async with served() as (at, _client):
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as gone:
            gone.setblocking(False)
            gone.connect(at.address)
            await Client(gone).ask(message(GET, "beat", [(OBSERVE, b"")], kind=NON))
            assert len(at.observers) == 1
        while len(at.observers):
            await asyncio.sleep(PERIOD_S)


async def test_garbage_does_not_stop_it() -> None:
    rng = random.Random(4)
    async with served() as (_at, client):
        for _ in range(300):
            await asyncio.get_running_loop().sock_sendall(client._sock, rng.randbytes(rng.randrange(1, 200)))
        while await client.silent(message(GET, "root/1")):  # what came before it may have filled the socket
            pass
        assert (await client.ask(message(GET, "root/1")))[0] == "2.05"
