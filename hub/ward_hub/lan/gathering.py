"""From blocks to bodies: puts together what comes in several requests, and lets each body be taken once.

Ref: RFC 7959 §2.5 (Block1), §2.9 (2.31, 4.08, 4.13), §4 (Size1); RFC 7252 §5.9.3.4 (5.03 and Max-Age); RFC 9175 §3.
"""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ward_hub.lan.answers import Answers
from ward_hub.lan.limits import Limits
from ward_hub.lan.message import Code, Option, of_uint
from ward_hub.lan.request import Answer, Request, refusal
from ward_hub.lan.resources import WAY, Body, Resource
from ward_hub.lan.spool import Key, Part, Spool, Trouble
from ward_hub.tally import Tally

log = logging.getLogger(__name__)
# Bodies that are judged at the same time; the journal writes one after the other in any case.
AT_ONCE = 8
SOON_S = 2.0
STORAGE_S = 60.0
LONGEST_MAX_AGE_S = 3600
Work = Callable[[], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a resource, by whom and under what it is put together, and what makes it the same as another."""

    request: Request
    key: Key
    resource: Resource
    question: bytes


class Gathering:
    """Takes requests with bodies for resources; `clock` gives seconds that only grow."""

    def __init__(self, spool: Spool, limits: Limits, tally: Tally, clock: Callable[[], float]) -> None:
        self._spool = spool
        self._limits = limits
        self._tally = tally
        self._clock = clock
        self._answers = Answers()

    def take(self, request: Request, key: Key, resource: Resource) -> Answer | Work | None:
        """Return the answer, or what works it out; None where that is being worked out already.

        The sender is known.
        """
        asked = Asked(request, key, resource, _question(request, key))
        if self._answers.known(asked.question, self._clock()):
            return self._answers.get(asked.question)
        at_once = resource.at_once()
        if at_once is not None:
            return _acknowledged(request, at_once)
        if request.block1 is None and not resource.on_disk:
            data = request.payload
            return self._whole(asked, Body(len(data), hashlib.sha256(data).digest(), None, lambda: data))
        upload = self._spool.get(key)
        return None if upload is not None and upload.busy else self._take_block(asked)

    def _take_block(self, asked: Asked) -> Answer | Work:
        request, key, now = asked.request, asked.key, self._clock()
        block, data = request.block1, request.payload
        if block is not None and (len(data) > block.size or (block.more and len(data) < block.size)):
            return refusal(Code.BAD_REQUEST, f"{len(data)} bytes in a block of {block.size}")
        wait = self._limits.octets(key.peer).pay(now, len(data))
        if wait:
            return self._later(wait, "more was sent than was kept", "over-octets")
        limit = asked.resource.limit
        part = Part(block.start if block is not None else 0, data, limit, request.size1 or 0)
        taken = self._spool.take(key, part, now)
        if isinstance(taken, Trouble):
            return self._trouble(taken, limit)
        if block is not None and block.more:
            return _acknowledged(request, Answer(Code.CONTINUE))
        return self._whole(asked, Body(taken.received, taken.digest.digest(), taken.path, taken.data))

    def _trouble(self, trouble: Trouble, limit: int) -> Answer:
        if trouble is Trouble.GAP:
            return refusal(Code.INCOMPLETE, trouble.value)
        if trouble is Trouble.TOO_LARGE:
            self._count("too-large")
            return refusal(Code.TOO_LARGE, f"at most {limit} bytes", (Option.SIZE1, of_uint(limit)))
        return self._later(SOON_S if trouble is Trouble.FULL else STORAGE_S, trouble.value, "no-room")

    def _whole(self, asked: Asked, body: Body) -> Answer | Work:
        """Let a body be taken, unless it is seen to be wrong, or what it costs is not there at the moment."""
        key = asked.key
        refused = asked.resource.refuse(body)
        if refused is not None:
            self._spool.drop(key)
            self._count("wrong-recording")
            return refused
        wait = self._limits.decisions(key.peer).pay(self._clock()) if self._answers.open < AT_ONCE else SOON_S
        if wait:
            return self._later(wait, "too many at the moment", "over-rate")
        upload = self._spool.get(key) if body.path is not None else None
        if upload is not None:
            upload.busy = True
        self._answers.begin(asked.question)
        return lambda: self._work(asked, body)

    async def _work(self, asked: Asked, body: Body) -> Answer:
        """Have a body taken, and give back what it cost where it is free."""
        answer: Answer | None = None
        try:
            outcome = await asked.resource.take(body)
            if outcome.answer.code < Code.BAD_REQUEST:
                path = b"/".join(asked.key.path).decode()
                log.info("lan: kept /%s of %d bytes from %s", path, body.size, asked.key.endpoint[0])
            if outcome.free:
                self._limits.give_back(asked.key.peer, decisions=1, octets=0 if body.path is None else body.size)
            answer = _acknowledged(asked.request, outcome.answer)
        except Exception:
            log.exception("what came from %s could not be judged", asked.key.peer)
        finally:
            self._answers.end(asked.question, answer, self._clock())
            self._spool.drop(asked.key)
        return answer or refusal(Code.INTERNAL_ERROR, "the hub failed at it; try again")

    def _later(self, seconds: float, why: str, word: str) -> Answer:
        self._count(word)
        age = min(math.ceil(seconds), LONGEST_MAX_AGE_S)
        return refusal(Code.UNAVAILABLE, why, (Option.MAX_AGE, of_uint(age)))

    def _count(self, word: str) -> None:
        self._tally.count(WAY, word, self._clock())


def _acknowledged(request: Request, answer: Answer) -> Answer:
    """Return an answer that names the block it answers (RFC 7959 §2.3)."""
    if request.block1 is None:
        return answer
    return Answer(answer.code, answer.payload, (*answer.options, (Option.BLOCK1, request.block1.value())))


def _question(request: Request, key: Key) -> bytes:
    """Return what makes a request the same as another: who asks what, and every byte of it."""
    place = repr((key, request.block1)).encode()
    return hashlib.sha256(len(place).to_bytes(4, "big") + place + request.payload).digest()
