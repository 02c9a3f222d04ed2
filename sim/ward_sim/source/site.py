"""The source's resources over aiocoap: options checked, uploads put together, answers cut into blocks.

It takes aiocoap's pipe directly (the stable way for a site) instead of its resource classes: those accept unknown
critical options, keep every served block's answer and abandoned uploads for minutes, and answer 5.00 to a block
that comes twice. Slices are cut from the bytes at each request, so nothing is kept between two blocks.
Ref: RFC 7252 §5.4.1 (critical options), §5.4.5 (repeated ones), §5.10.4 (Accept); RFC 7959 §2.4; RFC 6690.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from aiocoap import Message
from aiocoap.numbers.codes import Code
from aiocoap.numbers.types import Type
from aiocoap.pipe import Pipe

from ward_sim.source.observers import Observers
from ward_sim.source.spool import Refusal, Spool, Upload
from ward_sim.source.web import BLOCK_EXPONENT, LINK_FORMAT, Answer, Asked, Resource, refusal

# Uri-Host, Uri-Port, Uri-Path, Uri-Query, Accept, Block2, Block1: the critical options understood here.
CRITICAL = frozenset({3, 7, 11, 15, 17, 23, 27})
REPEATABLE = frozenset({11, 15})
SAY_NOTHING = 26  # No-Response to every class (RFC 7967 §2.1)
BLOCK = 1 << (BLOCK_EXPONENT + 4)


class Site:
    """Gives `resources`, by first path segment, to whoever asks; `observers` hold the observable one's."""

    def __init__(self, resources: Mapping[str, Resource], observers: Observers, clock: Callable[[], float]) -> None:
        self._resources = resources
        self._observers = observers
        self._clock = clock
        self._spool = Spool()

    async def render_to_pipe(self, pipe: Pipe) -> None:
        """Answer one request; aiocoap calls this in a task of its own, and cancels it when nobody listens."""
        request = pipe.request
        resource = self._resources.get(request.opt.uri_path[0] if request.opt.uri_path else "")
        if resource is not None and resource.observable and _observes(request) and not unacceptable(request):
            await self._observers.serve(pipe, lambda: self._message(request, self._answer(request)))
            return
        pipe.add_response(self.answered(request), is_last=True)

    def answered(self, request: Message, hub: str | None = None) -> Message:
        """Return the answer to one request, which came through the channel of `hub`, or open."""
        trouble = unacceptable(request)
        if trouble:
            return _rejection(request, trouble)
        return self._message(request, self._answer(request, hub))

    def _answer(self, request: Message, hub: str | None = None) -> Answer:
        path = tuple(request.opt.uri_path)
        if path == (".well-known", "core"):
            return Answer(Code.CONTENT, self._links().encode(), LINK_FORMAT)
        resource = self._resources.get(path[0] if path else "")
        if resource is None:
            return refusal(Code.NOT_FOUND, "no such resource")
        handler = resource.handler(request.code)
        if handler is None:
            return refusal(Code.METHOD_NOT_ALLOWED, "not with this method")
        # A hub is itself wherever it calls from; nobody else can add to what it uploads.
        sender = request.remote.hostinfo if hub is None else f"hub {hub}"
        asked = Asked(path, tuple(request.opt.uri_query), request.payload, sender, hub)
        if request.code == Code.GET:
            return handler(asked)
        if request.opt.block1 is None:
            if len(request.payload) > resource.limit:
                return refusal(Code.REQUEST_ENTITY_TOO_LARGE, f"at most {resource.limit} bytes")
            return handler(asked)
        return self._upload(request, asked, resource.limit, handler)

    def _upload(self, request: Message, asked: Asked, limit: int, handler: Callable[[Asked], Answer]) -> Answer:
        number, more, exponent = request.opt.block1 or (0, False, BLOCK_EXPONENT)
        size = 1 << (min(exponent, BLOCK_EXPONENT) + 4)
        if (request.opt.size1 or 0) > limit:
            return refusal(Code.REQUEST_ENTITY_TOO_LARGE, f"at most {limit} bytes")
        if (more and len(asked.payload) != size) or len(asked.payload) > size:
            return refusal(Code.BAD_REQUEST, f"a block of {len(asked.payload)} bytes where {size} are announced")
        key = (asked.sender, asked.path, tuple(request.opt.request_tag))
        taken = self._spool.take(key, number * size, asked.payload, limit, self._clock())
        if taken is Refusal.TOO_LARGE:
            return refusal(Code.REQUEST_ENTITY_TOO_LARGE, f"at most {limit} bytes")
        if not isinstance(taken, Upload):
            return refusal(Code.REQUEST_ENTITY_INCOMPLETE, taken.value)
        if more:
            return Answer(Code.CONTINUE)
        if not isinstance(taken.answer, Answer):
            taken.answer = handler(replace(asked, payload=bytes(taken.data)))
        assert isinstance(taken.answer, Answer)  # noqa: S101 - set just above
        return taken.answer

    def _message(self, request: Message, answer: Answer) -> Message:
        if answer.code == Code.CONTENT and request.opt.accept not in {None, answer.content_format}:
            answer = refusal(Code.NOT_ACCEPTABLE, f"here is Content-Format {answer.content_format}")
        message = Message(code=answer.code, payload=answer.payload)
        message.opt.content_format = answer.content_format
        message.opt.max_age = answer.max_age
        message.opt.location_path = answer.location
        message.opt.block1 = request.opt.block1
        if answer.code == Code.CONTENT:
            _slice(request, message, answer.etag)
        return message

    def _links(self) -> str:
        return ",".join(
            f"</{name}>{one.attributes}{';obs' if one.observable else ''}" for name, one in self._resources.items()
        )


def unacceptable(request: Message) -> str:
    """Say what is wrong with a request's critical options; empty where nothing is."""
    counts = Counter(int(option.number) for option in request.opt.option_list())
    for number, count in counts.items():
        if number % 2 and (number not in CRITICAL or (count > 1 and number not in REPEATABLE)):
            return f"critical option {number} is not understood, or not more than once"
    return ""


def _rejection(request: Message, trouble: str) -> Message:
    """Refuse a confirmable request with 4.02; a non-confirmable one is passed over in silence (RFC 7252 §5.4.1)."""
    message = Message(code=Code.BAD_OPTION, payload=trouble.encode())
    if request.mtype == Type.NON:
        message.opt.no_response = SAY_NOTHING
    return message


def _observes(request: Message) -> bool:
    return request.code == Code.GET and request.opt.observe == 0 and not request.opt.uri_query


def _slice(request: Message, message: Message, etag: bytes | None) -> None:
    """Cut the asked block out of a message's payload; a short one that nobody wants in blocks stays whole."""
    whole = message.payload
    if request.opt.block2 is None and len(whole) <= BLOCK:
        return
    number, _, exponent = request.opt.block2 or (0, False, BLOCK_EXPONENT)
    exponent = min(exponent, BLOCK_EXPONENT)
    size = 1 << (exponent + 4)
    start = number * size
    if start >= max(1, len(whole)):
        message.code = Code.BAD_REQUEST
        message.payload = f"there is no block {number}".encode()
        return
    message.payload = whole[start : start + size]
    message.opt.block2 = (number, start + size < len(whole), exponent)
    message.opt.size2 = len(whole)
    message.opt.etag = etag or hashlib.sha256(whole).digest()[:8]
