"""Keeps a source's beat coming: observes it, registers again when it falls silent, polls where nothing is pushed.

A question for the beat with Observe is poll and registration in one, so every repair below is that one question:

- DOWN: nothing answers; asked again after a pause that grows, with jitter.
- OBSERVING: notifications come. Silence for longer than three periods, or than the beat's Max-Age, ends it: the
  source may have restarted, our address may have changed, a NAT on the way may have forgotten us.
- POLLING: questions are answered, but twice no notification followed (or the source offers none): asked each
  period. Only every eighth question then asks to observe, so that nothing piles up at a source that keeps each
  registration.

Ref: RFC 7641 §3.3 (registration), §3.3.1 (Max-Age), §3.4 (order of notifications).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from aiocoap.numbers.codes import Code

from ward_hub.links.endpoint import Ask, Reply
from ward_hub.links.errors import LinkDown
from ward_hub.links.line import Line

log = logging.getLogger(__name__)
PATH = "beat"
SILENCE_IN_PERIODS = 3.0
LONGEST_SILENCE_S = 60.0
ATTEMPTS = 4
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 4.0
LOST_PAUSE_S = 0.2
QUIET_BEFORE_POLLING = 2
OBSERVE_EACH = 8
ORDER_FORGOTTEN_S = 128.0


class LinkState(Enum):
    """How the beat comes."""

    DOWN = "down"
    OBSERVING = "observing"
    POLLING = "polling"


@dataclass(slots=True)
class Order:
    """Which of one registration's notifications is newer (RFC 7641 §3.4). Pure."""

    number: int | None = None
    at: float = 0.0

    def newer(self, number: int, now: float) -> bool:
        """Take a notification's Observe value; False where it was overtaken on its way."""
        known = self.number
        ahead = known is None or 0 < (number - known) % 2**24 < 2**23
        if not ahead and now <= self.at + ORDER_FORGOTTEN_S:
            return False
        self.number, self.at = number, now
        return True


class Follower:
    """Asks for and watches the beat; `on_beat` takes its bytes, `on_state` each change of state."""

    def __init__(
        self,
        line: Line,
        *,
        period: float,
        on_beat: Callable[[bytes], None],
        on_state: Callable[[LinkState], None],
    ) -> None:
        self.state = LinkState.DOWN
        self._line = line
        self._period = period
        self._on_beat = on_beat
        self._on_state = on_state
        self._stops: list[Callable[[], None]] = []
        self._heard = asyncio.Event()
        self._polling = False
        self._pushed = False  # a notification came since the last question
        self._offered = False  # the last answer accepted the observation
        self._lost = False  # the registration is, or soon will be
        self._max_age: int | None = None

    async def run(self) -> None:
        """Follow until cancelled; nothing that the network or the source does ends it."""
        pause, quiet, questions = FIRST_PAUSE_S, 0, 0
        try:
            while True:
                self._polling = quiet >= QUIET_BEFORE_POLLING
                observe = not self._polling or questions % OBSERVE_EACH == 0
                questions += 1
                if not await self._ask(observe=observe):
                    self._to(LinkState.DOWN)
                    await asyncio.sleep(pause * self._line.rng.uniform(0.5, 1.5))
                    pause = min(pause * 2, LONGEST_PAUSE_S)
                    continue
                pause = FIRST_PAUSE_S
                quiet = 0 if await self._watch() else quiet + 1
        finally:
            self._stop(len(self._stops))

    def ask_again(self) -> None:
        """The registration is lost, or soon will be: make a new one now and not after a silence."""
        self._lost = True
        self._heard.set()

    async def _ask(self, *, observe: bool) -> bool:
        """Ask for the beat until something answers; False when a few attempts in a row were in vain."""
        self._pushed = False
        self._heard.clear()
        self._lost = False
        before = len(self._stops)
        for attempt in range(ATTEMPTS):
            await self._send(observe=observe)
            if await self._hear(self._line.trip.timeout * 1.5**attempt):
                self._stop(before)
                return True
        self._stop(max(0, len(self._stops) - ATTEMPTS))  # a late answer is still welcome
        return False

    async def _send(self, *, observe: bool) -> None:
        try:
            endpoint = await self._line.ready()
        except LinkDown as error:
            log.info("%s", error)
            return
        self._stops.append(endpoint.request(Ask(Code.GET, PATH, observe=observe), self._receiver()))

    def _receiver(self) -> Callable[[Reply | None], bool]:
        """Return what takes the answer and the notifications of one attempt."""
        order, sent_at, first = Order(), self._line.now(), True

        def on_reply(reply: Reply | None) -> bool:
            nonlocal first
            if reply is None:
                if not first:
                    self.ask_again()
                return False
            now = self._line.now()
            if first:
                self._line.trip.sample(now - sent_at, now)
            self._take(reply, order, now, first=first)
            first = False
            return True

        return on_reply

    def _take(self, reply: Reply, order: Order, now: float, *, first: bool) -> None:
        self._line.heard()
        if reply.code != Code.CONTENT or reply.block2 is not None:
            log.info("%s: %s: %s is no beat", self._line.uri, PATH, reply.words)
            return
        if reply.observe is not None and not order.newer(reply.observe, now):
            return
        if first:
            self._offered = reply.observe is not None
        else:
            self._pushed, self._polling = True, False
        self._to(LinkState.POLLING if self._polling or not self._offered else LinkState.OBSERVING)
        self._max_age = reply.max_age
        self._on_beat(reply.payload)
        self._heard.set()

    async def _watch(self) -> bool:
        """Wait until it is time to ask again; False where that is because no notification ever came."""
        while not self._lost and await self._hear(self._patience()):
            pass
        if self._lost:
            await asyncio.sleep(LOST_PAUSE_S)  # a source that resets each registration must not keep the hub busy
        return self._pushed or self._lost

    def _patience(self) -> float:
        if self._polling or not self._offered:
            return self._period
        silence = SILENCE_IN_PERIODS * self._period
        if self._max_age is not None:
            silence = min(silence, self._max_age)
        return min(max(silence, self._period), LONGEST_SILENCE_S)

    async def _hear(self, within: float) -> bool:
        try:
            async with asyncio.timeout(within):
                await self._heard.wait()
        except TimeoutError:
            return False
        self._heard.clear()
        return True

    def _to(self, state: LinkState) -> None:
        if state is not self.state:
            log.info("%s: %s", self._line.uri, state.value)
            self.state = state
            self._on_state(state)

    def _stop(self, count: int) -> None:
        """Listen no longer to the oldest `count` attempts."""
        for stop in self._stops[:count]:
            stop()
        del self._stops[:count]
