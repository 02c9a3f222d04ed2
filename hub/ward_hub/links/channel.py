"""What the hub sends to its source alone: each request sealed with OSCORE, and only sealed answers heard.

aiocoap's OSCORE is used as a library of messages: its transport for it makes a task of each request, and loads EDHOC
with it. Its contexts in files are not used either: one that has lost its file begins to count at 0 again.
The hub is only ever the client. Each request has a number of its own, a repeated one too, and an answer is bound to the
request that it is to: so there is no window of answers, and one that is recorded is of no use to anybody.
Ref: RFC 8613 §8.1, §8.4 (client); appendix B.1.2 and RFC 9175 §2 (Echo).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from aiocoap import Message
from aiocoap.oscore import (
    AES_CCM_16_64_128,
    CanProtect,
    CanUnprotect,
    ContextUnavailable,
    ReplayWindow,
    RequestIdentifiers,
    SecurityContextUtils,
)
from cryptography.hazmat.primitives.hashes import SHA256

from ward_hub.errors import StateError
from ward_hub.links.errors import ChannelLost
from ward_protocol.channel import HUB_ID, SOURCE_ID, Agreement

log = logging.getLogger(__name__)
WINDOW = 32

# It tells what is inside each message to who reads the log at debug.
logging.getLogger("aiocoap.cryptography").setLevel(logging.WARNING)


class Context(CanProtect, CanUnprotect, SecurityContextUtils):
    """An OSCORE context whose every number is handed in: `number` is used for one message, then there is none."""

    alg_aead = AES_CCM_16_64_128()
    hashfun = SHA256()
    echo_recovery = None  # a client has no window to recover

    def __init__(self, agreement: Agreement, own: bytes = HUB_ID, peer: bytes = SOURCE_ID) -> None:
        self.sender_id, self.recipient_id, self.id_context = own, peer, agreement.context
        self.derive_keys(agreement.salt, agreement.secret)
        # Asked for by the library, and of no effect: only requests that come are held against it.
        self.recipient_replay_window = ReplayWindow(WINDOW, self.post_seqnoincrease)
        self.recipient_replay_window.initialize_empty()
        self.number: int | None = None

    def new_sequence_number(self) -> int:
        """Give the number that was handed in, once."""
        number, self.number = self.number, None
        if number is None:
            raise ContextUnavailable("no number was handed in for this message")
        return number

    def post_seqnoincrease(self) -> None:
        """Do nothing: numbers are on the disk before they are handed in."""


class Seal:
    """Protects one request, and opens what comes back on it."""

    def __init__(self, context: Context, number: int) -> None:
        self._context = context
        self._number: int | None = number
        self._request: RequestIdentifiers | None = None
        self.dropped = ""  # what came instead of a sealed answer: for people, nothing is decided by it

    def protect(self, message: Message) -> Message:
        """Return the request as it goes over the wire; once: to repeat one takes a new seal."""
        self._context.number, self._number = self._number, None
        protected, self._request = self._context.protect(message)
        return protected

    def open(self, message: Message) -> Message | None:
        """Return the answer that the source sealed for this request; None for anything else, whatever it says."""
        try:
            return self._context.unprotect(message, self._request)[0]
        except Exception as error:  # noqa: BLE001 - whatever the library trips over, the datagram is to blame
            if message.opt.oscore is None:
                self.dropped = f"{message.code.dotted} {message.payload[:80].decode('utf-8', 'replace')}"
            log.debug("answer of %d bytes dropped: %r", len(message.payload), error)
            return None


class Sealing(Protocol):
    """Gives a seal for each request; `state` says in words how receipts go."""

    @property
    def state(self) -> str:
        """How they go."""
        ...

    async def seal(self) -> Seal:
        """Return a new one; raises ChannelLost."""
        ...


class Channel:
    """The channel of one agreement; `take` gives numbers that were never used, or raises StateError."""

    state = "protected"

    def __init__(self, agreement: Agreement, take: Callable[[], Awaitable[int]]) -> None:
        self._context = Context(agreement)
        self._take = take

    async def seal(self) -> Seal:
        """Return a seal with a number of its own."""
        try:
            return Seal(self._context, await self._take())
        except StateError as error:
            raise ChannelLost(str(error)) from error


class NoChannel:
    """Stands where there should be a channel and is none: nothing goes through it, and nothing goes around it."""

    def __init__(self, why: str) -> None:
        self._why = why
        self.state = f"kept here: {why}"

    async def seal(self) -> Seal:
        """Say why not."""
        raise ChannelLost(self._why)
