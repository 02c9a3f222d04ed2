"""What the page's server gives over HTTP: its own files and fonts, nothing else, with headers that keep it so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from ward_sim.page import PageServer
from ward_sim.page.server import STATIC, font_file


@pytest.fixture
async def server() -> AsyncIterator[PageServer]:
    async with PageServer(lambda: {"t": 0.0}) as server:
        yield server


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_the_page_is_at_the_url(server: PageServer, session: aiohttp.ClientSession) -> None:
    async with session.get(server.url) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/html"
        assert "/static/app.js" in await answer.text()


async def test_everything_comes_from_here(server: PageServer, session: aiohttp.ClientSession) -> None:
    async with session.get(server.url) as answer:
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-cache"
    for path in STATIC.iterdir():
        assert "https://" not in path.read_text(encoding="utf-8"), path.name


@pytest.mark.parametrize("name", sorted(path.name for path in STATIC.iterdir()))
async def test_each_static_file_is_served_as_what_it_is(
    server: PageServer, session: aiohttp.ClientSession, name: str
) -> None:
    kinds = {"css": "text/css", "html": "text/html", "js": "text/javascript", "svg": "image/svg+xml"}
    async with session.get(f"{server.url}static/{name}") as answer:
        assert answer.status == 200
        kind = kinds.get(name.rpartition(".")[2], "application/json")
        assert answer.content_type.replace("application/javascript", "text/javascript") == kind


async def test_the_font_package_is_served(server: PageServer, session: aiohttp.ClientSession) -> None:
    path = font_file("Regular")
    assert path is not None
    async with session.get(f"{server.url}fonts/Regular.ttf") as answer:
        assert answer.status == 200
        assert answer.content_type == "font/ttf"
        assert await answer.read() == path.read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "static/",
        "static/nothing.js",
        "static/../server.py",
        "static/%2e%2e/server.py",
        "static/..%2fserver.py",
        "fonts/Comic.ttf",
        "fonts/..%2fRegular.ttf",
        "fonts/Regular",
    ],
)
async def test_nothing_else_is_served(server: PageServer, path: str) -> None:
    # By hand: a client library would tidy the path before sending it.
    host, port = server.url.removeprefix("http://").rstrip("/").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET /{path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
    async with asyncio.timeout(10):
        status = await reader.readline()
        await reader.read()
    writer.close()
    await writer.wait_closed()
    assert status.split()[1] in {b"403", b"404"}


async def test_pages_can_not_command(server: PageServer, session: aiohttp.ClientSession) -> None:
    for method in ("POST", "PUT", "DELETE"):
        async with session.request(method, server.url) as answer:
            assert answer.status == 405


async def test_a_taken_port_is_an_os_error(server: PageServer) -> None:
    port = int(server.url.rstrip("/").rpartition(":")[2])
    with pytest.raises(OSError, match=str(port)):
        async with PageServer(dict, port=port):
            pass


async def test_an_ipv6_address_is_bracketed() -> None:
    assert PageServer(dict, host="::1", port=80).url == "http://[::1]:80/"
