"""Receipts through the channel: sealed on the wire, delivered over a poor link, and of use to nobody who is between."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from aiocoap.numbers.codes import Code
from cryptography.exceptions import InvalidTag
from tests.oscore_peer import OSCORE, Datagram, taken_apart
from tests.sim.links.channel_rig import BLOCK, Ends, enrolled, tapped
from tests.sim.links.rig import HANG_S, link_to, receipt, source
from tests.statements import RECEIPT, SIGNER

from ward_hub.links import ChannelLost, LinkDown, NoChannel, Refused, SourceLink
from ward_hub.links.endpoint import Ask, Endpoint, Reply
from ward_protocol.envelope import Envelope, sign
from ward_protocol.statements import Receipt
from ward_sim.source import RefusedStatement
from ward_sim.source.source import SourceEvent

SOON_S = 0.3
REPEATED_S = 1.5  # longer than a first timeout: a question is repeated
RNG = random.Random(5)


@pytest.fixture
def ends(tmp_path: Path) -> Ends:
    return enrolled(tmp_path)


def digest(data: bytes) -> bytes:
    return Envelope.open(data).digest


def pieces(data: bytes) -> set[bytes]:
    """Every eight bytes of it."""
    return {data[at : at + 8] for at in range(len(data) - 7)}


# Delivered


async def test_a_receipt_arrives_and_nothing_of_it_shows(ends: Ends) -> None:
    async with ends.source() as at, tapped(ends, at) as (tap, link):
        assert await link.post_receipt(receipt(), deadline=HANG_S) == digest(receipt())
        assert [one.sequence for one in at.receipts] == [2]
    secret = pieces(receipt()) | pieces(digest(receipt())) | {b"receipts", b"hub-1"}
    for data in [*(one.wire() for one in tap.sealed), *(one.wire() for one in tap.answers)]:
        assert not [one for one in secret if one in data]
    assert len(tap.sealed) == len(tap.answers) == 2  # the first is challenged: the source has just begun
    assert not tap.open


async def test_what_is_inside_is_what_the_second_computation_finds(ends: Ends) -> None:
    async with ends.source() as at, tapped(ends, at) as (tap, link):
        await link.post_receipt(receipt(), deadline=HANG_S)
    asked, challenge = tap.sealed[1], tap.answers[0]
    assert {number for number, _ in asked.options} == {OSCORE}
    assert asked.option(OSCORE) == b"\x19" + asked.piv + b"\x08" + ends.agreement.context + b"h"
    inside = ends.keys.open_request(asked.piv, asked.payload)
    options, payload = taken_apart(inside[1:])
    assert inside[0] == 2  # POST
    assert dict(options)[11] == b"receipts"
    assert payload == receipt()
    # the challenge says its own number, and what it wants to hear again
    told = ends.keys.open_answer(tap.sealed[0].piv, challenge.payload, challenge.piv)
    assert told[0] == 0x81  # 4.01
    assert dict(taken_apart(told[1:])[0])[252] == dict(options)[252]
    said = ends.keys.open_answer(asked.piv, tap.answers[1].payload, tap.answers[1].piv)
    assert (said[0], taken_apart(said[1:])[1]) == (0x44, digest(receipt()))
    with pytest.raises(InvalidTag):
        replace(ends.keys, secret=bytes(16)).open_request(asked.piv, asked.payload)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_over_a_link_that_loses_a_third(ends: Ends, seed: int) -> None:
    wanted = [receipt(number, zones=zones) for number, zones in ((1, 1), (2, 64), (3, 1), (4, 40))]
    async with ends.source() as at, tapped(ends, at, loss=0.3, seed=seed) as (tap, link):
        for one in wanted:
            assert await link.post_receipt(one, deadline=HANG_S) == digest(one)
        assert [one.sequence for one in at.receipts] == [1, 2, 3, 4]
    assert max(map(len, wanted)) > 2 * 1024  # some take several blocks
    assert not tap.open
    secret = set[bytes]().union(*map(pieces, wanted))
    for data in (one.wire() for one in [*tap.sealed, *tap.answers]):
        assert secret.isdisjoint(pieces(data))
    # each message has a number of its own, a repeated one too
    numbers = [one.piv for one in tap.sealed]
    assert len(set(numbers)) == len(numbers) > len(wanted)
    assert len({one.payload for one in tap.sealed}) == len(numbers)


async def test_what_is_public_goes_open_beside_it(ends: Ends) -> None:
    async with ends.source() as at, tapped(ends, at) as (tap, link):
        assert await link.fetch("root/1", deadline=HANG_S, max_size=65_536)
        await link.nonce_beat(b"12345678", HANG_S)
        await anext(aiter(link.beats()))
    assert not tap.sealed
    assert [one.options for one in tap.open] == [((11, b"root"), (11, b"1"))]


# Somebody is between


def flipped(at: int) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        one = Datagram.parse(data)
        if one.option(OSCORE) is None:
            return data
        changed = bytearray(one.payload)
        changed[at % len(changed)] ^= 1
        return replace(one, payload=bytes(changed)).wire()

    return change


def option_changed(data: bytes) -> bytes:
    one = Datagram.parse(data)
    value = bytearray(one.option(OSCORE) or b"")
    if value:
        value[RNG.randrange(len(value))] ^= 1 << RNG.randrange(8)
    return replace(one, options=tuple((n, bytes(value) if n == OSCORE else v) for n, v in one.options)).wire()


def option_of(value: bytes) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        one = Datagram.parse(data)
        return replace(one, options=tuple((n, value if n == OSCORE else v) for n, v in one.options)).wire()

    return change


def truncated(data: bytes) -> bytes:
    one = Datagram.parse(data)
    return data if one.option(OSCORE) is None else replace(one, payload=one.payload[:-1]).wire()


def stripped(data: bytes) -> bytes:
    """Take the option away: what is sealed is then a plain request with nonsense in it."""
    one = Datagram.parse(data)
    return replace(one, options=tuple(each for each in one.options if each[0] != OSCORE)).wire()


def critical(data: bytes) -> bytes:
    """Put an option outside that must be understood, and is not protected."""
    one = Datagram.parse(data)
    return data if one.option(OSCORE) is None else replace(one, options=(*one.options, (11, b"feed"))).wire()


TAMPERED = {
    "first byte": flipped(0), "tag": flipped(-1), "middle": flipped(100), "option": option_changed,
    "truncated": truncated, "stripped": stripped, "no partial IV": option_of(b"\x08h"), "empty option": option_of(b""),
    "partial IV of 7": option_of(b"\x0f" + b"\1" * 7 + b"h"), "partial IV cut": option_of(b"\x0d\1"),
    "context cut": option_of(b"\x19\1\x20ab"), "context without a length": option_of(b"\x19\1"),
    "reserved bits": option_of(b"\xe9\1h"), "a group": option_of(b"\x39\1\x01ah"),
}  # fmt: skip


@pytest.mark.parametrize("name", [*TAMPERED, "critical outside"])
async def test_what_was_tampered_with_on_its_way_up_is_refused(ends: Ends, name: str) -> None:
    async with ends.source() as at, tapped(ends, at) as (tap, link):
        tap.up = TAMPERED.get(name, critical)
        with pytest.raises(LinkDown):
            await link.post_receipt(receipt(), deadline=SOON_S)
        assert not at.receipts
        assert tap.sealed
        assert not tap.open
        tap.up = lambda data: data
        assert await link.post_receipt(receipt(), deadline=HANG_S) == digest(receipt())


@pytest.mark.parametrize("name", TAMPERED)
async def test_what_was_tampered_with_on_its_way_down_is_not_heard(ends: Ends, name: str) -> None:
    async with ends.source() as at, tapped(ends, at) as (tap, link):
        tap.down = TAMPERED[name]
        with pytest.raises(LinkDown):
            await link.post_receipt(receipt(), deadline=SOON_S)
        assert not tap.open
        tap.down = lambda data: data
        assert await link.post_receipt(receipt(), deadline=HANG_S) == digest(receipt())


async def test_an_answer_to_one_receipt_is_none_to_another(ends: Ends) -> None:
    """Each answer is exchanged for the one before, with the token that is waited for."""
    async with ends.source() as at, tapped(ends, at) as (tap, link):
        await link.post_receipt(receipt(1), deadline=HANG_S)
        kept = tap.answers[-1]

        def exchanged(data: bytes) -> bytes:
            one = Datagram.parse(data)
            if one.option(OSCORE) is None:
                return data
            return replace(kept, token=one.token, message_id=one.message_id).wire()

        tap.down = exchanged
        with pytest.raises(LinkDown):
            await link.post_receipt(receipt(2), deadline=SOON_S)
        assert {one.sequence for one in at.receipts} == {1, 2}  # it did arrive, and nobody could say so


@pytest.mark.parametrize("option", [None, b"", b"\x01", b"\x09"])
async def test_what_the_hub_said_is_not_heard_when_it_is_given_back(ends: Ends, option: bytes | None) -> None:
    """A request is reflected as if it were its own answer: as it stands, and with parts of its option."""
    async with ends.source() as at, tapped(ends, at) as (tap, link):
        asked: list[Datagram] = []

        def lost(data: bytes) -> bytes | None:
            one = Datagram.parse(data)
            if one.option(OSCORE) is None:
                return data
            asked.append(one)
            return None

        def reflected(data: bytes) -> bytes:
            if not asked:
                return data
            one = asked.pop()
            value = one.option(OSCORE) or b""
            if option is not None:
                value = option + (one.piv if option else b"") + (b"h" if option == b"\x09" else b"")
            return replace(one, kind=1, code=0x44, options=((OSCORE, value),)).wire()

        tap.up, tap.down = lost, reflected
        with pytest.raises(LinkDown):
            await link.post_receipt(receipt(), deadline=SOON_S)
        assert not at.receipts
        assert link.line._endpoint is not None
        assert link.line._endpoint.unsealed == 1


# Downgrade


async def test_an_open_answer_changes_nothing(ends: Ends) -> None:
    """A man in the middle answers 4.01 in the open; then with the very digest that is waited for."""
    for code, payload in ((0x81, b"Security context not found"), (0x44, digest(receipt()))):
        async with ends.source() as at, tapped(ends, at) as (tap, link):

            def answered(data: bytes, code: int = code, payload: bytes = payload) -> bytes:
                one = Datagram.parse(data)
                if one.option(OSCORE) is None:
                    return data
                return replace(one, code=code, options=(), payload=payload).wire()

            tap.down = answered
            with pytest.raises(LinkDown, match="that the source sealed, only") as told:
                await link.post_receipt(receipt(), deadline=REPEATED_S)
            assert len(tap.sealed) > 1
            assert not tap.open
            assert ("Security context not found" in str(told.value)) == (code == 0x81)


async def test_a_source_that_does_not_know_the_hub_gets_nothing_in_the_open(ends: Ends, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    stranger = enrolled(tmp_path / "other", "hub-9", SIGNER)
    async with stranger.source() as at, tapped(ends, at) as (tap, link):
        with pytest.raises(LinkDown, match=r"only '4\.01 Security context not found'; see whether it knows this hub"):
            await link.post_receipt(receipt(), deadline=REPEATED_S)
        assert len(tap.sealed) > 1
        assert not tap.open
        assert not at.receipts


async def test_a_source_without_channels_gets_nothing_in_the_open(ends: Ends) -> None:
    async with source() as at, tapped(ends, at) as (tap, link):
        with pytest.raises(LinkDown):
            await link.post_receipt(receipt(), deadline=REPEATED_S)
        assert len(tap.sealed) > 1
        assert not tap.open
        assert not at.receipts


async def test_without_its_channel_a_hub_sends_nothing_at_all(ends: Ends) -> None:
    async with ends.source() as at, tapped(ends, at, channel=NoChannel("damaged: enrol again")) as (tap, link):
        with pytest.raises(ChannelLost, match="enrol again"):
            await link.post_receipt(receipt(), deadline=SOON_S)
        assert not tap.sealed
        assert not tap.open


async def test_a_count_that_was_lost_stops_it_in_the_middle(ends: Ends) -> None:
    async with ends.source() as at, tapped(ends, at) as (tap, link):
        await link.post_receipt(receipt(1), deadline=HANG_S)
        (ends.folder / "hub-1.pem.numbers").unlink()
        with pytest.raises(ChannelLost, match="enrol again"):
            await deliver(link, BLOCK)
        assert not tap.open
        assert len(tap.sealed) == BLOCK  # what was written down as used was used, and nothing more


async def deliver(link: SourceLink, count: int) -> None:
    for number in range(2, 2 + count):
        await link.post_receipt(receipt(number), deadline=HANG_S)


async def test_a_source_refuses_the_open_receipt_of_a_hub_that_has_a_channel(ends: Ends) -> None:
    events: list[SourceEvent] = []
    async with asyncio.timeout(HANG_S), ends.source(on_event=events.append) as at, link_to(at.uri) as link:
        with pytest.raises(Refused, match=r"4\.01 receipts of hub hub-1 are taken through its channel only"):
            await link.post_receipt(receipt(), deadline=HANG_S)
        assert not at.receipts
        assert [type(one) for one in events] == [RefusedStatement]


async def test_a_hub_cannot_speak_for_another(ends: Ends, tmp_path: Path) -> None:
    other = enrolled(tmp_path, "hub-2", SIGNER)
    async with ends.source() as at, tapped(other, at) as (_tap, link):
        at.enrol(other.request)
        with pytest.raises(Refused, match=r"4\.03 a receipt of hub hub-1 in the channel of hub hub-2"):
            await link.post_receipt(receipt(), deadline=HANG_S)
        own = sign(replace(RECEIPT, hub="hub-2"), [SIGNER])
        assert await link.post_receipt(own, deadline=HANG_S) == digest(own)


# Recorded


async def given(at: tuple[str, int], data: bytes) -> Datagram | None:
    """Send a datagram from a socket of our own; return what comes back, None after a while."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        sock.setblocking(False)
        sock.connect(at)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(sock, data)
        try:
            async with asyncio.timeout(SOON_S):
                return Datagram.parse(await loop.sock_recv(sock, 65_536))
        except TimeoutError:
            return None


