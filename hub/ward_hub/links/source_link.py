"""What the hub asks of its source, whatever the network does."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from aiocoap.numbers.codes import Code

from ward_hub.links.ask import give, succeed
from ward_hub.links.channel import Sealing
from ward_hub.links.endpoint import BLOCK, Ask
from ward_hub.links.errors import LinkDown, PeerError, TooLarge, WrongDigest
from ward_hub.links.follow import PATH, Follower, LinkState
from ward_hub.links.line import Line
from ward_hub.links.partial import PartialFile
from ward_hub.links.transfer import Transfer
from ward_hub.links.turns import Turns
from ward_protocol.statements import StatementType

PERIOD_S = 2.0
# Beats are state: a reader that lags gets the newest ones.
BEATS_KEPT = 8
DIGEST_SIZE = 32


class Mailbox:
    """The newest few beats, each given once; an iterator and not a generator, so that leaving it leaves nothing."""

    def __init__(self, kept: int) -> None:
        self._beats: deque[bytes] = deque(maxlen=kept)
        self._last = b""
        self._news = asyncio.Event()

    def put(self, beat: bytes) -> None:
        """Keep a beat, unless it is the last one again: a source may send each change twice against loss."""
        if beat != self._last:
            self._last = beat
            self._beats.append(beat)
            self._news.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while not self._beats:
            self._news.clear()
            await self._news.wait()
        return self._beats.popleft()


class SourceLink:
    """The link to the source at `uri`, coap://HOST[:PORT]; an async context manager, for one reader of beats.

    All deadlines are seconds from the call. `period` is the source's beat period. `clock` gives the running loop's
    seconds (None: the loop's own), `rng` jitter and tokens. `on_state` hears how the beat comes. Receipts go through
    `channel` where there is one, and then never without; what is public and signed goes open.
    Raises SourceError in its kinds; MisuseError at once for a URI that is none.
    """

    def __init__(
        self,
        uri: str,
        *,
        clock: Callable[[], float] | None = None,
        rng: random.Random | None = None,
        period: float = PERIOD_S,
        on_state: Callable[[LinkState], None] | None = None,
        channel: Sealing | None = None,
    ) -> None:
        self.line = Line(uri, rng=rng or random.SystemRandom(), clock=clock, channel=channel)
        self._turns = Turns()
        self._beats = Mailbox(BEATS_KEPT)
        self._follower = Follower(
            self.line, period=period, on_beat=self._beats.put, on_state=on_state or (lambda _state: None)
        )
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.line)
        group = await self._stack.enter_async_context(asyncio.TaskGroup())
        self.line.on_renewal = self._follower.ask_again
        following = group.create_task(self._follower.run(), name=f"follow {self.line.uri}")
        self._stack.callback(following.cancel)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()  # not told what the body raised: its task group would wrap that

    @property
    def state(self) -> LinkState:
        """How the beat comes now."""
        return self._follower.state

    @property
    def receipts(self) -> str:
        """How receipts go, in words: protected, open, or kept here and why."""
        return "open" if self.line.channel is None else self.line.channel.state

    def beats(self) -> AsyncIterator[bytes]:
        """Give each beat as it comes, as bytes that nobody has judged; ends only with its reader."""
        return self._beats

    async def fetch(self, path: str, *, deadline: float, max_size: int) -> bytes:
        """Return the resource at `path`: in one round trip where it fits a datagram. Holds bulk transfers meanwhile.

        Raises NotFound, Refused, TooLarge, PeerError, LinkDown.
        """
        until = self.line.now() + deadline
        with self._turns.urgent():
            question = Ask(Code.GET, path)
            reply = await succeed(self.line, question, until)
            size = reply.size2 if reply.block2 is not None and reply.block2.more else len(reply.payload)
            if size is None or (reply.block2 is not None and reply.block2.size != BLOCK):
                raise PeerError(f"{self.line.uri}: {path}: blocks of 1024 bytes and a Size2 are needed")
            if size > max_size:
                raise TooLarge(f"{self.line.uri}: {path}: {size} bytes, at most {max_size} are taken")
            if size == len(reply.payload):
                return reply.payload
            return await self._rest(path, reply.payload, size, reply.etag, until)

    async def fetch_media(self, sha256: bytes, size: int, into: Path, *, deadline: float, urgent: bool = False) -> None:
        """Fetch a recording to the file `into`, which is there only once it is whole, right and on the disk.

        What came stays in a partial file beside it, also through a killed process, and is not fetched again.
        `urgent` goes before all other transfers. Raises WrongDigest, NotFound, Refused, PeerError, LinkDown,
        StorageError, and MisuseError where it is being fetched already.
        """
        until = self.line.now() + deadline
        try:
            async with AsyncExitStack() as stack:
                if urgent:
                    stack.enter_context(self._turns.urgent())
                else:
                    async with asyncio.timeout(deadline):
                        await stack.enter_async_context(self._turns.bulk())
                part = stack.enter_context(PartialFile(into, sha256, size))
                await self._complete(part, f"media/{sha256.hex()}", size, until, None if urgent else self._turns)
        except TimeoutError as error:
            if isinstance(error, LinkDown):
                raise
            raise LinkDown(f"{self.line.uri}: {into.name}: other recordings took all of its time") from error

    async def post_receipt(self, envelope: bytes, *, deadline: float) -> bytes:
        """Deliver a receipt and return the digest that the source acknowledges (32 bytes).

        Raises Refused with the source's reason, PeerError, LinkDown, ChannelLost.
        """
        content, sealed = int(StatementType.RECEIPT), self.line.channel is not None
        question = Ask(Code.POST, "receipts", payload=envelope, content_format=content, sealed=sealed)
        reply = await give(self.line, question, self.line.now() + deadline)
        if len(reply.payload) != DIGEST_SIZE:
            raise PeerError(f"{self.line.uri}: receipts: acknowledged with {len(reply.payload)} bytes, not a SHA-256")
        return reply.payload

    async def nonce_beat(self, nonce: bytes, deadline: float) -> bytes:
        """Return a beat that the source made for `nonce` (8 to 16 bytes), as bytes that nobody has judged."""
        question = Ask(Code.GET, PATH, query=(f"n={nonce.hex()}",))
        with self._turns.urgent():
            return (await succeed(self.line, question, self.line.now() + deadline)).payload

    async def _rest(self, path: str, first: bytes, size: int, etag: bytes | None, until: float) -> bytes:
        """Fetch what follows the first block."""
        whole = bytearray(first.ljust(size, b"\0"))

        def keep(block: int, data: bytes) -> None:
            whole[block * BLOCK : block * BLOCK + len(data)] = data

        if len(first) != BLOCK:
            raise PeerError(f"{self.line.uri}: {path}: a first block of {len(first)} bytes")
        transfer = Transfer(self.line, path, size, keep, until, etag=etag)
        await transfer.run(range(1, -(-size // BLOCK)))
        return bytes(whole)

    async def _complete(self, part: PartialFile, path: str, size: int, until: float, turns: Turns | None) -> None:
        """Fetch what is missing; what an earlier run left may be damaged, so that is tried once more from nothing."""
        while True:
            resumed = part.resumed

            def keep(block: int, data: bytes) -> None:
                part.put(block, data)
                part.hash_some()

            transfer = Transfer(self.line, path, size, keep, until, turns, wrong_size=WrongDigest)
            await transfer.run(part.missing)
            await _digest(part)
            if part.matches:
                await asyncio.to_thread(part.finish)
                return
            part.discard()
            if not resumed:
                part.delete()
                raise WrongDigest(f"{self.line.uri}: {path}: what the source sent has another SHA-256")


async def _digest(part: PartialFile) -> None:
    """Let the digest catch up in small steps: an alert never waits for a long file."""
    for _ in range(part.count):
        if not part.hash_some():
            return
        await asyncio.sleep(0)
