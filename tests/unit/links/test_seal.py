"""Seals: as RFC 8613 has them, one number for one message, and nothing heard but what the source sealed."""

from __future__ import annotations

import logging
import random

import pytest
from aiocoap import Message
from aiocoap.numbers.codes import Code
from aiocoap.numbers.types import Type
from aiocoap.oscore import ContextUnavailable
from tests.oscore_peer import OSCORE, Datagram, Keys
from tests.statements import HUB_CHANNEL, SOURCE_CHANNEL

from ward_hub.errors import StateError
from ward_hub.links import Channel, ChannelLost, MisuseError, NoChannel
from ward_hub.links.channel import Context, Seal
from ward_hub.links.endpoint import Ask, Endpoint
from ward_protocol.channel import Agreement, agree

# Ref: RFC 8613 appendix C.3 (context), C.6 (request).
C3 = Agreement(bytes(range(1, 17)), bytes.fromhex("9e7ca92223786340"), bytes.fromhex("37cbf3210017a2d3"))
SEALED = "44022f8eef9bbf7a396c6f63616c686f73746b19140837cbf3210017a2d3ff72cd7273fd331ac45cffbe55c3"
AGREED = agree(HUB_CHANNEL, "hub-1", HUB_CHANNEL.public, SOURCE_CHANNEL.public, bytes(32))
KEYS = Keys(AGREED.secret, AGREED.salt, AGREED.context)


def post() -> Message:
    return Message(code=Code.POST, payload=b"receipt")


def answer(payload: bytes, option: bytes | None = b"") -> Message:
    options = () if option is None else ((OSCORE, option),)
    return Message.decode(Datagram(1, 0x44, b"id", b"token", options, payload).wire())


def piv(seal: Seal) -> bytes:
    """Protect something, and return under which number."""
    option = seal.protect(post()).opt.oscore
    assert option is not None
    return option[1:2]


def test_a_request_as_the_rfc_has_it() -> None:
    plain = Message(code=Code.GET, uri_path=("tv1",))
    plain.opt.uri_host = "localhost"
    sealed = Seal(Context(C3, own=b"", peer=b"\1"), 20).protect(plain)
    sealed.mid, sealed.token, sealed.mtype = 0x2F8E, bytes.fromhex("ef9bbf7a"), Type.CON
    assert sealed.encode().hex() == SEALED


def test_a_seal_is_for_one_message() -> None:
    seal = Seal(Context(AGREED), 7)
    assert piv(seal) == b"\7"
    with pytest.raises(ContextUnavailable):
        seal.protect(post())


def test_two_seals_at_once_do_not_take_each_others_number() -> None:
    context = Context(AGREED)
    one, other = Seal(context, 1), Seal(context, 2)
    assert [piv(each) for each in (other, one)] == [b"\2", b"\1"]


def test_only_an_answer_to_this_request_is_opened() -> None:
    context = Context(AGREED)
    one, other = Seal(context, 1), Seal(context, 2)
    one.protect(post())
    other.protect(post())
    inside = b"\x44\xffdone"
    opened = one.open(answer(KEYS.seal_answer(b"\1", inside)))
    assert opened is not None
    assert (opened.code, opened.payload) == (Code.CHANGED, b"done")
    opened = one.open(answer(KEYS.seal_answer(b"\1", inside, b"\x09"), b"\1\x09"))
    assert opened is not None
    assert opened.payload == b"done"
    assert other.open(answer(KEYS.seal_answer(b"\1", inside))) is None
    assert one.open(answer(KEYS.seal_request(b"\1", inside))) is None
    assert one.open(answer(b"done", None)) is None
    assert one.dropped == "2.04 done"
    assert other.dropped == ""


@pytest.mark.parametrize(
    "option",
    [b"\x07" + b"\1" * 7, b"\x05\1", b"\x10", b"\x10\x09ab", b"\xff", b"\x08h", b"\x20", b"\x30\x08" + AGREED.context],
)
def test_an_option_of_nonsense_is_not_heard(option: bytes) -> None:
    seal = Seal(Context(AGREED), 1)
    seal.protect(post())
    assert seal.open(answer(KEYS.seal_answer(b"\1", b"\x44"), option)) is None


async def test_a_number_that_cannot_be_had_is_a_channel_that_is_lost() -> None:
    async def take() -> int:
        raise StateError("numbers: damaged; enrol again")

    with pytest.raises(ChannelLost, match="damaged; enrol again"):
        await Channel(AGREED, take).seal()
    with pytest.raises(ChannelLost, match="no key"):
        await NoChannel("no key").seal()


async def test_the_endpoint_sends_nothing_that_should_be_sealed_and_is_not() -> None:
    endpoint = await Endpoint.open("coap://127.0.0.1:9", random.Random(1))
    try:
        bad = ((Ask(Code.POST, "receipts", sealed=True), None), (Ask(Code.GET, "beat"), Seal(Context(C3), 1)))
        for ask, seal in bad:
            with pytest.raises(MisuseError, match="needs its seal"):
                endpoint.request(ask, lambda _reply: False, seal)
        assert endpoint.sent == 0
    finally:
        await endpoint.close()


def test_nothing_of_what_is_sealed_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    seal = Seal(Context(AGREED), 1)
    seal.protect(post())
    seal.open(answer(KEYS.seal_answer(b"\1", b"\x44\xffsecret")))
    assert not caplog.records
    for one in (seal, Context(AGREED)):
        assert AGREED.secret.hex() not in repr(one)
