"""A thousand hosts of the hub's own network against it: memory, disk and journal stay bounded, and a good alert airs.

Each has an address of its own, and shows that it hears the hub: worse than any forged address can do. Each begins
uploads that it never ends, sends garbage, and pushes forgeries that bear the key id of a real author.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import psutil
from tests.agents import GUARD_S, bulletin, cut_off
from tests.journals import receipts, rows, story
from tests.sim.lan.rig import BLOCK1, ECHO, GET, POST, PUT
from tests.sim.source.test_site import message, parsed
from tests.statements import SIGNER

from ward_hub.lan.spool import Bounds
from ward_hub.links.push import push_to
from ward_hub.tally import BURST
from ward_protocol.envelope import Envelope
from ward_protocol.reasons import Reason
from ward_protocol.statements import Event

HOSTS, AT_ONCE = 1000, 50
MIB = 2**20
RNG = random.Random(1)
GENUINE = bulletin(1)


def forged(number: int) -> bytes:
    """A true bulletin with another sequence: its signature is a known author's, and does not fit."""
    changed = bytearray(bulletin(number + 2))
    changed[-1 - number % 64] ^= 1
    return bytes(changed)


def hostile(echo: bytes, forgery: bytes) -> list[bytes]:
    """What one host sends once it is known."""
    big = [(BLOCK1, b"\x0e")]
    return [
        message(GET, "x", [(ECHO, echo)]),
        *(message(PUT, f"media/{os.urandom(32).hex()}", big, RNG.randbytes(1024)) for _ in range(3)),
        message(POST, "push", [(BLOCK1, b"\x0e")], RNG.randbytes(1024)),
        message(POST, "push", [], forgery),
        message(POST, "push", [], RNG.randbytes(200)),
        RNG.randbytes(100),
    ]


async def attack(port: int, first: int, answers: Counter[str], forgery: Callable[[int], bytes]) -> None:
    """Let some hosts do all of it at once, to the hub at `port`; each has a forgery of its own."""
    loop = asyncio.get_running_loop()
    with ExitStack() as stack:
        for number in range(first, first + AT_ONCE):
            one = stack.enter_context(closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
            one.setblocking(False)
            one.bind((f"127.7.{number // 250}.{number % 250 + 1}", 0))
            one.connect(("127.0.0.1", port))
            echo = b""
            async with asyncio.timeout(GUARD_S):
                while not echo:
                    one.send(message(POST, "push"))
                    await asyncio.sleep(0.002)
                    echo = next((options[ECHO] for code, options, _ in heard(one) if code == "4.01"), b"")
            for datagram in hostile(echo, forgery(number)):
                await loop.sock_sendall(one, datagram)
                await asyncio.sleep(0)
            await asyncio.sleep(0.005)
            answers.update(code for code, _, _ in heard(one))


def heard(sock: socket.socket) -> list[tuple[str, dict[int, bytes], bytes]]:
    found = []
    while True:
        try:
            found.append(parsed(sock.recv(2000)))
        except BlockingIOError:
            return found


async def test_a_thousand_hosts(tmp_path: Path) -> None:
    answers: Counter[str] = Counter()
    async with cut_off(tmp_path) as hub:
        process = psutil.Process(hub.pid)
        async with push_to(hub.uri, deadline=GUARD_S) as push:
            assert (await push.statement(GENUINE)).taken
        before = process.memory_info().rss
        spooled = 0
        for first in range(0, HOSTS, AT_ONCE):
            await attack(hub.port, first, answers, forged)
            spooled = max(spooled, len(hub.incoming()))
            assert sum(one.stat().st_size for one in hub.incoming()) <= Bounds().total.octets
        async with push_to(hub.uri, deadline=GUARD_S) as push:
            assert (await push.statement(bulletin(2))).taken  # in the middle of what is left of it
        assert (await hub.asked("status"))["source"] == "down"
        grown = process.memory_info().rss - before
        assert 0 < spooled <= Bounds().total.uploads
        assert grown < 24 * MIB, f"grown by {grown / MIB:.1f} MiB"
        await hub.end()
        assert "Traceback" not in hub.text()
    # Each attack is seen to be one, and to have been turned away.
    assert {"4.03", "5.03"} <= set(answers)
    found = receipts(hub.state)
    accepted = [one.statement for one in found if one.event is Event.ACCEPTED]
    assert len(accepted) == 3  # with the grants that the hub begins with
    assert Envelope.open(GENUINE).digest in accepted
    refused = [line for line in story(hub.state) if line.event == "refused"]
    assert len(refused) <= BURST + 10
    counted: Counter[str] = Counter()
    for line in story(hub.state):
        if line.event == "counted":
            counted.update({word: count for word, count in line.detail.items() if isinstance(count, int)})
    assert counted[Reason.BAD_SIGNATURE.word] > 0
    assert {"over-rate", "no-room", "not-coap"} <= set(counted)
    assert rows(hub.state, "PRAGMA integrity_check") == [("ok",)]
    assert SIGNER.kid in forged(1)
