"""What a hub answers on its own network.

    POST /push               a signed statement; the answer is the verdict
    PUT  /media/SHA256       a recording that a statement names, or will
    GET  /.well-known/core   these two (RFC 6690)

Nothing is done, and nothing kept, for a sender that has not shown that it hears us.
Ref: RFC 7252 §5.8 (methods); RFC 9175 §2.3, §2.4 (Echo); RFC 6690 §4.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from ward_hub.intake import Deliver
from ward_hub.lan.echo import Echo
from ward_hub.lan.gathering import Gathering, Work
from ward_hub.lan.limits import Limits
from ward_hub.lan.message import Code, Option, of_uint
from ward_hub.lan.request import Answer, Request, refusal
from ward_hub.lan.resources import WAY, Push, Recording, Resource, Store
from ward_hub.lan.spool import Key
from ward_hub.tally import Tally

CORE = (b".well-known", b"core")
LINKS = b'</push>;rt="wardhub.push",</media>;rt="wardhub.media"'
LINK_FORMAT = 40
SHA256 = re.compile(rb"[0-9a-f]{64}")


class Sender(NamedTuple):
    """Who sent a datagram: whose account it is on, the host, and the host with its port."""

    peer: str
    host: str
    endpoint: tuple[str, int]


class Site:
    """Answers requests; `clock` gives seconds that only grow."""

    def __init__(
        self,
        *,
        deliver: Deliver,
        store: Store,
        gathering: Gathering,
        limits: Limits,
        echo: Echo,
        tally: Tally,
        clock: Callable[[], float],
    ) -> None:
        self._deliver = deliver
        self._store = store
        self._gathering = gathering
        self._limits = limits
        self._echo = echo
        self._tally = tally
        self._clock = clock

    def answer(self, request: Request, sender: Sender) -> Answer | Work | None:
        """Return the answer to a request, or what works it out; None is silence, as it is being worked out already."""
        now = self._clock()
        if request.echo is not None and self._echo.fresh(request.echo, sender.host, now):
            self._limits.proved(sender.host, now)
        if request.path == CORE:
            return _links(request)
        resource = self._resource(request.path)
        if resource is None:
            return refusal(Code.NOT_FOUND, "no such resource")
        if request.code != resource.method:
            return refusal(Code.METHOD_NOT_ALLOWED, f"it takes {resource.method.name}")
        if not self._limits.knows(sender.host, now):
            self._tally.count(WAY, "unproven", now)  # the address may be another's: nobody can say yet
            return self.challenge(sender)
        key = Key(sender.peer, sender.endpoint, request.path, request.tags)
        return self._gathering.take(request, key, resource)

    def challenge(self, sender: Sender) -> Answer:
        """Ask a sender to show that it hears us."""
        return Answer(Code.UNAUTHORIZED, options=((Option.ECHO, self._echo.value(sender.host, self._clock())),))

    def _resource(self, path: tuple[bytes, ...]) -> Resource | None:
        match path:
            case (b"push",):
                return Push(self._deliver)
            case (b"media", name) if SHA256.fullmatch(name):
                return Recording(self._store, bytes.fromhex(name.decode()))
            case _:
                return None


def _links(request: Request) -> Answer:
    if request.code != Code.GET:
        return refusal(Code.METHOD_NOT_ALLOWED, "it takes GET")
    if request.accept not in {None, LINK_FORMAT}:
        return refusal(Code.NOT_ACCEPTABLE, f"here is Content-Format {LINK_FORMAT}")
    if request.block2 is None:
        return Answer(Code.CONTENT, LINKS, ((Option.CONTENT_FORMAT, of_uint(LINK_FORMAT)),))
    part = LINKS[request.block2.start : request.block2.start + request.block2.size]
    if not part:
        return refusal(Code.BAD_REQUEST, "there is no such block")
    block = request.block2._replace(more=request.block2.start + len(part) < len(LINKS))
    return Answer(Code.CONTENT, part, ((Option.CONTENT_FORMAT, of_uint(LINK_FORMAT)), (Option.BLOCK2, block.value())))
