"""The source's ends of the channels: who gets one, what it counts, and what stands nonsense."""

from __future__ import annotations

import asyncio
import random
import socket
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.oscore_peer import OSCORE, Datagram
from tests.sim.links.channel_rig import Ends, enrolled, tapped
from tests.sim.links.rig import HANG_S, receipt, source
from tests.statements import ENROLMENT, GRANT_KEY, GRANTS, SIGNER, SOURCE_CHANNEL, STRANGER, channel_key

from ward_hub.channel import write_key
from ward_protocol.envelope import Envelope, sign
from ward_protocol.errors import MisuseError
from ward_sim.source import Channels, RefusedStatement
from ward_sim.source.numbers import BLOCK, Numbers, NumbersError

RNG = random.Random(3)


@pytest.fixture
def ends(tmp_path: Path) -> Ends:
    return enrolled(tmp_path)


# The key and its count


def test_a_key_that_the_command_made_is_used(tmp_path: Path) -> None:
    write_key(tmp_path / "source.pem", SOURCE_CHANNEL)
    assert Channels(tmp_path / "source.pem").public == SOURCE_CHANNEL.public


def test_numbers_go_on_behind_the_last_block(tmp_path: Path) -> None:
    write_key(tmp_path / "key", SOURCE_CHANNEL)
    path = tmp_path / "key.numbers"
    first = Numbers(path, SOURCE_CHANNEL.public)
    assert [first.take() for _ in range(BLOCK + 1)] == list(range(BLOCK + 1))
    assert Numbers(path, SOURCE_CHANNEL.public).take() == 2 * BLOCK
    assert sorted(one.name for one in tmp_path.iterdir()) == ["key", "key.numbers"]


@pytest.mark.parametrize("damage", ["gone", "empty", "torn", "changed", "of another key"])
def test_a_count_that_is_not_certain_is_not_used(tmp_path: Path, damage: str) -> None:
    write_key(tmp_path / "key", SOURCE_CHANNEL)
    path = tmp_path / "key.numbers"
    content = path.read_text()
    changed = {"empty": "", "torn": content[:-9], "changed": content.replace(" 0 ", " 1 ")}
    if damage == "gone":
        path.unlink()
    elif damage == "of another key":
        write_key(tmp_path / "other", channel_key(7))
        path.write_bytes((tmp_path / "other.numbers").read_bytes())
    else:
        path.write_text(changed[damage])
    with pytest.raises(NumbersError, match="enrol every hub again"):
        Channels(tmp_path / "key")


def test_what_is_no_channel_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(SIGNER.to_pem())
    with pytest.raises(MisuseError, match="X25519"):
        Channels(tmp_path / "key")
    write_key(tmp_path / "made", channel_key(7))
    with pytest.raises(FileExistsError):
        Channels.made(tmp_path / "made")


# Who gets a channel


def test_only_who_has_the_key_that_it_names_is_enrolled(tmp_path: Path) -> None:
    channels = Channels.made(tmp_path / "source.pem")
    with pytest.raises(RefusedStatement, match="not signed with the key that it names"):
        channels.enrol(sign(ENROLMENT, [STRANGER]))
    with pytest.raises(RefusedStatement, match="a grants is no enrolment"):
        channels.enrol(sign(GRANTS, [GRANT_KEY]))
    with pytest.raises(RefusedStatement):
        channels.enrol(b"\xff")
    with pytest.raises(RefusedStatement, match="between two other keys"):
        channels.enrol(sign(replace(ENROLMENT, channel=channels.public), [SIGNER]))
    assert not channels.has("hub-1")
    assert channels.enrol(sign(ENROLMENT, [SIGNER])) == ENROLMENT
    assert channels.has("hub-1")


async def test_a_source_without_channels_enrols_nobody(ends: Ends) -> None:
    async with source() as at:
        with pytest.raises(ValueError, match="give it its channel key"):
            at.enrol(ends.request)


