"""The simulated source: what it holds, what it answers, and its beat."""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from aiocoap import Context
from aiocoap.numbers.codes import Code

from ward_protocol.envelope import MAX_SIZE, Envelope
from ward_protocol.errors import ProtocolError
from ward_protocol.statements import Beat, Grants, Issued, Receipt, Root, StatementType
from ward_protocol.statements.bulletin import MAX_AUDIO
from ward_sim.source.chains import ChainBreak
from ward_sim.source.channels import Channels, ProtectedSite
from ward_sim.source.errors import RefusedStatement
from ward_sim.source.feed import Documents, Feed, Place
from ward_sim.source.observers import Observers
from ward_sim.source.receipts import Receipts
from ward_sim.source.site import Site
from ward_sim.source.trust import check_document
from ward_sim.source.web import Answer, Asked, Resource, refusal

if TYPE_CHECKING:
    from aiocoap.tokenmanager import MessageInterface

# A change is notified twice, this far apart: a lost datagram must not cost an alert a whole period.
AGAIN_S = 0.25
MAX_AGE_IN_PERIODS = 3
# What happens at a source, for whoever watches: published, delivered, contradicting what was delivered, or refused.
SourceEvent = Issued | Receipt | ChainBreak | RefusedStatement
SHA256 = re.compile(r"[0-9a-f]{64}")
NUMBER = re.compile(r"[1-9][0-9]{0,18}|0")