async def test_what_was_recorded_is_refused_also_after_a_restart_of_the_source(ends: Ends) -> None:
    taken: list[SourceEvent] = []
    async with ends.source(on_event=taken.append) as at, tapped(ends, at) as (tap, link):
        for number in (1, 2):
            await link.post_receipt(receipt(number), deadline=HANG_S)
        assert sum(isinstance(one, Receipt) for one in taken) == 2
        for one in tap.sealed:
            answer = await given(at.address, one.wire())
            assert answer is not None
            assert (answer.code, answer.option(OSCORE)) == (0x81, None)
            assert answer.payload == b"Replay detected"
        recorded, answers = tap.sealed, tap.answers
    again: list[SourceEvent] = []
    async with ends.source(on_event=again.append) as at, tapped(ends, at) as (tap, link):
        challenges: set[bytes] = set()
        for one in recorded:
            answer = await given(at.address, one.wire())
            # a challenge, sealed, under a number that the source never used before
            assert answer is not None
            assert ends.keys.open_answer(one.piv, answer.payload, answer.piv)[0] == 0x81
            challenges.add(answer.piv)
        assert len(challenges) == len(recorded)
        assert challenges.isdisjoint(one.piv for one in answers)
        assert not again
        assert await link.post_receipt(receipt(3), deadline=HANG_S) == digest(receipt(3))
        for one in [*recorded, *tap.sealed]:
            answer = await given(at.address, one.wire())
            assert answer is not None
            assert answer.payload == b"Replay detected"
        assert len(again) == 1


