"""CoAP messages as bytes: vectors worked by hand from RFC 7252, and everything that is none."""

from __future__ import annotations

import pytest

from ward_hub.lan.message import MOST_OPTIONS, Code, Message, NotCoap, Option, Type, of_uint, read, uint, write

# RFC 7252, figure 16: a confirmable GET /temperature, message id 0x7d34, no token.
FIGURE_16 = bytes.fromhex("40017d34bb") + b"temperature"
# Its answer: 2.05 on the acknowledgement, "22.3 C".
FIGURE_16_ANSWER = bytes.fromhex("60457d34ff") + b"22.3 C"


def test_the_rfcs_own_request_and_answer() -> None:
    request = read(FIGURE_16)
    assert (request.type, request.code, request.mid, request.token) == (Type.CON, Code.GET, 0x7D34, b"")
    assert request.options == ((Option.URI_PATH, b"temperature"),)
    answer = read(FIGURE_16_ANSWER)
    assert (answer.type, answer.code, answer.payload) == (Type.ACK, Code.CONTENT, b"22.3 C")
    assert write(request) == FIGURE_16
    assert write(answer) == FIGURE_16_ANSWER


@pytest.mark.parametrize(
    ("head", "number", "length"),
    [
        ("00", 0, 0),
        ("cc", 12, 12),
        ("d000", 13, 0),
        ("d0ff", 268, 0),
        ("e00000", 269, 0),
        ("e0fefe", 269 + 0xFEFE, 0),
        ("0d00", 0, 13),
        ("0dff", 0, 268),
        ("0e0000", 0, 269),
        ("dd0000", 13, 13),
        ("ee00000001", 269, 270),
    ],
)
def test_heads_of_options(head: str, number: int, length: int) -> None:
    data = bytes.fromhex("40010000") + bytes.fromhex(head) + bytes(length)
    assert read(data).options == ((number, bytes(length)),)
    assert write(read(data)) == data


@pytest.mark.parametrize(
    "data",
    [
        "",
        "400100",  # shorter than a header
        "00010000",  # version 0
        "80010000",  # version 2
        "4901000000000000000000",  # a token of nine bytes
        "4f010000",  # the reserved length
        "44010000aabb",  # a token that is cut off
        "40000000ff",  # an empty message that is not
        "41000000aa",
        "40010000ff",  # a marker without a payload
        "40010000f0",  # a reserved delta that is no marker
        "400100000f",  # a reserved length
        "40010000d0",  # an extension that is cut off
        "40010000e000",
        "400100000d",
        "4001000001",  # a value that is cut off
        "40010000bb74656d70",
    ],
)
def test_what_is_no_message(data: str) -> None:
    with pytest.raises(NotCoap):
        read(bytes.fromhex(data))


@pytest.mark.parametrize("head", [b"\x10", b"\x00", b"\xd0\x00"])
def test_a_message_has_only_so_many_options(head: bytes) -> None:
    """Each takes its time, and they come as many to a datagram as it has bytes."""
    start = b"\x40\x02\x00\x00"
    assert len(read(start + MOST_OPTIONS * head).options) == MOST_OPTIONS
    with pytest.raises(NotCoap, match="more than 32 options"):
        read(start + (MOST_OPTIONS + 1) * head)


def test_options_that_stand_several_times_and_such_as_do_not() -> None:
    message = Message(Type.NON, Code.PUT, 1, b"t", ((11, b"a"), (11, b"b"), (27, b"\x06")), b"p")
    assert message.all(Option.URI_PATH) == (b"a", b"b")
    assert message.first(Option.BLOCK1) == b"\x06"
    assert message.first(Option.SIZE1) is None
    assert read(write(message)) == message


@pytest.mark.parametrize(("number", "value"), [(0, ""), (1, "01"), (255, "ff"), (256, "0100"), (2**32 - 1, "ffffffff")])
def test_numbers_take_as_few_bytes_as_they_need(number: int, value: str) -> None:
    assert of_uint(number) == bytes.fromhex(value)
    assert uint(bytes.fromhex(value)) == number


@pytest.mark.parametrize(
    ("code", "is_request"), [(0, False), (1, True), (4, True), (0x1F, True), (0x20, False), (0x45, False)]
)
def test_requests_are_told_by_their_class(code: int, is_request: bool) -> None:
    assert Message(Type.CON, code, 0).is_request == is_request
