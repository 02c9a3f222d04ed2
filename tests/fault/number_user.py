"""Sends sealed messages as fast as it can, is killed with SIGKILL in the middle, and begins again: so many times.

Arguments: a folder, the port that it sends to, how often it is killed, a seed, whose numbers it uses (a key of USERS).
Each life is a fork: what a process is before it has begun need not be built anew each time.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from aiocoap.numbers.codes import Code
from tests.sim.links.channel_rig import Ends, enrolled

from ward_hub.channel import count_of
from ward_hub.links import Channel
from ward_hub.links.endpoint import Ask
from ward_hub.links.line import Line
from ward_hub.numbers import Numbers
from ward_sim.source.numbers import Numbers as SourceNumbers

# Small, so that a kill meets the writing of a block more often than anything else.
BLOCK = 4
# A life ends so many messages after its beginning, and then as long as a write to the disk may take.
MESSAGES = 3 * BLOCK
LONGEST_MOMENT_S = 0.02
ASK = Ask(Code.POST, "receipts", payload=b"receipt", sealed=True)


class Late(Numbers):
    """What must be found out: a count that is written down when a block is used up, and not before it is used."""

    def reserve(self) -> int:
        """Write down what was used, and give what follows."""
        used = self._end
        if used:
            self._end = 0
            super().reserve()
        return self.read()


def as_the_hub(ends: Ends, port: int, sent: Callable[[], object], kind: type[Numbers] = Numbers) -> None:
    """Send through the hub's own link."""
    numbers = kind(count_of(ends.folder / "hub-1.pem"), ends.key.public, BLOCK)

    async def send() -> None:
        channel = Channel(ends.agreement, numbers.take)
        async with Line(f"coap://127.0.0.1:{port}", rng=random.Random(1), channel=channel) as line:
            endpoint = await line.ready()
            while True:
                endpoint.request(ASK, lambda _reply: False, await line.seal(ASK))()
                sent()
                await asyncio.sleep(0)

    asyncio.run(send())


def late(ends: Ends, port: int, sent: Callable[[], object]) -> None:
    """Send through the hub's own link, with numbers that are wrong."""
    as_the_hub(ends, port, sent, Late)


def as_the_source(ends: Ends, port: int, sent: Callable[[], object]) -> None:
    """Use the numbers of the simulated source, each in a datagram of its own."""
    numbers = SourceNumbers(count_of(ends.folder / "source.pem"), ends.source_key, BLOCK)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        while True:
            sock.sendto(numbers.take().to_bytes(5, "big"), ("127.0.0.1", port))
            sent()


USERS: dict[str, Callable[[Ends, int, Callable[[], object]], None]] = {
    "hub": as_the_hub,
    "source": as_the_source,
    "late": late,
}


def main(folder: str, port: str, kills: str, seed: str, user: str) -> None:
    """Live and die."""
    rng = random.Random(int(seed))
    ends = enrolled(Path(folder))
    for _ in range(int(kills)):
        hears, says = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                USERS[user](ends, int(port), partial(os.write, says, b"."))
            finally:
                os._exit(1)  # it never ends by itself
        os.close(says)
        for _ in range(rng.randrange(MESSAGES)):
            os.read(hears, 1)  # nothing at once where it ended
        time.sleep(rng.uniform(0, LONGEST_MOMENT_S))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        os.close(hears)
        if not os.WIFSIGNALED(status):
            sys.exit("it had ended before it was killed")


if __name__ == "__main__":
    main(*sys.argv[1:])
