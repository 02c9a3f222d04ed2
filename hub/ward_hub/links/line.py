"""The way to one source: its endpoint, renewed when it is worn or has been silent, and what is known of its delay."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from types import TracebackType
from typing import Self

from ward_hub.links.channel import Seal, Sealing
from ward_hub.links.endpoint import Ask, Endpoint, parse_uri
from ward_hub.links.errors import ChannelLost, LinkDown
from ward_hub.links.trip import RoundTrip

log = logging.getLogger(__name__)
# Nothing heard for so long: resolve the name again, and let a NAT on the way make a new mapping.
SILENCE_S = 15.0
# How long answers may still come to an endpoint that was replaced.
GRACE_S = 10.0
OPEN_S = 10.0


class Line:
    """Holds the endpoint towards `uri`; an async context manager. `clock` gives the running loop's seconds.

    `channel` seals what is asked `sealed`.
    """

    def __init__(
        self,
        uri: str,
        *,
        rng: random.Random,
        clock: Callable[[], float] | None = None,
        channel: Sealing | None = None,
    ) -> None:
        parse_uri(uri)
        self.uri = uri
        self.channel = channel
        self.rng = rng
        self.trip = RoundTrip()
        self.renewals = 0
        self.echo: bytes | None = None  # what shows the peer that we hear it, as it last asked for (RFC 9175)
        self.on_renewal: Callable[[], None] = lambda: None
        self._clock = clock
        self._endpoint: Endpoint | None = None
        self._heard_at = 0.0
        self._opening = asyncio.Lock()
        self._retiring = asyncio.TaskGroup()
        self._old: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._heard_at = self.now()
        await self._retiring.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._old:
            task.cancel()
        try:
            await self._retiring.__aexit__(None, None, None)  # what the body raised stays as it is
        finally:
            if self._endpoint is not None:
                endpoint, self._endpoint = self._endpoint, None
                await endpoint.close()

    def now(self) -> float:
        """Return the time in seconds on which all deadlines of this package stand."""
        return asyncio.get_running_loop().time() if self._clock is None else self._clock()

    def heard(self) -> None:
        """Something came from the source."""
        self._heard_at = self.now()

    async def seal(self, question: Ask) -> Seal | None:
        """Return a new seal for a question that goes sealed, None for one that goes open; raises ChannelLost."""
        if not question.sealed:
            return None
        if self.channel is None:
            raise ChannelLost(f"{self.uri}: {question.path}: there is no channel; it does not go without one")
        return await self.channel.seal()

    async def ready(self) -> Endpoint:
        """Return an endpoint to send on, opened or renewed as needed; raises LinkDown where none can be had."""
        if self._endpoint is None or self._due():
            async with self._opening:
                if self._endpoint is None or self._due():
                    await self._renew()
        if self._endpoint is None:
            raise LinkDown(f"{self.uri}: the link is closed")
        return self._endpoint

    def _due(self) -> bool:
        return self._endpoint is None or self._endpoint.worn or self.now() - self._heard_at > SILENCE_S

    async def _renew(self) -> None:
        self._heard_at = self.now()  # the next renewal for silence is a whole silence away
        try:
            async with asyncio.timeout(OPEN_S):
                new = await Endpoint.open(self.uri, self.rng)
        except TimeoutError as error:  # LinkDown is one, too
            if self._endpoint is not None:
                return  # the old one may still do
            if isinstance(error, LinkDown):
                raise
            raise LinkDown(f"{self.uri}: the name server does not answer; see the hub's network") from error
        old, self._endpoint = self._endpoint, new
        if old is not None:
            self.renewals += 1
            log.info("%s: new local port after %d messages", self.uri, old.sent)
            task = self._retiring.create_task(self._retire(old), name=f"retire endpoint to {self.uri}")
            self._old.add(task)
            self.on_renewal()
            task.add_done_callback(self._old.discard)

    @staticmethod
    async def _retire(old: Endpoint) -> None:
        try:
            await asyncio.sleep(GRACE_S)
        finally:
            await old.close()
