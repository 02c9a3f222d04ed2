"""Requests: which options are understood, which refuse the whole, and how an answer goes back."""

from __future__ import annotations

import pytest

from ward_hub.lan.message import Code, Message, Option, Type
from ward_hub.lan.request import Answer, Block, Request, refusal, response, understood


def asked(*options: tuple[int, bytes], payload: bytes = b"") -> Request | Answer:
    return understood(Message(Type.CON, Code.POST, 7, b"tok", tuple(sorted(options)), payload))


def test_everything_that_is_understood() -> None:
    assert asked(
        (Option.URI_PATH, b"push"),
        (Option.ACCEPT, b"\x28"),
        (Option.BLOCK1, b"\x1e"),
        (Option.BLOCK2, b"\x06"),
        (Option.SIZE1, b"\x04\x00"),
        (Option.ECHO, b"echo"),
        (Option.REQUEST_TAG, b"a"),
        (Option.REQUEST_TAG, b""),
        payload=b"data",
    ) == Request(
        code=Code.POST,
        path=(b"push",),
        payload=b"data",
        block1=Block(1, True, 6),
        block2=Block(0, False, 6),
        size1=1024,
        accept=40,
        echo=b"echo",
        tags=(b"", b"a"),
    )


@pytest.mark.parametrize("number", [1, 5, 9, 13, 19, 21, 31, 65001])
def test_a_critical_option_that_is_not_understood_refuses_the_whole(number: int) -> None:
    found = asked((number, b"x"))
    assert isinstance(found, Answer)
    assert found.code == Code.BAD_OPTION
    assert str(number).encode() in found.payload


@pytest.mark.parametrize("number", [2, 6, 12, 14, 20, 258, 65000])
def test_an_elective_one_is_passed_over(number: int) -> None:
    assert isinstance(asked((number, b"x"), (number, b"x")), Request)


@pytest.mark.parametrize("number", [Option.PROXY_URI, Option.PROXY_SCHEME])
def test_this_is_no_proxy(number: Option) -> None:
    found = asked((number, b"coap"))
    assert isinstance(found, Answer)
    assert found.code == Code.NO_PROXY


@pytest.mark.parametrize(
    "options",
    [
        [(Option.BLOCK1, b"\x06"), (Option.BLOCK1, b"\x06")],
        [(Option.BLOCK1, b"\0\0\0\x06")],
        [(Option.URI_HOST, b"")],
        [(Option.URI_PATH, bytes(256))],
        [(Option.ACCEPT, b"\0\0\x28")],
    ],
)
def test_a_critical_one_twice_or_of_a_wrong_length_refuses_the_whole(options: list[tuple[int, bytes]]) -> None:
    found = asked(*options)
    assert isinstance(found, Answer)
    assert found.code == Code.BAD_OPTION


def test_an_elective_one_twice_or_of_a_wrong_length_counts_as_absent() -> None:
    found = asked((Option.SIZE1, bytes(5)), (Option.ECHO, b""), (Option.ECHO, b"echo"))
    assert isinstance(found, Request)
    assert (found.size1, found.echo) == (None, None)


@pytest.mark.parametrize("option", [Option.BLOCK1, Option.BLOCK2])
def test_the_reserved_size_is_refused(option: Option) -> None:
    found = asked((option, b"\x07"))
    assert isinstance(found, Answer)
    assert found.code == Code.BAD_REQUEST


@pytest.mark.parametrize(
    ("value", "block", "start"),
    [
        (b"", Block(0, False, 0), 0),
        (b"\x1e", Block(1, True, 6), 1024),
        (b"\x12\x34\x52", Block(0x12345, False, 2), 0x12345 * 64),
    ],
)
def test_blocks(value: bytes, block: Block, start: int) -> None:
    found = asked((Option.BLOCK1, value))
    assert isinstance(found, Request)
    assert found.block1 == block
    assert (block.start, block.value()) == (start, value)


def test_an_answer_goes_back_on_the_acknowledgement_or_in_a_message_of_its_own() -> None:
    answer = Answer(Code.CHANGED, b"yes", ((Option.SIZE1, b"\x01"), (Option.MAX_AGE, b"\x02")))
    confirmable = response(Message(Type.CON, Code.POST, 7, b"tok"), answer, 99)
    assert (confirmable.type, confirmable.mid, confirmable.token) == (Type.ACK, 7, b"tok")
    assert confirmable.options == ((Option.MAX_AGE, b"\x02"), (Option.SIZE1, b"\x01"))
    other = response(Message(Type.NON, Code.POST, 7, b"tok"), answer, 99)
    assert (other.type, other.mid, other.token) == (Type.NON, 99, b"tok")


def test_a_diagnostic_is_whole_letters_however_long() -> None:
    payload = refusal(Code.FORBIDDEN, "Hà Đông " * 200).payload
    assert len(payload) <= 500
    assert payload.decode().startswith("Hà Đông")
