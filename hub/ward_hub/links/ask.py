"""Small questions to a source: repeated until answered, each attempt with a token of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from aiocoap.numbers.codes import Code

from ward_hub.links.channel import Seal
from ward_hub.links.endpoint import BLOCK, Ask, Reply, code_words
from ward_hub.links.errors import LinkDown, NotFound, PeerError, Refused
from ward_hub.links.line import Line

STRETCH = 1.5
LONGEST_WAIT_S = 4.0
# Attempts whose late answers are still taken.
LISTENED_TO = 4
TAG_SIZE = 4
LAST_SUCCESS = 0x5F
# How often a peer may want to see in one question that we hear it.
ECHOES, LONGEST_ECHO = 3, 40
LONGEST_PAUSE_S = 60.0
LATER = 0xA0  # 5.xx: the source is at fault, and may not be the next time


async def ask(line: Line, question: Ask, until: float) -> Reply:
    """Ask until something answers and return that, whatever its code; raises LinkDown at `until` (line time)."""
    answers: asyncio.Queue[tuple[Reply, float]] = asyncio.Queue()
    stops: list[Callable[[], None]] = []
    seals: list[Seal] = []
    attempts = 0
    try:
        while attempts == 0 or line.now() < until:
            stops.append(await _send(line, question, answers, seals))
            for stop in stops[:-LISTENED_TO]:
                stop()
            del stops[:-LISTENED_TO]
            wait_s = min(line.trip.timeout * STRETCH ** min(attempts, 16), LONGEST_WAIT_S) * line.rng.uniform(1.0, 1.2)
            reply = await _answer(line, answers, min(line.now() + wait_s, until))
            if reply is not None:
                return reply
            attempts += 1
    finally:
        for stop in stops:
            stop()
    raise _unanswered(line, question, attempts, seals)


async def ask_fresh(line: Line, question: Ask, until: float) -> Reply:
    """Ask, and where the peer wants to see first that we hear it (4.01 with Echo), show it what it sent.

    What it sent in the open is shown with every later question, as it is good for a while. What it sent sealed opens
    its replay window, once, and stays sealed. Ref: RFC 9175 §2.3, RFC 8613 appendix B.1.2.
    """
    reply = await ask(line, question if question.sealed else replace(question, echo=line.echo), until)
    for _ in range(ECHOES):
        if reply.code != Code.UNAUTHORIZED or not reply.echo or len(reply.echo) > LONGEST_ECHO:
            break
        if not question.sealed:
            line.echo = reply.echo
        reply = await ask(line, replace(question, echo=reply.echo), until)
    return reply


async def succeed(line: Line, question: Ask, until: float) -> Reply:
    """Ask until the source says yes (2.xx) or no (4.xx: raises Refused, NotFound); 5.xx is asked again."""
    wait_s = 0.25
    while True:
        reply = await ask_fresh(line, question, until)
        if reply.code < LATER or line.now() + wait_s >= until:
            return checked(line, question, reply)
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * 2, LONGEST_WAIT_S)


def checked(line: Line, question: Ask, reply: Reply) -> Reply:
    """Return a reply that is a success; raises NotFound, Refused or PeerError for what else it is."""
    where = f"{line.uri}: {question.path}"
    if reply.code == Code.NOT_FOUND:
        raise NotFound(f"{where}: it is not there ({reply.words})", code_words(reply.code))
    if reply.code >= Code.BAD_REQUEST:
        raise Refused(f"{where}: it is refused: {reply.words}", code_words(reply.code))
    if not Code.CREATED <= reply.code <= LAST_SUCCESS:
        raise PeerError(f"{where}: {reply.words} is no answer")
    return reply


async def give(line: Line, question: Ask, until: float) -> Reply:
    """Send a question with its payload and return the success; raises Refused, NotFound, PeerError, LinkDown."""
    return checked(line, question, await give_any(line, question, until))


async def give_any(line: Line, question: Ask, until: float) -> Reply:
    """Send a question with its payload, block by block where it is longer than one; return the last answer.

    Where the peer has lost the beginning (4.08: it restarted, or our address changed) it is sent again from there, and
    where it has no time or no room at the moment (5.xx) as soon as it says. Raises PeerError, LinkDown.
    Ref: RFC 7959 §2.5, RFC 9175 §3 (Request-Tag: an old upload's blocks are never taken into a new one), RFC 7252
    §5.9.3.4 (Max-Age of 5.03).
    """
    tag = line.rng.randbytes(TAG_SIZE)
    wait_s = 0.25
    while True:
        reply = await _give_blocks(line, question, tag, until)
        if reply.code != Code.REQUEST_ENTITY_INCOMPLETE and reply.code < LATER:
            return reply
        wait_s = min(wait_s * 2, LONGEST_WAIT_S)
        pause = max(wait_s, min(reply.max_age or 0, LONGEST_PAUSE_S))
        if line.now() + pause >= until:
            if reply.code >= LATER:
                return reply
            raise LinkDown(f"{line.uri}: {question.path}: what is given is lost there; try again later")
        await asyncio.sleep(pause)


async def _give_blocks(line: Line, question: Ask, tag: bytes, until: float) -> Reply:
    if len(question.payload) <= BLOCK:
        return await ask_fresh(line, question, until)
    *before, last = _parts(question, tag)
    for part in before:
        reply = await ask_fresh(line, part, until)
        if reply.code != Code.CONTINUE:
            return reply
        if reply.block1 is None or part.block1 != reply.block1[:2] or reply.block1.size != BLOCK:
            raise PeerError(f"{line.uri}: {question.path}: block {part.block1} was acknowledged as {reply.block1}")
    return await ask_fresh(line, last, until)


def _parts(question: Ask, tag: bytes) -> list[Ask]:
    payload = question.payload
    starts = range(0, len(payload), BLOCK)
    parts = [
        replace(question, payload=payload[at : at + BLOCK], block1=(at // BLOCK, at + BLOCK < len(payload)), tag=tag)
        for at in starts
    ]
    return [replace(parts[0], size1=len(payload)), *parts[1:]]


def _unanswered(line: Line, question: Ask, attempts: int, seals: list[Seal]) -> LinkDown:
    where = f"{line.uri}: {question.path}: no answer to {attempts} attempts"
    dropped = next((one.dropped for one in reversed(seals) if one.dropped), "")
    if dropped:
        return LinkDown(f"{where} that the source sealed, only {dropped!r}; see whether it knows this hub's enrolment")
    return LinkDown(f"{where}; the link or the source is down")


async def _send(
    line: Line, question: Ask, answers: asyncio.Queue[tuple[Reply, float]], seals: list[Seal]
) -> Callable[[], None]:
    try:
        endpoint = await line.ready()
    except LinkDown:
        return _nothing  # no way out at the moment: wait as for an answer, then try again
    seal = await line.seal(question)
    if seal is not None:
        seals.append(seal)
    sent_at = line.now()

    def on_reply(reply: Reply | None) -> bool:
        if reply is not None:
            answers.put_nowait((reply, line.now() - sent_at))
        return False

    return endpoint.request(question, on_reply, seal)


async def _answer(line: Line, answers: asyncio.Queue[tuple[Reply, float]], until: float) -> Reply | None:
    """Return the first answer, or None at `until`."""
    try:
        async with asyncio.timeout(max(0.0, until - line.now())):
            reply, took = await answers.get()
    except TimeoutError:
        return None
    line.heard()
    line.trip.sample(took, line.now())
    return reply


def _nothing() -> None:
    """Stop a request that was never sent."""
