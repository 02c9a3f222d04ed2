"""The CoAP server on the hub's own network: reads datagrams, never more than it has time for, and sends the answers.

It answers a confirmable request on its acknowledgement and a non-confirmable one in a message of its own. No message
is remembered: what is asked twice is answered twice, and `ward_hub.lan.answers` keeps what has an effect from
happening twice. It asks nobody anything, so acknowledgements and responses that come are passed over.
Ref: RFC 7252 §4.2, §4.3 (confirmable and not), §5.2.1 (piggybacked), §5.4.1 (options); RFC 9175 §2.4 (a factor of 3).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ward_hub.lan.gathering import Work
from ward_hub.lan.limits import Bucket, Limits, Rate, peer_of
from ward_hub.lan.message import EMPTY, Message, NotCoap, Type, read, write
from ward_hub.lan.port import Datagram, Port
from ward_hub.lan.request import Answer, response, understood
from ward_hub.lan.resources import WAY
from ward_hub.lan.site import Sender, Site
from ward_hub.lan.spool import Spool
from ward_hub.tally import Tally

log = logging.getLogger(__name__)
# Datagrams that are read, whoever sent them. What is more stays with the kernel for a pause, and is lost there.
READ = Rate(200, 2000)
PAUSE_S = 0.05
BATCH = 8
AMPLIFICATION = 3
SWEEP_S = 5.0


class LanServer:
    """Serves `site` at an IP address and port (0: any); `clock` gives seconds that only grow."""

    def __init__(
        self,
        host: str,
        number: int,
        *,
        site: Site,
        limits: Limits,
        spool: Spool,
        tally: Tally,
        clock: Callable[[], float],
    ) -> None:
        self._listen = host, number
        self._site = site
        self._limits = limits
        self._spool = spool
        self._tally = tally
        self._clock = clock
        self._reads = Bucket(READ, clock())
        self._mid = 0
        self._port: Port | None = None

    @property
    def address(self) -> tuple[str, int] | None:
        """Where it listens, None while it does not."""
        return None if self._port is None else self._port.address

    async def run(self) -> None:
        """Serve until cancelled; raises OSError where the address cannot be had."""
        self._port = port = Port(*self._listen)
        log.info("lan: listening at %s, port %d", *port.address)
        try:
            async with asyncio.TaskGroup() as group:
                self._listen_on(port, group)
                try:
                    while True:
                        await asyncio.sleep(SWEEP_S)
                        self._spool.sweep(self._clock())
                finally:  # before the group ends, which takes no more work then
                    self._port = None
                    asyncio.get_running_loop().remove_reader(port.socket)
        finally:
            port.close()
            self._spool.close()

    def _listen_on(self, port: Port, group: asyncio.TaskGroup) -> None:
        if self._port is port:
            asyncio.get_running_loop().add_reader(port.socket, self._on_readable, port, group)

    def _on_readable(self, port: Port, group: asyncio.TaskGroup) -> None:
        """Read a few datagrams; the rest of the agent has its turn before the next few."""
        for _ in range(BATCH):
            if not self._reads.take(self._clock()):
                loop = asyncio.get_running_loop()
                loop.remove_reader(port.socket)
                loop.call_later(PAUSE_S, self._listen_on, port, group)
                return
            try:
                datagram = port.receive()
            except OSError:  # nothing more is there, or what is there is an error of an answer before
                self._reads.give_back()
                return
            if datagram is not None:
                self._take(datagram, port, group)

    def _take(self, datagram: Datagram, port: Port, group: asyncio.TaskGroup) -> None:
        now, (host, number) = self._clock(), datagram.source[:2]
        sender = Sender(peer_of(host), host, (host, number))
        if not self._limits.admit(sender.host, now):
            self._tally.count(WAY, "over-rate", now)
            return
        try:
            message = read(datagram.data)
        except NotCoap:
            self._tally.count(WAY, "not-coap", now)
            return
        if message.code == EMPTY and message.type is Type.CON:
            self._send(Message(Type.RST, EMPTY, message.mid), datagram, port)
        elif message.is_request and message.type in {Type.CON, Type.NON}:
            self._answer(message, sender, datagram, port, group)

    def _answer(
        self, message: Message, sender: Sender, datagram: Datagram, port: Port, group: asyncio.TaskGroup
    ) -> None:
        request = understood(message)
        if isinstance(request, Answer):
            self._tally.count(WAY, "bad-request", self._clock())
            if message.type is Type.CON:  # RFC 7252 §5.4.1: a non-confirmable one is passed over in silence
                self._reply(message, request, sender, datagram, port)
            return
        found = self._site.answer(request, sender)
        if isinstance(found, Answer):
            self._reply(message, found, sender, datagram, port)
        elif found is not None:
            group.create_task(self._work(found, message, sender, datagram, port))

    async def _work(self, work: Work, message: Message, sender: Sender, datagram: Datagram, port: Port) -> None:
        self._reply(message, await work(), sender, datagram, port)

    def _reply(self, message: Message, answer: Answer, sender: Sender, datagram: Datagram, port: Port) -> None:
        """Send an answer; to one that may not be there, what is at most three times as large as what came."""
        self._mid = (self._mid + 1) % 2**16
        reply = response(message, answer, self._mid)
        if not self._limits.knows(sender.host, self._clock()):
            instead = (answer, self._site.challenge(sender), Answer(answer.code))
            replies = (response(message, one, self._mid) for one in instead)
            reply = next(one for one in replies if len(write(one)) <= AMPLIFICATION * len(datagram.data))
        self._send(reply, datagram, port)

    @staticmethod
    def _send(message: Message, to: Datagram, port: Port) -> None:
        try:
            port.send(write(message), to)
        except OSError as error:  # no way back at the moment: the sender asks again
            log.debug("lan: an answer was not sent: %s", error)