async def test_a_hub_that_begins_again_goes_on_behind_its_last_number(ends: Ends) -> None:
    numbers: list[bytes] = []
    async with ends.source() as at:
        for number in (1, 2, 3):
            async with tapped(ends, at) as (tap, link):
                assert await link.post_receipt(receipt(number), deadline=HANG_S) == digest(receipt(number))
                numbers += [one.piv for one in tap.sealed]
    assert [int.from_bytes(one, "big") // BLOCK for one in numbers] == [0, 0, 1, 2]
    assert len(set(numbers)) == len(numbers)


async def test_who_answers_first_in_the_open_does_not_silence_the_source(ends: Ends) -> None:
    """Whoever can hear the request but not hold it back knows its token, and is faster than the source."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as source:
        source.bind(("127.0.0.1", 0))
        source.setblocking(False)
        endpoint = await Endpoint.open(f"coap://127.0.0.1:{source.getsockname()[1]}", random.Random(1))
        try:
            replies: list[Reply | None] = []
            heard = asyncio.Event()

            def on_reply(reply: Reply | None) -> bool:
                replies.append(reply)
                heard.set()
                return False

            seal = await ends.channel().seal()
            stop = endpoint.request(Ask(Code.POST, "receipts", payload=b"receipt", sealed=True), on_reply, seal)
            data, hub = await asyncio.get_running_loop().sock_recvfrom(source, 2000)
            asked = Datagram.parse(data)
            forged = replace(asked, kind=1, code=0x84, options=(), payload=b"")
            sealed = ends.keys.seal_answer(asked.piv, b"\x44\xffdone")
            true = replace(asked, kind=1, code=0x44, options=((OSCORE, b""),), payload=sealed)
            for one in (forged, forged, true, true):
                source.sendto(replace(one, message_id=random.randbytes(2)).wire(), hub)
            async with asyncio.timeout(HANG_S):
                await heard.wait()
            assert [reply and (reply.code, reply.payload) for reply in replies] == [(0x44, b"done")]
            assert endpoint.unsealed == 2
            stop()
            assert endpoint._interface.outgoing_requests == {}
        finally:
            await endpoint.close()