class Source:
    """An async context manager: a CoAP server at `bind` (port 0: any, see `address`).

    `beat_signer` signs each beat; `root` and `grants` are the trust documents' envelopes; `hub_keys` raw public keys
    by hub, `channels` its ends of the channels to hubs. `clock` gives Unix seconds. `on_event` hears what happens.
    `unchecked` plays a careless source, which takes any statement that it is given.
    """

    def __init__(
        self,
        *,
        beat_signer: Callable[[Beat], bytes],
        root: Sequence[bytes],
        grants: Sequence[bytes],
        hub_keys: Mapping[str, bytes],
        channels: Channels | None = None,
        bind: tuple[str, int] = ("127.0.0.1", 0),
        clock: Callable[[], float] = time.time,
        beat_period: float = 2.0,
        on_event: Callable[[SourceEvent], None] = lambda _event: None,
        unchecked: bool = False,
    ) -> None:
        if not root or not grants:
            raise ValueError("a source has a root and grants: its beat names their versions")
        self.beat_period = beat_period
        self.root = Documents(root, Root)
        self.grants = Documents(grants, Grants)
        self.feed = Feed(self.root, self.grants, unchecked=unchecked)
        self.observers = Observers()
        self._channels = channels
        self._receipts = Receipts(hub_keys, lambda hub: channels is not None and channels.has(hub))
        self._media: dict[str, bytes] = {}
        self._beat_signer = beat_signer
        self._bind = bind
        self._clock = clock
        self._on_event = on_event
        self._context: Context | None = None
        self._changed = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        self._beating: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        site = Site(self._resources(), self.observers, time.monotonic)
        front = site if self._channels is None else ProtectedSite(site, self._channels)
        self._context = await Context.create_server_context(
            front, bind=self._bind, loggername="ward_sim.source.coap", transports=["udp6"]
        )
        # What a send meets at once may be the closed port of whoever was sent to before; aiocoap would end the
        # observation of whoever is sent to now. The error queue, which names the right one, is read in any case.
        _interface(self._context).error_received = lambda _error: None
        await self._tasks.__aenter__()
        self._beating = self._tasks.create_task(self._beat_on(), name="beat")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._beating is not None:
            self._beating.cancel()
        try:
            await self._tasks.__aexit__(None, None, None)  # what the body raised stays as it is
        finally:
            if self._context is not None:
                context, self._context = self._context, None
                await _close(context)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, the real port where any was asked for."""
        if self._context is None:
            return self._bind
        return self._bind[0], _socket(self._context).getsockname()[1]

    @property
    def uri(self) -> str:
        """The same as a CoAP URI."""
        host, port = self.address
        return f"coap://{host}:{port}"

    @property
    def heads(self) -> dict[str, int]:
        """The highest sequence of each issuer."""
        return dict(self.feed.heads)

    @property
    def receipts(self) -> list[Receipt]:
        """The receipts that hubs delivered, verified, in order."""
        return list(self._receipts.all)

    def save_receipts(self, folder: Path) -> None:
        """Write the receipts as they were signed into a folder, which is made."""
        self._receipts.save(folder)

    def publish(self, envelope: bytes) -> Place:
        """Publish a statement and return its issuer and sequence; raises RefusedStatement."""
        statement, new = self.feed.publish(envelope)
        if new:
            self._on_event(statement)
            self._changed.set()
        return statement.issuer, statement.sequence

    def publish_document(self, envelope: bytes, kind: type[Root | Grants]) -> int:
        """Take the next root or the next grants and return its version; raises RefusedStatement."""
        documents: Documents[Root] | Documents[Grants] = self.root if kind is Root else self.grants
        if documents.get(documents.newest) != envelope:
            check_document(envelope, kind, self.root.statement(), self.grants.statement())
            documents.add(envelope)
            self._changed.set()
        return documents.newest

    def enrol(self, request: bytes) -> None:
        """Take receipts of a hub by the key that its request names, in place of any other; through its channel only.

        The same request again changes nothing. Raises RefusedStatement, and ValueError for a source without channels.
        """
        if self._channels is None:
            raise ValueError("a source without channels enrols nobody: give it its channel key")
        enrolment = self._channels.enrol(request)
        self._receipts.enrol(enrolment.hub, enrolment.public)

    def inject(self, issuer: str, sequence: int, data: bytes) -> None:
        """Put any bytes into a place of the feed, unchecked: an attack from inside the source."""
        self.feed.put(data, issuer, sequence)
        self._changed.set()

    def put_media(self, data: bytes) -> bytes:
        """Keep a recording and return its SHA-256."""
        digest = hashlib.sha256(data).digest()
        self._media[digest.hex()] = data
        return digest

    def beat(self, nonce: bytes | None = None) -> bytes:
        """Return a beat signed now."""
        heads = dict(sorted(self.feed.heads.items()))
        return self._beat_signer(Beat(int(self._clock()), self.root.newest, self.grants.newest, heads, nonce))

    async def _beat_on(self) -> None:
        again = False
        while True:
            self.observers.notify()
            try:
                async with asyncio.timeout(AGAIN_S if again else self.beat_period):
                    await self._changed.wait()
                again = True
            except TimeoutError:
                again = False
            self._changed.clear()

    def _resources(self) -> dict[str, Resource]:
        of_receipts = f";ct={StatementType.RECEIPT};osc"
        return {
            "beat": Resource(get=self._get_beat, attributes=f";ct={StatementType.BEAT}", observable=True),
            "root": self._documents(self.root, Root, StatementType.ROOT),
            "grants": self._documents(self.grants, Grants, StatementType.GRANTS),
            "feed": Resource(get=self._get_statement, post=self._post_statement, limit=MAX_SIZE),
            "media": Resource(get=self._get_media, put=self._put_media, limit=MAX_AUDIO),
            "receipts": Resource(post=self._post_receipt, limit=MAX_SIZE, attributes=of_receipts),
        }

    def _documents(
        self, documents: Documents[Root] | Documents[Grants], kind: type[Root | Grants], number: StatementType
    ) -> Resource:
        def post(asked: Asked) -> Answer:
            if len(asked.path) != 1:
                return refusal(Code.METHOD_NOT_ALLOWED, f"it is posted to /{asked.path[0]}")
            try:
                version = self.publish_document(asked.payload, kind)
            except RefusedStatement as error:
                self._on_event(error)
                return refusal(error.code, str(error))
            return Answer(Code.CREATED, location=(asked.path[0], str(version)))

        return Resource(get=_documents(documents, number), post=post, limit=MAX_SIZE, attributes=f";ct={number}")

    def _get_beat(self, asked: Asked) -> Answer:
        if len(asked.path) != 1:
            return refusal(Code.NOT_FOUND, "the beat is at /beat")
        max_age = math.ceil(MAX_AGE_IN_PERIODS * self.beat_period)
        if not asked.query:
            return Answer(Code.CONTENT, self.beat(), int(StatementType.BEAT), max_age)
        try:
            (query,) = asked.query
            nonce = bytes.fromhex(query.removeprefix("n="))
        except ValueError:
            nonce = b""
        if not asked.query[0].startswith("n=") or not 8 <= len(nonce) <= 16:
            return refusal(Code.BAD_REQUEST, "?n= takes 8 to 16 bytes in hex")
        return Answer(Code.CONTENT, self.beat(nonce), int(StatementType.BEAT), 0)

    def _get_statement(self, asked: Asked) -> Answer:
        if len(asked.path) == 3 and NUMBER.fullmatch(asked.path[2]):
            data = self.feed.get(asked.path[1], int(asked.path[2]))
            if data is not None:
                return Answer(Code.CONTENT, data, _content_format(data))
        return refusal(Code.NOT_FOUND, "no such statement")

    def _post_statement(self, asked: Asked) -> Answer:
        if len(asked.path) != 1:
            return refusal(Code.METHOD_NOT_ALLOWED, "statements are posted to /feed")
        try:
            issuer, sequence = self.publish(asked.payload)
        except RefusedStatement as error:
            self._on_event(error)
            return refusal(error.code, str(error))
        return Answer(Code.CREATED, location=("feed", issuer, str(sequence)))

    def _get_media(self, asked: Asked) -> Answer:
        data = self._media.get(asked.path[1]) if len(asked.path) == 2 else None
        if data is None:
            return refusal(Code.NOT_FOUND, "no such recording")
        return Answer(Code.CONTENT, data, etag=bytes.fromhex(asked.path[1])[:8])

    def _put_media(self, asked: Asked) -> Answer:
        if len(asked.path) != 2 or not SHA256.fullmatch(asked.path[1]):
            return refusal(Code.BAD_REQUEST, "a recording is put to /media/ and its SHA-256 in hex")
        if hashlib.sha256(asked.payload).hexdigest() != asked.path[1]:
            return refusal(Code.UNPROCESSABLE_ENTITY, "the recording has another SHA-256")
        new = asked.path[1] not in self._media
        self.put_media(asked.payload)
        return Answer(Code.CREATED if new else Code.CHANGED)

    def _post_receipt(self, asked: Asked) -> Answer:
        try:
            delivered = self._receipts.take(asked.payload, asked.hub)
        except RefusedStatement as error:
            self._on_event(error)
            return refusal(error.code, str(error))
        if delivered.new:
            self._on_event(delivered.receipt)
        if delivered.broken is not None:
            self._on_event(delivered.broken)  # it is kept all the same: a contradiction is evidence
        return Answer(Code.CHANGED, delivered.digest)


def _socket(context: Context) -> socket.socket:
    return _interface(context).transport.get_extra_info("socket")


def _interface(context: Context) -> MessageInterface:
    return context.request_interfaces[0].token_interface.message_interface


async def _close(context: Context) -> None:
    """Take no more requests, let those that came begin (aiocoap warns of any that never did), and shut down."""
    asyncio.get_running_loop().remove_reader(_socket(context).fileno())
    await asyncio.sleep(0)
    await context.shutdown()


def _documents(documents: Documents[Root] | Documents[Grants], kind: StatementType) -> Callable[[Asked], Answer]:
    def get(asked: Asked) -> Answer:
        found = None
        if len(asked.path) == 2 and NUMBER.fullmatch(asked.path[1]):
            found = documents.get(int(asked.path[1]))
        if found is None:
            return refusal(Code.NOT_FOUND, f"the newest version is {documents.newest}")
        return Answer(Code.CONTENT, found, int(kind))

    return get


def _content_format(data: bytes) -> int | None:
    """Return a statement's own number; injected bytes may have none."""
    try:
        return int(Envelope.open(data).type)
    except ProtocolError:
        return None
