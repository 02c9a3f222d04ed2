"""CoAP messages: ours and aiocoap's reader agree in both directions, and no bytes do more than be refused."""

from __future__ import annotations

import contextlib

import aiocoap
from aiocoap.numbers.codes import Code as TheirCode
from aiocoap.numbers.types import Type as TheirType
from hypothesis import given
from hypothesis import strategies as st

from ward_hub.lan.message import Message, NotCoap, Type, read, write
from ward_hub.lan.request import Answer, Request, understood

# Numbers that aiocoap has names for, and whose values are bytes as they stand: it keeps every other number for good.
NUMBERS = st.sampled_from([1, 4, 9, 252])
MESSAGES = st.builds(
    Message,
    type=st.sampled_from(Type),
    code=st.sampled_from([1, 2, 3, 4, 65, 69, 132, 160]),
    mid=st.integers(0, 2**16 - 1),
    token=st.binary(max_size=8),
    options=st.lists(st.tuples(NUMBERS, st.binary(max_size=300)), max_size=6).map(
        lambda found: tuple(sorted(found, key=lambda one: one[0]))
    ),
    payload=st.binary(max_size=1100),
)


@given(MESSAGES)
def test_what_is_written_is_read(message: Message) -> None:
    assert read(write(message)) == message


@given(MESSAGES)
def test_aiocoap_reads_what_we_write(message: Message) -> None:
    theirs = aiocoap.Message.decode(write(message))
    assert (int(theirs.mtype or 0), int(theirs.code), theirs.token) == (message.type, message.code, message.token)
    assert [(int(one.number), one.encode()) for one in theirs.opt.option_list()] == list(message.options)
    assert theirs.payload == message.payload


@given(MESSAGES)
def test_we_read_what_aiocoap_writes(message: Message) -> None:
    theirs = aiocoap.Message(code=TheirCode(message.code), payload=message.payload)
    theirs.mtype, theirs.mid, theirs.token = TheirType(int(message.type)), message.mid, message.token
    theirs.opt.uri_path = ("push", "ế")
    theirs.opt.block1 = (70_000, True, 6)
    theirs.opt.size1 = 2**20
    theirs.opt.request_tag = (b"a", b"")
    ours = read(theirs.encode())
    path = ((11, b"push"), (11, "ế".encode()))
    assert ours.options == (*path, (27, b"\x11\x17\x0e"), (60, b"\x10\x00\x00"), (292, b"a"), (292, b""))
    assert (ours.type, ours.mid, ours.token, ours.payload) == (
        message.type,
        message.mid,
        message.token,
        message.payload,
    )


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_none(data: bytes) -> None:
    with contextlib.suppress(NotCoap):
        message = read(data)
        assert read(write(message)) == message  # CoAP lets a head be extended that need not be
        assert isinstance(understood(message), Request | Answer)


@given(st.binary(max_size=200))
def test_any_options_are_understood_or_refused(data: bytes) -> None:
    with contextlib.suppress(NotCoap):
        found = understood(read(b"\x40\x02\x00\x00" + data))
        assert isinstance(found, Request | Answer)
