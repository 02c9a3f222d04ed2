"""A hub's way in over its own network, on real sockets: who is answered what, and what happens once only."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import socket
import struct
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.sim.lan.rig import (
    BLOCK1,
    CON,
    ECHO,
    GET,
    MAX_AGE,
    NON,
    POST,
    PUT,
    SIZE1,
    Client,
    client,
    served,
)
from tests.sim.source.test_site import Options, message, parsed

from ward_hub.lan.echo import LIFE_S
from ward_hub.lan.gathering import AT_ONCE
from ward_hub.lan.limits import DECISIONS, KNOWN_S, OCTETS
from ward_hub.lan.message import Code
from ward_hub.lan.request import Answer, Request
from ward_hub.lan.server import AMPLIFICATION, READ
from ward_hub.lan.site import Sender
from ward_hub.lan.spool import Bounds, Most
from ward_hub.tally import Tally
from ward_protocol.envelope import MAX_SIZE
from ward_protocol.statements.bulletin import MAX_AUDIO

GOOD = b"good and short"
LONG = b"good " + random.Random(1).randbytes(5000)
AUDIO = random.Random(2).randbytes(10_000)
SHA256 = hashlib.sha256(AUDIO).digest()
MEDIA = f"media/{SHA256.hex()}"


def counted(tally: Tally) -> dict[str, int]:
    return {word: count for one in tally.due(0.0, all_of_it=True) for word, count in one.counts.items()}


# Who is listened to


async def test_a_stranger_must_first_show_that_it_hears_us(tmp_path: Path) -> None:
    async with served(tmp_path) as (hub, server):
        with client(server) as one:
            code, options, payload = await one.ask(message(POST, "push", [], GOOD))
            assert (code, payload, hub.given) == ("4.01", b"", [])
            assert (await one.ask(message(POST, "push", [(ECHO, options[ECHO])], GOOD)))[0] == "2.04"
            assert (await one.push(GOOD + b"2"))[0] == "2.04"
            assert hub.given == [GOOD, GOOD + b"2"]


@pytest.mark.parametrize("path", ["push", MEDIA])
async def test_nothing_is_begun_for_a_stranger(tmp_path: Path, path: str) -> None:
    async with served(tmp_path) as (hub, server):
        with client(server) as one:
            assert [await one.block(path, LONG, number) for number in (0, 1, 4)] == ["4.01"] * 3
            assert hub.spooled == []


async def test_what_one_address_was_sent_proves_nothing_for_another(tmp_path: Path) -> None:
    async with served(tmp_path) as (hub, server):
        with client(server) as one, client(server, "127.0.0.2") as other:
            echo = (await one.ask(message(POST, "push", [], GOOD)))[1][ECHO]
            assert (await other.ask(message(POST, "push", [(ECHO, echo)], GOOD)))[0] == "4.01"
            assert (await one.ask(message(POST, "push", [(ECHO, echo)], GOOD)))[0] == "2.04"
            assert (await other.push(GOOD))[0] == "4.01"
            assert hub.given == [GOOD]


async def test_a_proof_is_good_for_a_while(tmp_path: Path) -> None:
    async with served(tmp_path, frozen=True) as (hub, server):
        with client(server) as one:
            echo = (await one.ask(message(POST, "push", [], GOOD)))[1][ECHO]
            hub.now += LIFE_S + 1
            code, options, _ = await one.ask(message(POST, "push", [(ECHO, echo)], GOOD))
            assert code == "4.01"
            assert (await one.ask(message(POST, "push", [(ECHO, options[ECHO])], GOOD)))[0] == "2.04"
            hub.now += KNOWN_S - 1
            assert (await one.push(b"bad"))[0] == "4.03"
            hub.now += 1
            assert (await one.push(b"bad"))[0] == "4.01"


@pytest.mark.parametrize(
    ("code", "path", "options"),
    [
        (GET, "", []),
        (GET, "x", []),
        (POST, "push", []),
        (PUT, MEDIA, []),
        (GET, ".well-known/core", []),
        (GET, "x", [(65001, b"")]),
        (POST, "push", [(BLOCK1, b"\x0e"), (SIZE1, b"\xff\xff\xff\xff")]),
    ],
)
@pytest.mark.parametrize("kind", [CON, NON])
async def test_no_answer_to_a_stranger_is_much_larger_than_its_request(
    tmp_path: Path, code: int, path: str, options: Options, kind: int
) -> None:
    async with served(tmp_path) as (_, server):
        with client(server) as one:
            asked = message(code, path, options, kind=kind) if path else b"\x40\x01\x00\x01"
            await asyncio.get_running_loop().sock_sendall(one.socket, asked)
            try:
                async with asyncio.timeout(0.2):
                    got = await asyncio.get_running_loop().sock_recv(one.socket, 65_536)
            except TimeoutError:
                assert (kind, options) == (NON, [(65001, b"")])
                return
            assert len(got) <= AMPLIFICATION * len(asked)


# What is there


async def test_everything_is_listed_for_whoever_is_known(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, server):
        with client(server) as one:
            code, options, whole = await one.ask(message(GET, ".well-known/core"))
            assert (code, options[12]) == ("2.05", b"\x28")
            assert whole == b'</push>;rt="wardhub.push",</media>;rt="wardhub.media"'
            assert (await one.ask(message(GET, ".well-known/core", [(23, b"\x02")])))[2] == whole
            assert (await one.ask(message(GET, ".well-known/core", [(23, b"\x10")])))[2] == whole[16:32]
            assert (await one.ask(message(GET, ".well-known/core", [(23, b"\x46")])))[0] == "4.00"
            assert (await one.ask(message(GET, ".well-known/core", [(17, b"\x32")])))[0] == "4.06"
            assert (await one.ask(message(POST, ".well-known/core")))[0] == "4.05"


@pytest.mark.parametrize(
    ("code", "path", "answer"),
    [
        (GET, "push", "4.05"),
        (PUT, "push", "4.05"),
        (GET, MEDIA, "4.05"),
        (POST, MEDIA, "4.05"),
        (POST, "push/x", "4.04"),
        (PUT, "media", "4.04"),
        (PUT, "media/" + "A" * 64, "4.04"),
        (PUT, "media/" + "0" * 63, "4.04"),
        (PUT, MEDIA + "/x", "4.04"),
        (GET, "beat", "4.04"),
    ],
)
async def test_what_is_not_there_or_takes_something_else(tmp_path: Path, code: int, path: str, answer: str) -> None:
    async with served(tmp_path) as (_, server):
        with client(server) as one:
            await one.prove()
            assert (await one.ask(message(code, path)))[0] == answer


@pytest.mark.parametrize("number", [1, 5, 9, 13, 19, 21, 31, 65001])
async def test_a_critical_option_that_is_not_understood(tmp_path: Path, number: int) -> None:
    async with served(tmp_path) as (hub, server):
        with client(server) as one:
            await one.prove()
            assert (await one.ask(message(POST, "push", [(number, b"\1")], GOOD)))[0] == "4.02"
            assert await one.silent(message(POST, "push", [(number, b"\1")], GOOD, kind=NON))
            assert hub.given == []
            assert counted(hub.tally)["bad-request"] == 2


async def test_a_proxy_is_something_else(tmp_path: Path) -> None:
    async with served(tmp_path) as (hub, server):
        with client(server) as one:
            await one.prove()
            assert (await one.ask(message(POST, "push", [(39, b"coap")], GOOD)))[0] == "5.05"
            assert hub.given == []


async def test_a_ping_is_answered_and_what_is_no_request_is_passed_over(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, server):
        with client(server) as one:
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(one.socket, b"\x40\x00\x12\x34")
            assert await loop.sock_recv(one.socket, 100) == b"\x70\x00\x12\x34"
            for datagram in (
                b"\x50\x00\x12\x34",
                b"\x60\x00\x12\x34",
                b"\x70\x00\x12\x34",
                b"\x60\x01\x00\x01",
                b"\x40\x45\x00\x01",
            ):
                assert await one.silent(datagram, 0.05)


# Verdicts


async def test_the_answer_is_the_verdict(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with served(tmp_path) as (_, server):
        with client(server) as one:
            await one.prove()
            assert await one.push(GOOD) == ("2.04", hashlib.sha256(GOOD).digest())
            code, why = await one.push(b"forged")
            assert (code, why.decode()) == ("4.03", "unknown-key: no key of Hà Đông signed it")
    assert [one.getMessage() for one in caplog.records if "kept" in one.getMessage()] == [
        f"lan: kept /push of {len(GOOD)} bytes from 127.0.0.1"
    ]


async def test_it_comes_on_the_acknowledgement_or_as_it_was_asked(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, server):
        with client(server) as one:
            await one.prove()
            for kind, answered in ((CON, 2), (NON, 1)):
                asked = message(POST, "push", [], GOOD, kind)
                await asyncio.get_running_loop().sock_sendall(one.socket, asked)
                got = await asyncio.get_running_loop().sock_recv(one.socket, 1000)
                assert got[0] >> 4 & 3 == answered
                assert got[4:8] == asked[4:8]
                assert (got[2:4] == asked[2:4]) == (kind == CON)


async def test_the_same_question_again_is_the_same_answer_and_is_not_asked_again(tmp_path: Path) -> None:
    async with served(tmp_path) as (hub, server):
        with client(server) as one:
            await one.prove()
            first = [await one.push(data) for data in (GOOD, b"bad")]
            assert [await one.push(data) for data in (GOOD, b"bad")] == first
            assert hub.given == [GOOD, b"bad"]
            assert await one.upload("push", LONG) == "2.04"
            assert await one.block("push", LONG, 4) == "2.04"
            assert hub.given[2:] == [LONG]


async def test_while_it_is_judged_a_repeated_question_waits(tmp_path: Path) -> None:
    gate = asyncio.Event()

    async def pause() -> None:
        await gate.wait()

    async with served(tmp_path, pause=pause) as (hub, server):
        with client(server) as one:
            await one.prove()
            assert await one.silent(message(POST, "push", [], GOOD))
            assert await one.silent(message(POST, "push", [], GOOD))
            gate.set()
            assert (await one.hear())[0] == "2.04"
            assert hub.given == [GOOD]


async def test_what_another_has_asked_is_not_this_ones_answer(tmp_path: Path) -> None:
    async with served(tmp_path) as (hub, server):
        with client(server) as one, client(server) as two:
            await one.prove()
            assert [(await each.push(b"bad"))[0] for each in (one, two)] == ["4.03"] * 2
            assert hub.given == [b"bad"] * 2


async def test_while_an_upload_is_judged_its_blocks_are_passed_over(tmp_path: Path) -> None:
    gate = asyncio.Event()

    async def pause() -> None:
        await gate.wait()

    async with served(tmp_path, pause=pause) as (hub, server):
        with client(server) as one:
            await one.prove()
            for number in range(4):
                assert await one.block("push", LONG, number) == "2.31"
            last = message(POST, "push", [(BLOCK1, b"\x46")], LONG[4096:])
            assert await one.silent(last)
            for number in (0, 3):
                option = (number << 4 | 8 | 6).to_bytes(1, "big")
                part = LONG[number * 1024 : (number + 1) * 1024]
                assert await one.silent(message(POST, "push", [(BLOCK1, option)], part))
            gate.set()
            assert (await one.hear())[0] == "2.04"
            assert hub.given == [LONG]


async def test_what_fails_inside_is_said_so_and_may_be_asked_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(tmp_path) as (hub, server):
        with client(server) as one:
            await one.prove()
            for _ in range(2):
                assert (await one.push(b"fail"))[0] == "5.00"
            assert hub.given == [b"fail"] * 2
            assert await one.upload("push", b"fail" + bytes(3000)) == "5.00"
    assert caplog.text.count("could not be judged") == 3


# Blocks


async def test_repeated_and_missing_blocks(tmp_path: Path) -> None:
    async with served(tmp_path) as (hub, server):
        with client(server) as one:
            await one.prove()
            assert await one.block("push", LONG, 1) == "4.08"
            codes = [await one.block("push", LONG, number) for number in (0, 0, 1, 3, 1, 0, 2, 3, 4)]
            assert codes == ["2.31"] * 3 + ["4.08"] + ["2.31"] * 4 + ["2.04"]
            assert hub.given == [LONG]


@pytest.mark.parametrize("size", [16, 64, 512])
async def test_blocks_of_any_size(tmp_path: Path, size: int) -> None:
    data = (LONG + LONG)[: 10 * size + 3]
    async with served(tmp_path) as (hub, server):
        with client(server) as one:
            await one.prove()
            codes = [await one.block("push", data, number, size=size) for number in range(11)]
            assert codes == ["2.31"] * 10 + ["2.04"]
            assert hub.given == [data]


@pytest.mark.parametrize(
    ("option", "length"), [(b"\x0e", 1023), (b"\x0e", 1025), (b"\x06", 1025), (b"\x0f", 1024), (b"\x0a", 63)]
)
async def test_a_block_that_is_not_what_it_says(tmp_path: Path, option: bytes, length: int) -> None:
    async with served(tmp_path) as (hub, server):
        with client(server) as one:
            await one.prove()
            code, _, _ = await one.ask(message(POST, "push", [(BLOCK1, option)], bytes(length)))
            assert code == "4.00"
            assert hub.spooled == []


async def test_two_uploads_of_one_sender_are_never_put_together(tmp_path: Path) -> None:
    """By their Request-Tags they are two; without tags they disturb each other, and that is all."""
    first, second = LONG, LONG[:1024] + random.Random(3).randbytes(4000)
    async with served(tmp_path) as (hub, server):
        with client(server) as one:
            await one.prove()
            for number in range(5):
                codes = [
                    await one.block("push", data, number, tag=tag) for data, tag in ((first, b"1"), (second, b"2"))
                ]
                assert codes == (["2.31"] * 2 if number < 4 else ["2.04"] * 2)
            assert hub.given == [first, second]
            for number in range(5):
                await one.block("push", first, number)
                await one.block("push", second, number)
            assert hub.given == [first, second]


async def test_what_a_sender_without_tags_mixes_up_is_not_the_recording(tmp_path: Path) -> None:
    """Nothing tells its two uploads apart, but what came of them is neither."""
    other = AUDIO[:1024] + random.Random(5).randbytes(len(AUDIO) - 1024)
    async with served(tmp_path) as (hub, server):
        with client(server) as one:
            await one.prove()
            codes = [await one.block(MEDIA, (AUDIO, other)[number % 2], number) for number in range(10)]
            assert codes == ["2.31"] * 9 + ["4.22"]
            assert hub.kept == {}
            assert await one.upload(MEDIA, AUDIO) == "2.01"


async def test_two_senders_are_never_put_together(tmp_path: Path) -> None:
    async with served(tmp_path) as (hub, server):
        with client(server) as one, client(server) as two:
            await one.prove()
            assert await one.block("push", LONG, 0) == "2.31"
            assert await two.block("push", LONG, 1) == "4.08"
            assert hub.given == []


@pytest.mark.parametrize(
    ("path", "size1", "code"),
    [
        ("push", MAX_SIZE, "2.31"),
        ("push", MAX_SIZE + 1, "4.13"),
        (MEDIA, MAX_AUDIO, "2.31"),
        (MEDIA, MAX_AUDIO + 1, "4.13"),
    ],
)
async def test_what_is_announced_too_large(tmp_path: Path, path: str, size1: int, code: str) -> None:
    async with served(tmp_path) as (_, server):
        with client(server) as one:
            await one.prove()
            method = POST if path == "push" else PUT
            option = [(BLOCK1, b"\x0e"), (SIZE1, struct.pack("!I", size1))]
            answer, options, _ = await one.ask(message(method, path, option, bytes(1024)))
            assert answer == code
            if code == "4.13":
                assert int.from_bytes(options[SIZE1], "big") == (MAX_SIZE if path == "push" else MAX_AUDIO)
                assert BLOCK1 not in options  # which would mean: in smaller blocks


async def test_what_grows_too_large(tmp_path: Path) -> None:
    data = bytes(MAX_SIZE + 1)
    async with served(tmp_path) as (hub, server):
        with client(server) as one:
            await one.prove()
            codes = [await one.block("push", data, number) for number in range(65)]
            assert codes == ["2.31"] * 64 + ["4.13"]
            assert hub.spooled == []
            assert await one.block("push", data, 3) == "4.08"


# Recordings


async def test_a_recording_comes_whole_or_not_at_all(tmp_path: Path) -> None:
    async with served(tmp_path) as (hub, server):
        with client(server) as one:
            await one.prove()
            assert await one.upload(MEDIA, AUDIO[:-1] + b"x") == "4.22"
            assert hub.kept == {}
            assert await one.upload(MEDIA, AUDIO) == "2.01"
            assert hub.kept == {SHA256: AUDIO}
            assert await one.block(MEDIA, AUDIO, 0) == "2.04"
            assert counted(hub.tally) == {"wrong-recording": 1, "unproven": 1}


async def test_a_small_one_needs_no_blocks(tmp_path: Path) -> None:
    async with served(tmp_path) as (hub, server):
        with client(server) as one:
            await one.prove()
            path = f"media/{hashlib.sha256(b'short').hexdigest()}"
            assert (await one.ask(message(PUT, path, [], b"short")))[0] == "2.01"
            assert list(hub.kept.values()) == [b"short"]


@pytest.mark.parametrize(("size", "code"), [(10_000, "2.01"), (9_999, "4.13"), (10_001, "4.22")])
async def test_it_has_the_size_by_which_a_bulletin_names_it(tmp_path: Path, size: int, code: str) -> None:
    async with served(tmp_path, wanted={SHA256: size}) as (hub, server):
        with client(server) as one:
            await one.prove()
            assert await one.upload(MEDIA, AUDIO) == code
            assert (SHA256 in hub.kept) == (code == "2.01")


# Bounds


async def test_a_peer_has_two_uploads_and_so_many_bytes(tmp_path: Path) -> None:
    bounds = Bounds(peer=Most(2, 3 * 1024), total=Most(16, 10 * 1024))
    async with served(tmp_path, bounds=bounds) as (hub, server):
        with client(server) as one, client(server, "127.0.0.2") as other:
            await one.prove()
            await other.prove()
            assert [await one.block("push", LONG, 0, tag=bytes([tag])) for tag in range(3)] == ["2.31", "2.31", "5.03"]
            assert await one.block("push", LONG, 1, tag=b"\0") == "2.31"
            assert await one.block("push", LONG, 1, tag=b"\1") == "5.03"
            assert await other.block("push", LONG, 0) == "2.31"
            assert len(hub.spooled) == 2
            assert counted(hub.tally) == {"no-room": 2, "unproven": 2}


async def test_what_stalls_makes_room(tmp_path: Path) -> None:
    bounds = Bounds(peer=Most(1, 10**6), total=Most(1, 10**6))
    async with served(tmp_path, bounds=bounds, frozen=True) as (hub, server):
        with client(server) as one, client(server, "127.0.0.2") as other:
            await one.prove()
            await other.prove()
            assert await one.block("push", LONG, 0) == "2.31"
            assert await other.block("push", LONG, 0) == "5.03"
            hub.now += 6
            assert await other.block("push", LONG, 0) == "2.31"
            assert await one.block("push", LONG, 1) == "4.08"


async def test_what_was_announced_and_never_comes_makes_room_though_it_is_never_silent(tmp_path: Path) -> None:
    async with served(tmp_path, frozen=True) as (hub, server):
        with ExitStack() as stack:
            hosts = [stack.enter_context(client(server, f"127.0.0.{number}")) for number in range(2, 7)]
            for host in hosts:
                await host.prove()
            *idlers, honest = hosts
            whole = bytes(MAX_AUDIO)
            announced = [(BLOCK1, b"\x0e"), (SIZE1, len(whole).to_bytes(4, "big"))]
            for host in idlers:
                assert (await host.ask(message(PUT, MEDIA, announced, whole[:1024])))[0] == "2.31"
            assert await honest.block("push", LONG, 0) == "5.03"
            for number in range(1, 4):
                hub.now += 4
                assert {await host.block(MEDIA, whole, number) for host in idlers} == {"2.31"}
            assert await honest.upload("push", LONG) == "2.04"
            assert hub.given == [LONG]


async def test_the_journals_room_on_the_disk_is_left(tmp_path: Path) -> None:
    async with served(tmp_path, floor=2**60) as (hub, server):
        with client(server) as one:
            await one.prove()
            code, options, _ = await one.ask(message(PUT, MEDIA, [(BLOCK1, b"\x0e")], AUDIO[:1024]))
            assert (code, options[MAX_AGE]) == ("5.03", b"\x3c")
            assert (await one.push(GOOD))[0] == "2.04"
            assert hub.spooled == []


async def test_a_disk_that_fails_is_said_so(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, server):
        with client(server) as one:
            await one.prove()
            (tmp_path / "incoming").rmdir()
            assert await one.block("push", LONG, 0) == "5.03"
            (tmp_path / "incoming").mkdir()
            assert await one.upload("push", LONG) == "2.04"


async def test_refused_statements_are_judged_at_a_rate_and_accepted_ones_cost_nothing(tmp_path: Path) -> None:
    async with served(tmp_path, frozen=True) as (hub, server):
        with client(server) as one:
            await one.prove()
            for number in range(50):
                assert (await one.push(GOOD + bytes([number])))[0] == "2.04"
            burst = int(DECISIONS.peer.burst)
            for number in range(burst):
                assert (await one.push(bytes([number])))[0] == "4.03"
            code, options, _ = await one.ask(message(POST, "push", [], b"one more"))
            assert (code, options[MAX_AGE]) == ("5.03", b"\x02")
            hub.now += 2
            assert (await one.push(b"one more"))[0] == "4.03"
            assert len(hub.given) == 50 + burst + 1
            assert counted(hub.tally) == {"over-rate": 1, "unproven": 1}


async def test_a_document_of_trust_costs_as_the_same_one_may_come_for_ever(tmp_path: Path) -> None:
    async with served(tmp_path, frozen=True) as (_, server):
        with client(server) as one:
            await one.prove()
            codes = [(await one.push(b"document %d" % number))[0] for number in range(int(DECISIONS.peer.burst) + 1)]
            assert codes == ["2.04"] * int(DECISIONS.peer.burst) + ["5.03"]


async def test_recordings_that_nothing_names_are_taken_at_a_rate(tmp_path: Path) -> None:
    async with served(tmp_path, frozen=True) as (hub, server):
        with client(server) as one:
            await one.prove()
            account = server._limits._accounts["127.0.0.1"]
            account.octets.stock = 15 * 1024
            assert await one.upload(MEDIA, AUDIO) == "2.01"
            other = AUDIO[::-1]
            path = f"media/{hashlib.sha256(other).hexdigest()}"
            assert [await one.block(path, other, number) for number in range(6)] == ["2.31"] * 5 + ["5.03"]
            assert hub.kept == {SHA256: AUDIO}


async def test_bytes_that_are_not_kept_are_taken_at_a_rate(tmp_path: Path) -> None:
    bounds = Bounds(peer=Most(2, 2**30), total=Most(16, 2**30))
    async with served(tmp_path, frozen=True, bounds=bounds, wanted={SHA256: len(AUDIO)}) as (hub, server):
        with client(server) as one:
            await one.prove()
            account = server._limits._accounts["127.0.0.1"]
            account.octets.stock = 3 * 1024
            assert [await one.block(MEDIA, AUDIO, number) for number in range(4)] == ["2.31"] * 3 + ["5.03"]
            hub.now += 1
            rest = [await one.block(MEDIA, AUDIO, number) for number in range(3, 10)]
            assert rest == ["2.31"] * 6 + ["2.01"]
            assert account.octets.stock >= len(AUDIO)
            assert account.octets.stock < OCTETS.peer.burst


async def test_only_so_many_are_judged_at_once(tmp_path: Path) -> None:
    gate = asyncio.Event()

    async def pause() -> None:
        await gate.wait()

    async with served(tmp_path, pause=pause) as (hub, server):
        with client(server) as one:
            await one.prove()
            for number in range(AT_ONCE):
                assert await one.silent(message(POST, "push", [], GOOD + bytes([number])), 0.02)
            assert (await one.push(b"more"))[0] == "5.03"
            gate.set()
            for _ in range(AT_ONCE):
                assert (await one.hear())[0] == "2.04"
            assert (await one.push(b"more"))[0] == "4.03"
            assert len(hub.given) == AT_ONCE + 1


async def test_an_upload_ends_with_its_sender(tmp_path: Path) -> None:
    async with served(tmp_path, frozen=True) as (hub, server):
        with client(server) as one:
            await one.prove()
            assert await one.block(MEDIA, AUDIO, 0) == "2.31"
            hub.now += 31
            server._spool.sweep(hub.now)
            assert hub.spooled == []
            assert await one.block(MEDIA, AUDIO, 1) == "4.08"


async def test_garbage_is_counted_and_stops_nothing(tmp_path: Path) -> None:
    rng = random.Random(4)
    async with served(tmp_path) as (hub, server):
        with client(server) as one, client(server, "127.0.0.2") as noisy:
            await one.prove()
            loop = asyncio.get_running_loop()
            for _ in range(300):
                await loop.sock_sendall(noisy.socket, rng.randbytes(rng.randrange(1, 200)))
                await asyncio.sleep(0)
            await loop.sock_sendall(noisy.socket, bytes(1501))
            assert (await one.push(GOOD))[0] == "2.04"
            assert counted(hub.tally)["not-coap"] > 100


async def test_more_than_there_is_time_for_stays_unread(tmp_path: Path) -> None:
    async with served(tmp_path, frozen=True) as (hub, server):
        with client(server) as one:
            pings = [b"\x40\x00" + number.to_bytes(2, "big") for number in range(int(READ.burst) + 20)]
            listening = asyncio.create_task(_resets(one))
            for ping in pings:
                await asyncio.get_running_loop().sock_sendall(one.socket, ping)
                await asyncio.sleep(0)
            answered = await listening
            assert len(answered) == READ.burst
            hub.now += 1
            assert answered + await _resets(one) == [b"\x70" + ping[1:] for ping in pings]


async def _resets(one: Client) -> list[bytes]:
    found: list[bytes] = []
    with contextlib.suppress(TimeoutError):
        while True:
            async with asyncio.timeout(0.3):
                found.append(await asyncio.get_running_loop().sock_recv(one.socket, 100))
    return found


# Addresses


async def test_over_ipv6(tmp_path: Path) -> None:
    async with served(tmp_path, host="::1") as (_, server):
        with client(server, "::1") as one:
            await one.prove()
            assert (await one.push(GOOD))[0] == "2.04"
            assert await one.upload(MEDIA, AUDIO) == "2.01"


async def test_a_host_proves_nothing_for_its_neighbours_of_one_network(tmp_path: Path) -> None:
    """Their account is one, as any of them may take any address there; whoever hears us is still that one alone."""
    async with served(tmp_path, host="::1") as (_, server):
        site, port = server._site, 40_000
        guest, neighbour = (Sender("fe80::", host, (host, port)) for host in ("fe80::1%eth0", "fe80::2%eth0"))
        push = Request(POST, (b"push",), GOOD)
        asked = site.answer(push, guest)
        assert isinstance(asked, Answer)
        assert asked.code == Code.UNAUTHORIZED
        assert callable(site.answer(replace(push, echo=dict(asked.options)[ECHO]), guest))
        again = site.answer(push, neighbour)
        assert isinstance(again, Answer)
        assert again.code == Code.UNAUTHORIZED


async def test_at_the_wildcard_an_answer_comes_from_the_address_that_was_asked(tmp_path: Path) -> None:
    async with served(tmp_path, host="0.0.0.0") as (_, server):
        assert server.address is not None
        for asked in ("127.0.0.1", "127.1.2.3"):
            with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
                sock.setblocking(False)
                sock.connect((asked, server.address[1]))  # so that only what comes from there is heard
                one = Client(sock)
                await one.prove()
                assert (await one.push(GOOD + asked.encode()))[0] == "2.04"


async def test_nobody_answers_for_a_group(tmp_path: Path) -> None:
    async with served(tmp_path, host="0.0.0.0") as (_, server):
        assert server.address is not None
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sock.sendto(b"\x40\x00\x12\x34", ("127.255.255.255", server.address[1]))
            await asyncio.sleep(0.1)
            with pytest.raises(BlockingIOError):
                sock.recv(100)
            sock.sendto(b"\x40\x00\x12\x34", ("127.0.0.1", server.address[1]))
            assert parsed(await asyncio.get_running_loop().sock_recv(sock, 100))[0] == "0.00"


async def test_it_listens_at_an_address_that_the_hub_does_not_have_yet(tmp_path: Path) -> None:
    async with served(tmp_path, host="192.0.2.77") as (_, server):
        assert server.address is not None
        assert server.address[0] == "192.0.2.77"


async def test_a_port_that_is_taken_is_an_error(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, server):
        assert server.address is not None
        server._listen = server.address
        with pytest.raises(OSError, match="in use"):
            await server.run()


async def test_what_is_judged_at_its_end_is_given_up_and_nothing_more_is_begun(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gate = asyncio.Event()

    async def pause() -> None:
        try:
            await gate.wait()
        finally:  # as a journal that finishes what it has begun
            await asyncio.sleep(0.1)

    async with served(tmp_path, pause=pause) as (hub, server):
        with client(server) as one:
            await one.prove()
            for number in range(4):
                assert await one.block("push", LONG, number) == "2.31"
            assert await one.silent(message(POST, "push", [(BLOCK1, b"\x46")], LONG[4096:]))
            late = one.socket.dup()
            asyncio.get_running_loop().call_later(0.05, late.send, message(POST, "push", [], GOOD))
    with late:
        assert hub.given == [LONG]
    assert caplog.text == ""