async def test_enrolled_again_the_old_channel_is_closed(ends: Ends, tmp_path: Path) -> None:
    async with ends.source() as at, tapped(ends, at) as (tap, link):
        await link.post_receipt(receipt(1), deadline=HANG_S)
        at.enrol(ends.request)  # the same again changes nothing
        await link.post_receipt(receipt(2), deadline=HANG_S)
        assert len(tap.sealed) == 3  # challenged once
        (tmp_path / "hub-1.pem").unlink()
        (tmp_path / "hub-1.pem.numbers").unlink()
        new = enrolled(tmp_path)
        at.enrol(new.request)
        answer = await given(at.address, tap.sealed[-1].wire())
        assert answer is not None
        assert answer.payload == b"Security context not found"
        async with tapped(new, at) as (_tap, another):
            assert await another.post_receipt(receipt(3), deadline=HANG_S)
        assert [one.sequence for one in at.receipts] == [1, 2, 3]


# Nonsense


async def given(at: tuple[str, int], *datagrams: bytes) -> Datagram | None:
    """Send datagrams; return the first answer that comes."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        sock.setblocking(False)
        sock.connect(at)
        loop = asyncio.get_running_loop()
        for data in datagrams:
            await loop.sock_sendall(sock, data)
            await asyncio.sleep(0)
        try:
            async with asyncio.timeout(1):
                return Datagram.parse(await loop.sock_recv(sock, 65_536))
        except TimeoutError:
            return None


def nonsense(ends: Ends) -> bytes:
    """A protected request of any option and payload, mostly with the beginning of one that is right."""
    right = b"\x19" + RNG.randbytes(1) + b"\x08" + ends.agreement.context + b"h"
    option = right[: RNG.randrange(len(right) + 1)] + RNG.randbytes(RNG.randrange(4))
    code, kind = RNG.choice([1, 2, 5, 0x44]), RNG.choice([0, 1])
    return Datagram(kind, code, RNG.randbytes(2), b"tokn", ((OSCORE, option),), RNG.randbytes(RNG.randrange(40))).wire()


async def test_nonsense_does_not_stop_it(ends: Ends) -> None:
    async with ends.source() as at, tapped(ends, at) as (_tap, link):
        for _ in range(20):
            await given(at.address, *(nonsense(ends) for _ in range(20)))
        assert not at.receipts
        assert await link.post_receipt(receipt(), deadline=HANG_S) == Envelope.open(receipt()).digest


async def test_a_request_that_is_right_and_asks_for_nonsense_is_answered_sealed(ends: Ends) -> None:
    """What is inside is judged as in the open: an option that is not understood, a resource that is not there."""
    numbers = iter(range(1000, 2000))

    def sealed(inside: bytes) -> tuple[bytes, bytes]:
        piv = next(numbers).to_bytes(2, "big")
        option = b"\x1a" + piv + b"\x08" + ends.agreement.context + b"h"
        payload = ends.keys.seal_request(piv, inside)
        return piv, Datagram(0, 2, RNG.randbytes(2), b"tokn", ((OSCORE, option),), payload).wire()

    async def asked(inside: bytes) -> int:
        piv, data = sealed(inside)
        answer = await given(at.address, data)
        assert answer is not None
        return ends.keys.open_answer(piv, answer.payload, answer.piv)[0]

    async with ends.source() as at:
        piv, data = sealed(b"\x01\xb5beats")
        answer = await given(at.address, data)
        assert answer is not None
        challenge = ends.keys.open_answer(piv, answer.payload, answer.piv)
        echo = challenge[-8:]  # the last option of the challenge
        assert await asked(b"\x01\xb5beats\xd8\xe4" + echo) == 0x84  # 4.04, and the window is open now
        assert await asked(b"\x01\xb4beat") == 0x45
        assert await asked(b"\x01\xb4beat\x21\x01") == 0x82  # option 13
        assert await asked(b"\x03\xb8receipts") == 0x85  # PUT
        assert await asked(b"\x02\xb8receipts\xff" + receipt()) == 0x44
        for code in (0x00, 0x44):  # no method at all, an answer
            assert await asked(bytes([code]) + b"\xb8receipts") == 0x85
