"""Attacks by whoever is on the ward's own network, where the hub's CoAP server listens: no key, any datagram."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.fault.attacks.range import AREA, Range, Run, ranged
from tests.fault.test_thousand_peers import AT_ONCE, HOSTS, attack
from tests.sim.lan.rig import BLOCK1, ECHO, GET, NON, POST, PUT
from tests.sim.source.test_site import message
from tests.statements import STRANGER

from ward_hub.lan.server import AMPLIFICATION
from ward_hub.lan.spool import Bounds
from ward_protocol.envelope import Envelope, sign
from ward_protocol.reasons import Reason
from ward_protocol.statements import Audience, Event, Priority, Text

ELSEWHERE = Audience((AREA,), ("hub-xx-yyyyy",), ("none",), ("board-1",))
PROXY_SCHEME = 39
FLOOD, BATCH = 4000, 200


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Range, Run]]:
    with ranged(tmp_path_factory.mktemp("range")) as (at, run):
        run(at.open_ways())
        yield at, run


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[tuple[Range, Run]]:
    """A range of one test, which lets the agent end and begin anew."""
    with ranged(tmp_path) as (at, run):
        run(at.open_ways())
        yield at, run


def spooled(at: Range) -> int:
    """How many bytes of uploads on their way are on the disk."""
    return sum(one.stat().st_size for one in (at.folder / "state" / "incoming").iterdir())


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda at: sign(at.bulletin(priority=Priority.EMERGENCY), [STRANGER]), Reason.UNKNOWN_KEY),
        (lambda at: sign(at.bulletin(), at.by())[:-7], Reason.MALFORMED_CBOR),
        (lambda at: sign(at.bulletin(), at.by()).replace(b"ba.", b"BA."), Reason.BAD_SIGNATURE),
        (lambda at: sign(at.bulletin(priority=Priority.EMERGENCY), at.by()), Reason.THRESHOLD_NOT_MET),
    ],
    ids=["forged", "truncated", "changed", "one-officer"],
)
def test_pushed_without_the_signatures_that_it_takes(
    site: tuple[Range, Run], make: Callable[[Range], bytes], reason: Reason
) -> None:
    at, run = site

    async def play() -> None:
        async with at.attack() as before:
            with at.peer("127.0.0.2") as one:
                await one.prove()
                code, words = await one.push(make(at))
                assert (code, words.decode().partition(":")[0]) == ("4.03", reason.word)
            await at.refused(reason, before)

    run(play())


def test_pushed_to_another_hub_than_its_author_meant(site: tuple[Range, Run]) -> None:
    """Truly signed, and carried to a ward that it is not for."""
    at, run = site

    async def play() -> None:
        async with at.attack() as before:
            with at.peer("127.0.0.3") as one:
                await one.prove()
                code, words = await one.push(sign(at.bulletin(audience=ELSEWHERE), at.by()))
                at.sequences["ward"] = at.next()
                assert (code, words.decode().partition(":")[0]) == ("4.03", Reason.NOT_FOR_THIS_HUB.word)
            await at.refused(Reason.NOT_FOR_THIS_HUB, before)

    run(play())


def test_what_has_aired_is_pushed_again(site: tuple[Range, Run]) -> None:
    at, run = site

    async def play() -> None:
        data = at.publish(at.bulletin())
        digest = Envelope.open(data).digest
        await at.until(lambda: any(one.event is Event.AIRED for one in at.receipts(digest)), "it airs once")
        async with at.attack() as before:
            for host in ("127.0.0.4", "127.0.0.5"):
                with at.peer(host) as one:
                    await one.prove()
                    code, words = await one.push(data)
                    assert (code, words.decode().partition(":")[0]) == ("4.03", Reason.REPLAYED.word)
            await at.refused(Reason.REPLAYED, before)
        assert [one.event for one in at.receipts(digest)].count(Event.AIRED) == 1

    run(play())


def test_a_critical_option_that_the_hub_does_not_know(alone: tuple[Range, Run]) -> None:
    """What the option says might change what a request means, so a good bulletin beside it is not even looked at."""
    at, run = alone

    async def play() -> None:
        data = sign(at.bulletin(), at.by())
        before = len(at.trail())
        async with at.attack(audited=False):  # it is told with the counts, below
            with at.peer("127.0.0.6") as one:
                await one.prove()
                for number in (1, 9, 65001):
                    assert (await one.ask(message(POST, "push", [(number, b"\1")], data)))[0] == "4.02"
                    assert await one.silent(message(POST, "push", [(number, b"\1")], data, kind=NON))
                assert (await one.ask(message(POST, "push", [(PROXY_SCHEME, b"coap")], data)))[0] == "5.05"
        assert (await at.counted(before))["bad-request"] == 7

    run(play())


def test_two_uploads_are_spliced(site: tuple[Range, Run]) -> None:
    """Each is truly signed. Apart, by their tags, both come whole: refused for what they say. Mixed, neither is."""
    at, run = site

    def long(words: str) -> bytes:
        bulletin = at.bulletin(audience=ELSEWHERE, texts=(Text("vi", "Dài", words * 150),))
        at.sequences["ward"] = bulletin.sequence
        return sign(bulletin, at.by())

    async def play() -> None:
        today, later = long("Nay đi. "), long("Mai đi. ")
        assert 1024 < len(today) == len(later) <= 2048
        async with at.attack() as before:
            with at.peer("127.0.0.7") as one:
                await one.prove()
                # Of two under one tag the block that comes next is taken for the one that was missing.
                assert await one.block("push", today, 0, tag=b"a") == "2.31"
                assert await one.block("push", later, 1, tag=b"a") == "4.03"
                await at.refused(Reason.BAD_SIGNATURE, before)
                # A tag of its own is another upload, of which the first block is missing.
                assert await one.block("push", today, 0, tag=b"b") == "2.31"
                assert await one.block("push", later, 1, tag=b"c") == "4.08"
                assert await one.block("push", later, 1) == "4.08"
                # Taken in turns under two tags, each is put together with its own.
                assert await one.block("push", later, 0, tag=b"c") == "2.31"
                assert await one.block("push", today, 1, tag=b"b") == "4.03"
                assert await one.block("push", later, 1, tag=b"c") == "4.03"
            await at.refused(Reason.NOT_FOR_THIS_HUB, before, 2)
            assert spooled(at) == 0

    run(play())


def test_a_spoofed_source_that_never_echoes(alone: tuple[Range, Run]) -> None:
    """Who forges an address does not hear what goes there: nothing is done or kept, and the victim hears little."""
    at, run = alone

    async def play() -> None:
        data, before = sign(at.bulletin(), at.by()), len(at.trail())
        media = f"media/{hashlib.sha256(data).hexdigest()}"
        asked = [
            message(POST, "push", [], data),
            message(POST, "push", [(BLOCK1, b"\x0e")], random.Random(1).randbytes(1024)),
            message(PUT, media, [(BLOCK1, b"\x0e")], random.Random(2).randbytes(1024)),
            message(GET, ".well-known/core"),
            message(GET, "x"),
        ]
        loop = asyncio.get_running_loop()
        async with at.attack(audited=False):  # it is told with the counts, below
            with at.peer("127.0.0.8") as victim, at.peer("127.0.0.9") as attacker:
                _, options, _ = await attacker.ask(message(POST, "push"))
                asked.append(message(POST, "push", [(ECHO, options[ECHO])], data))  # the echo of another address
                for datagram in asked:
                    await loop.sock_sendall(victim.socket, datagram)
                    answer = await loop.sock_recv(victim.socket, 65_536)
                    assert len(answer) <= AMPLIFICATION * len(datagram)
                assert spooled(at) == 0
                for _ in range(FLOOD // BATCH):
                    for _ in range(BATCH):
                        await loop.sock_sendall(victim.socket, asked[0])
                    await asyncio.sleep(0.1)
                assert spooled(at) == 0
        counts = await at.counted(before)
        assert counts["over-rate"] > 0
        assert counts["unproven"] > len(asked)
        assert not any(one.detail.get("place") == "lan" for one in at.trail(before) if one.event == "refused")

    run(play())


def test_memory_is_asked_for_by_a_thousand_peers(alone: tuple[Range, Run]) -> None:
    """Each begins uploads that it never ends, sends garbage, and forges with the key id of a real author."""
    at, run = alone

    def forgery(number: int) -> bytes:
        data = bytearray(sign(at.bulletin(sequence=10_000 + number), at.by()))
        data[-1 - number % 64] ^= 1
        return bytes(data)

    async def play() -> None:
        answers: Counter[str] = Counter()
        most, before = 0, len(at.trail())
        async with at.attack(growth_kb=24_000):
            for first in range(0, HOSTS, AT_ONCE):
                await attack(at.port, first, answers, forgery)
                most = max(most, spooled(at))
        assert 0 < most <= Bounds().total.octets
        assert {"4.03", "5.03"} <= set(answers)
        counts = await at.counted(before)
        assert {"over-rate", "no-room", "not-coap", Reason.BAD_SIGNATURE.word} <= set(counts)
        assert spooled(at) == 0

    run(play())
