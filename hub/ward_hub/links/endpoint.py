"""One UDP endpoint towards a source on aiocoap: requests go out at once, what comes back arrives in a callback.

Only this file and `channel` know aiocoap. It is used below its request objects, at the pipe that its transports fill,
because there a request costs no task, is cancelled by one call, and an observation is not an iterator that outlives
its reader. What is mended here, as measured on 0.4.17:

- Requests are non-confirmable, repeated by who sends them. aiocoap has one confirmable exchange with a peer at a
  time (RFC 7252 §4.7, NSTART 1) and repeats it after 2 to 3 s: one lost acknowledgement of a receipt would hold an
  alert for seconds. All that is asked of a source may be repeated harmlessly.
- Message ids are 16 bits, and a peer takes one it has seen within 247 s for a duplicate (§4.5): `worn` says when to
  change to a new endpoint, well before they come round.
- Tokens are eight random bytes; aiocoap counts up from a 16-bit start (§11.4: guessable by who cannot listen).
- aiocoap keeps every option number, code and Content-Format that it ever saw, 0.3 kB each: those that it did not begin
  with are forgotten again, so that a hostile source cannot make the hub grow.
- To aiocoap the first answer with a request's token is the last. Of a request that was sealed that may be anybody's
  who saw the token, and is faster than the source: it listens on.
- The socket is connected, so the kernel drops what other hosts send; a datagram on which aiocoap's parser fails is
  counted and dropped here instead of raising into the event loop.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import SplitResult

from aiocoap import Context, Message
from aiocoap.error import Error as CoapError
from aiocoap.numbers.codes import Code
from aiocoap.numbers.contentformat import ContentFormat
from aiocoap.numbers.optionnumbers import OptionNumber
from aiocoap.numbers.types import Type
from aiocoap.pipe import Pipe

from ward_hub.addresses import source_address
from ward_hub.links.channel import Seal
from ward_hub.links.errors import LinkDown, MisuseError
from ward_hub.printed import one_line

if TYPE_CHECKING:
    from aiocoap.message import Remote
    from aiocoap.tokenmanager import TokenManager

log = logging.getLogger(__name__)
COAP_LOG = "ward_hub.links.coap"
# Half of the message ids; a media transfer of 8 MiB takes 8,192.
MESSAGES = 32_000
NUMBERS_KEPT = 64
TOKEN_SIZE = 8
BLOCK_EXPONENT = 6
BLOCK = 1 << (BLOCK_EXPONENT + 4)

# It warns of every datagram that is no CoAP: a hostile neighbour must not be able to fill the journal.
logging.getLogger(COAP_LOG).setLevel(logging.ERROR)


class Block(NamedTuple):
    """A block option: number, whether more follow, and its size in bytes (RFC 7959 §2.2)."""

    number: int
    more: bool
    size: int


@dataclass(frozen=True, slots=True)
class Ask:
    """One request; blocks are (number, more) of 1,024 bytes, `tag` and `echo` a Request-Tag and an Echo (RFC 9175).

    A `sealed` one goes through the channel or not at all.
    """

    method: Code
    path: str
    query: tuple[str, ...] = ()
    payload: bytes = field(default=b"", repr=False)
    content_format: int | None = None
    observe: bool = False
    block1: tuple[int, bool] | None = None
    block2: int | None = None
    size1: int | None = None
    tag: bytes | None = None
    echo: bytes | None = None
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, as far as anything here reads it."""

    code: int
    payload: bytes = field(repr=False)
    observe: int | None = None
    block1: Block | None = None
    block2: Block | None = None
    size2: int | None = None
    etag: bytes | None = None
    max_age: int | None = None
    location: tuple[str, ...] = ()
    echo: bytes | None = None

    @property
    def words(self) -> str:
        """The code as RFC 7252 writes it, with the peer's diagnostic where there is one."""
        return f"{code_words(self.code)} {self.diagnostic}".strip()

    @property
    def diagnostic(self) -> str:
        """What the peer says of an error, in one line."""
        return one_line(self.payload[:500].decode("utf-8", "replace")) if self.code >= Code.BAD_REQUEST else ""


# Takes a reply, or None when the transport gives the request up (port closed, reset); returns True to hear more.
OnReply = Callable[[Reply | None], bool]


def code_words(code: int) -> str:
    """Return a code as class.detail, e.g. ``4.04``."""
    return f"{code >> 5}.{code & 31:02}"


def parse_uri(uri: str) -> SplitResult:
    """Return the parts of a source's URI, coap://HOST[:PORT]; raises MisuseError."""
    try:
        return source_address(uri)
    except ValueError as error:
        raise MisuseError(str(error)) from error


