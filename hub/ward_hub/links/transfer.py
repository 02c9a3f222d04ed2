"""Many blocks of one resource at once: windowed Block2 GETs, each block repeated until it has come.

Ref: RFC 7959 §2.4 (a client may ask for any block), §4 (Size2); the server must serve slices without state.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from aiocoap.numbers.codes import Code

from ward_hub.links.ask import LATER, checked
from ward_hub.links.endpoint import BLOCK, Ask, Reply
from ward_hub.links.errors import LinkDown, PeerError
from ward_hub.links.line import Line
from ward_hub.links.schedule import Schedule
from ward_hub.links.turns import Turns
from ward_hub.links.window import Window

# Attempts whose late answers are still taken, of each block.
LISTENED_TO = 4
# So many blocks that do not fit end a transfer: the source, or someone on the way, is not what it should be.
NONSENSE_TAKEN = 32
IDLE_S = 1.0


@dataclass(frozen=True, slots=True)
class Came:
    """What came for a block, and how long after it was asked for."""

    block: int
    reply: Reply
    took: float


@dataclass(slots=True)
class Transfer:
    """Fetches `blocks` of the resource at `path`, of `size` bytes in all, and hands each to `keep` once.

    `turns` given, it pauses while something urgent is on its way. `until` is line time.
    """

    line: Line
    path: str
    size: int
    keep: Callable[[int, bytes], None]
    until: float
    turns: Turns | None = None
    wrong_size: type[PeerError] = PeerError
    etag: bytes | None = None
    nonsense: int = 0
    _inbox: deque[Came] = field(default_factory=deque[Came])
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _stops: dict[int, list[Callable[[], None]]] = field(default_factory=dict[int, list[Callable[[], None]]])

    async def run(self, blocks: Iterable[int]) -> None:
        """Fetch them all; raises LinkDown at `until`, NotFound, Refused, PeerError."""
        schedule = Schedule(blocks, Window(), self.line.trip, self.line.rng)
        try:
            while not schedule.finished:
                await self._pause(schedule)
                await self._ask(schedule)
                await self._wait(schedule)
                self._take(schedule)
        finally:
            for stops in self._stops.values():
                _stop_all(stops)

    async def _pause(self, schedule: Schedule) -> None:
        """Let what is urgent go first; what was asked for may still come meanwhile."""
        if self.turns is None or self.turns.free:
            return
        began = self.line.now()
        try:
            async with asyncio.timeout(max(0.0, self.until - began)):
                await self.turns.wait_free()
        except TimeoutError:
            raise self._down() from None
        schedule.postpone(self.line.now() - began)

    async def _ask(self, schedule: Schedule) -> None:
        now = self.line.now()
        due = schedule.due(now)
        if not due:
            return
        try:
            endpoint = await self.line.ready()
        except LinkDown:
            return  # no way out at the moment: they will be late, and asked for again
        for block in due:
            ask = Ask(Code.GET, self.path, block2=block)
            stops = self._stops.setdefault(block, [])
            stops.append(endpoint.request(ask, self._receiver(block, self.line.now())))
            _stop_all(stops[:-LISTENED_TO])
            del stops[:-LISTENED_TO]

    def _receiver(self, block: int, sent_at: float) -> Callable[[Reply | None], bool]:
        def on_reply(reply: Reply | None) -> bool:
            if reply is not None:
                self._inbox.append(Came(block, reply, self.line.now() - sent_at))
                self._news.set()
            return False

        return on_reply

    async def _wait(self, schedule: Schedule) -> None:
        now = self.line.now()
        if now >= self.until:
            raise self._down()
        wake_at = min(schedule.wake_at() or now + IDLE_S, self.until)
        try:
            async with asyncio.timeout(max(0.0, wake_at - now)):
                await self._news.wait()
        except TimeoutError:
            return

    def _take(self, schedule: Schedule) -> None:
        self._news.clear()
        while self._inbox:
            came = self._inbox.popleft()
            self.line.heard()
            if came.reply.code >= LATER:
                continue  # the source is in trouble: the block will be late, and asked for again
            if not self._fits(came):
                self._tolerate()
            elif schedule.came(came.block, came.took, self.line.now()):
                _stop_all(self._stops.pop(came.block, []))
                self.keep(came.block, came.reply.payload)

    def _fits(self, came: Came) -> bool:
        """Say whether this is the block; raises what a refusal stands for, and `wrong_size`."""
        reply = came.reply
        checked(self.line, Ask(Code.GET, self.path), reply)
        if reply.size2 not in {None, self.size}:
            raise self.wrong_size(f"{self._where}: it has {reply.size2} bytes, {self.size} were announced")
        last = (came.block + 1) * BLOCK >= self.size
        length = self.size - came.block * BLOCK if last else BLOCK
        given = reply.block2 or (0, False, BLOCK)
        if tuple(given) != (came.block, not last, BLOCK) or len(reply.payload) != length:
            return False
        if self.etag is None:
            self.etag = reply.etag
        return reply.etag == self.etag

    def _tolerate(self) -> None:
        self.nonsense += 1
        if self.nonsense > NONSENSE_TAKEN:
            raise PeerError(f"{self._where}: the source sends blocks that do not fit {self.size} bytes")

    @property
    def _where(self) -> str:
        return f"{self.line.uri}: {self.path}"

    def _down(self) -> LinkDown:
        return LinkDown(f"{self._where}: not complete in time; what came is kept")


def _stop_all(stops: Iterable[Callable[[], None]]) -> None:
    for stop in stops:
        stop()
