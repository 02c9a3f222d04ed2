"""Serves the live page: static files, the fonts, and a WebSocket of snapshots. It commands nothing."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from aiohttp import web

from ward_sim.page.viewer import Pace, SnapshotSource, Viewer

if TYPE_CHECKING:
    from types import TracebackType

STATIC = Path(__file__).parent / "static"
FONT_PACKAGE = "fontpkg_be_vietnam_pro"
FONT_WEIGHTS = ("Regular", "Medium", "SemiBold", "Bold")
SHUTDOWN_S = 2.0
# The page sends nothing; a longer message is not ours.
LONGEST_MESSAGE = 1024

HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'self'; connect-src 'self' ws:; img-src 'self' data:",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def font_file(name: str) -> Path | None:
    """Return the path of a Be Vietnam Pro file by its weight, None when the font package is not installed."""
    spec = importlib.util.find_spec(FONT_PACKAGE)
    if name not in FONT_WEIGHTS or spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "files" / f"BeVietnamPro-{name}.ttf"
    return path if path.is_file() else None


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


class PageServer:
    """An HTTP server for the page; an async context manager.

    `snapshot` is called on the event loop, for each open page at most once per `pace.interval`, and must be
    quick. Port 0 takes a free port; `url` tells which. OSError when the address is taken.
    """

    def __init__(
        self,
        snapshot: SnapshotSource,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        pace: Pace | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._host = host
        self._port = port
        self._pace = pace or Pace()
        self._viewers: set[Viewer] = set()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The page's address, once the server has been entered."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}/"

    @property
    def viewers(self) -> int:
        """How many pages are open."""
        return len(self._viewers)

    def poke(self) -> None:
        """Say that the ward changed; open pages hear of it within the pace."""
        for viewer in self._viewers:
            viewer.poke()

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=SHUTDOWN_S)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError:
            await self._runner.cleanup()
            raise
        self._port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async with asyncio.TaskGroup() as tasks:
            for viewer in self._viewers:
                tasks.create_task(viewer.close())
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _application(self) -> web.Application:
        application = web.Application()
        application.on_response_prepare.append(_add_headers)
        application.router.add_get("/", self._index)
        application.router.add_get("/ws", self._watch)
        application.router.add_get("/fonts/{name}.ttf", self._font)
        application.router.add_static("/static/", STATIC)
        return application

    async def _index(self, _request: web.Request) -> web.FileResponse:
        return web.FileResponse(STATIC / "index.html")

    async def _font(self, request: web.Request) -> web.FileResponse:
        path = font_file(request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound(text=f"no such font; the page falls back to the system's ({FONT_PACKAGE})")
        headers = {"Content-Type": "font/ttf", "Cache-Control": "max-age=86400"}
        return web.FileResponse(path, headers=headers)

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.host:
            # Any web site can make its visitor's browser connect to 127.0.0.1; it shall learn nothing there.
            raise web.HTTPForbidden(text=f"live page: {origin} may not watch; open {self.url} itself")
        socket = web.WebSocketResponse(heartbeat=10.0, timeout=1.0, compress=False, max_msg_size=LONGEST_MESSAGE)
        await socket.prepare(request)
        viewer = Viewer(socket, request, self._snapshot, self._pace)
        self._viewers.add(viewer)
        try:
            await viewer.run()
        finally:
            self._viewers.discard(viewer)
        return socket