class Endpoint:
    """An open endpoint; made by `open`, ended by `close`."""

    def __init__(self, context: Context, interface: TokenManager, remote: Remote, host: str | None) -> None:
        self._context = context
        self._interface = interface
        self._remote = remote
        self._host = host
        self.sent = 0
        self.garbage = 0
        self.unsealed = 0
        self._guard()

    @classmethod
    async def open(cls, uri: str, rng: random.Random) -> Endpoint:
        """Resolve the host and connect a socket; raises LinkDown where there is no address or no way to it."""
        parts = parse_uri(uri)
        context = await Context.create_client_context(loggername=COAP_LOG, transports=["simple6"])
        try:
            message = Message(code=Code.GET, uri=uri)
            interface = await context.find_remote_and_interface(message)
        except (CoapError, OSError) as error:
            await context.shutdown()
            cause = error.__cause__ or error
            raise LinkDown(f"{uri}: {cause}; see whether the hub has a network and a name server") from error
        except BaseException:
            await context.shutdown()
            raise
        interface.next_token = lambda: rng.randbytes(TOKEN_SIZE)
        return cls(context, interface, message.remote, _name(parts))

    @property
    def worn(self) -> bool:
        """Whether so many messages were sent that a new endpoint should take over."""
        return self.sent >= MESSAGES

    def request(self, ask: Ask, on_reply: OnReply, seal: Seal | None = None) -> Callable[[], None]:
        """Send a request now; returns what to call when nothing more of it is wanted (any number of times).

        With a seal it goes out protected, and what comes back unprotected is as if nothing had come.
        """
        if ask.sealed != (seal is not None):
            raise MisuseError(f"{ask.path}: a request that is to be sealed needs its seal, and no other has one")
        self.sent += 1
        message = self._message(ask)
        if seal is not None:
            message = seal.protect(message)
        message.mtype, message.remote = Type.NON, self._remote
        pipe, wanted = Pipe(message, log), True

        def heard(event: Pipe.Event) -> bool:
            came = event.message
            if seal is not None and came is not None:
                came = seal.open(came)
                if came is None:
                    self.unsealed += 1
                    if event.is_last:  # so aiocoap says of any answer: it forgets the token when this returns
                        asyncio.get_running_loop().call_soon(listen_on)
                    return not event.is_last
            return on_reply(_reply(came)) and not event.is_last

        stop = pipe.on_event(heard)

        def listen_on() -> None:
            nonlocal stop
            if wanted:
                stop = self._listen_on(message, heard)

        def end() -> None:
            nonlocal wanted
            wanted = False
            stop()

        self._interface.request(pipe)
        return end

    def _listen_on(self, message: Message, heard: Callable[[Pipe.Event], bool]) -> Callable[[], None]:
        """Hear what else comes with the token of a request that was sent."""
        pipe, key, waiting = Pipe(message, log), (message.token, self._remote), self._interface.outgoing_requests
        stop = pipe.on_event(heard)
        if waiting is not None:  # it is none once this was closed
            waiting[key] = pipe
            pipe.on_interest_end(partial(waiting.pop, key, None))
        return stop

    async def close(self) -> None:
        """Close the socket; what is under way hears None."""
        await self._context.shutdown()

    def _message(self, ask: Ask) -> Message:
        message = Message(code=ask.method, payload=ask.payload)
        options = message.opt
        options.uri_path = ask.path.split("/")
        options.uri_query = ask.query
        options.uri_host = self._host
        options.content_format = ask.content_format
        options.observe = 0 if ask.observe else None
        options.block1 = None if ask.block1 is None else (*ask.block1, BLOCK_EXPONENT)
        options.block2 = None if ask.block2 is None else (ask.block2, False, BLOCK_EXPONENT)
        options.size1 = ask.size1
        options.request_tag = () if ask.tag is None else (ask.tag,)
        options.echo = ask.echo
        return message

    def _guard(self) -> None:
        """Put a net under the parser: it raises other errors than its own on some datagrams."""
        parse = self._remote.datagram_received

        def received(data: bytes, address: object) -> None:
            _forget_numbers()
            try:
                parse(data, address)
            except Exception as error:  # noqa: BLE001 - whatever the library trips over, the datagram is to blame
                self.garbage += 1
                log.debug("datagram of %d bytes dropped: %r", len(data), error)

        self._remote.datagram_received = received  # type: ignore[method-assign] # asyncio looks it up each time


# Where aiocoap's ExtensibleIntEnum puts every number, and which of them it began with.
_KEPT = [kind._value2member_map_ for kind in (Code, ContentFormat, OptionNumber)]
_NAMED = [frozenset(numbers) for numbers in _KEPT]


def _forget_numbers() -> None:
    """Drop what aiocoap has kept beside the numbers that it began with, once there are some."""
    for numbers, named in zip(_KEPT, _NAMED, strict=True):
        if len(numbers) > len(named) + NUMBERS_KEPT:
            for number in numbers.keys() - named:
                del numbers[number]


def _name(parts: SplitResult) -> str | None:
    """The Uri-Host to send: none where the host is an address (RFC 7252 §6.4)."""
    try:
        ipaddress.ip_address(parts.hostname or "")
    except ValueError:
        return parts.hostname
    return None


def _reply(message: Message | None) -> Reply | None:
    if message is None:
        return None
    opt = message.opt
    return Reply(
        code=int(message.code),
        payload=message.payload,
        observe=opt.observe,
        block1=_block(opt.block1),
        block2=_block(opt.block2),
        size2=opt.size2,
        etag=opt.etag,
        max_age=opt.max_age,
        location=tuple(opt.location_path),
        echo=opt.echo,
    )


def _block(option: tuple[int, bool, int] | None) -> Block | None:
    if option is None:
        return None
    number, more, exponent = option
    return Block(number, bool(more), 1 << (exponent + 4))
