"""Tables of first bytes read the deterministic encoding of what their codec is for, and no other bytes at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cache
from itertools import product
from typing import Any

import cbor2
import pytest

from ward_protocol import cbor, heads
from ward_protocol.errors import EnvelopeError, MisuseError, StatementError
from ward_protocol.schema import Codec, blob, flag, key, many, one_of, struct, table, text, uint


class Grade(IntEnum):
    """Of one byte and of two."""

    LOW = 1
    HIGH = 200


class Word(StrEnum):
    """Of one length and of another, one the beginning of the other."""

    A = "a"
    AB = "ab"


@dataclass(frozen=True, slots=True)
class Pair:
    """A field that must be there, one that may, and a rule between them."""

    one: int = key(1, uint(9))
    two: int = key(2, uint(300), default=7)

    def __post_init__(self) -> None:
        if self.one == self.two:
            raise ValueError("both the same")


CODECS: dict[str, Codec] = {
    "integers": uint(),
    "integers within limits": uint(300, 5),
    "texts": text(3),
    "texts of two characters": text(2, 2),
    "texts that may be empty": text(1, 0),
    "byte strings": blob(2, 0),
    "byte strings of one length": blob(1),
    "booleans": flag(),
    "a set of integers": one_of(Grade),
    "a set of texts": one_of(Word),
    "lists": many(uint(), 2),
    "lists that are not empty": many(flag(), 1, 1),
    "tables": table(uint(), flag(), 2),
    "structs": struct(Pair),
    "a codec of its own, of bytes": Codec(bytes, lambda item: {b"a": b"a"}[item] if type(item) is bytes else int("no")),
    "a codec of its own, of texts": Codec(str, lambda item: str(int(item)) if type(item) is str else int("no")),
}


NOTHING = object()


@cache
def decoded(data: bytes) -> Any:  # noqa: ANN401 - of many codecs the same bytes are tried
    """What a general decoder and the comparison with the encoding of what it found give, or NOTHING."""
    try:
        return cbor.decode(data, "it")
    except EnvelopeError:
        return NOTHING


def judged(codec: Codec, data: bytes) -> tuple[str, Any]:
    """What general decoding and `value` say."""
    plain = decoded(data)
    if plain is NOTHING:
        return "is not", None
    try:
        return "is", codec.value(plain)
    except (StatementError, ValueError, KeyError):
        return "is not", None


def read(codec: Codec, data: bytes) -> tuple[str, Any]:
    try:
        return "is", heads.read_whole(codec.heads, data)
    except (KeyError, ValueError):
        return "is not", None


@pytest.mark.parametrize("name", CODECS)
def test_of_all_that_is_up_to_two_bytes_long_the_same_is_read_as_by_decoding_and_encoding_again(name: str) -> None:
    codec = CODECS[name]
    good = 0
    for size in range(3):
        for content in product(range(256), repeat=size):
            data = bytes(content)
            found = read(codec, data)
            assert found == judged(codec, data), data.hex()
            good += found[0] == "is"
    assert good or name in {"structs", "texts of two characters"}  # which have three bytes at least


# The shortest of these have three bytes.
@pytest.mark.parametrize(
    ("name", "begin"),
    [
        ("lists", b"\x82"),
        ("tables", b"\xa1"),
        ("structs", b"\xa1"),
        ("structs", b"\xa1\x01"),
        ("texts of two characters", b"\x62"),
    ],
)
def test_of_all_that_begins_so_and_is_up_to_two_bytes_longer_the_same_is_read(name: str, begin: bytes) -> None:
    codec = CODECS[name]
    good = 0
    for size in range(3):
        for content in product(range(256), repeat=size):
            data = begin + bytes(content)
            found = read(codec, data)
            assert found == judged(codec, data), data.hex()
            good += found[0] == "is"
    assert good


EDGES = [0, 1, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**53, 2**53 + 1, 2**64 - 1]


@pytest.mark.parametrize("number", EDGES)
def test_an_integer_has_its_shortest_form(number: int) -> None:
    codec = uint()
    for width, code in ((0, None), (1, 0x18), (2, 0x19), (4, 0x1A), (8, 0x1B)):
        if number >= 1 << 8 * width and (width or number > 23):
            continue
        data = bytes((number,)) if code is None else bytes((code,)) + number.to_bytes(width, "big")
        shortest = data == cbor2.dumps(number)
        assert read(codec, data) == (("is", number) if shortest and number <= 2**53 else ("is not", None))


@pytest.mark.parametrize("size", [0, 1, 22, 23, 24, 25, 255, 256, 300])
def test_a_string_has_its_shortest_head(size: int) -> None:
    for codec, first, content in ((blob(299, 0), 0x40, b"x" * size), (text(299, 0), 0x60, "x" * size)):
        raw = b"x" * size
        right = cbor2.dumps(content)
        assert read(codec, right) == (("is", content) if size < 300 else ("is not", None))
        for width, code in ((1, 24), (2, 25), (4, 26), (8, 27)):
            if size < 1 << 8 * width:
                wrong = bytes((first | code,)) + size.to_bytes(width, "big") + raw
                assert wrong == right or read(codec, wrong) == ("is not", None)
        assert read(codec, bytes((first | 31,)) + raw + b"\xff") == ("is not", None)


@pytest.mark.parametrize(
    ("codec", "of"),
    [
        (uint(299, 30), int),
        (blob(299, 30), bytes),
        (text(299, 30), lambda size: "x" * size),
        (many(uint(), 299, 30), lambda count: [0] * count),
    ],
)
def test_limits_beyond_what_a_first_byte_says_hold(codec: Codec, of: Callable[[int], Any]) -> None:
    assert [read(codec, cbor2.dumps(of(number)))[0] for number in (30, 255, 256, 299)] == ["is"] * 4
    assert [read(codec, cbor2.dumps(of(number)))[0] for number in (0, 23, 24, 29, 300, 70_000)] == ["is not"] * 6


def test_a_table_has_no_more_entries_than_it_may() -> None:
    for most in (2, 30, 299):
        codec = table(uint(), uint(), most)
        found = [read(codec, cbor2.dumps(dict.fromkeys(range(count), 0)))[0] for count in (0, most, most + 1)]
        assert found == ["is", "is", "is not"]


@pytest.mark.parametrize("codec", [blob(24), blob(32), blob(255)])
def test_a_digest_has_its_length_and_no_other(codec: Codec) -> None:
    (size,) = (size for size in (24, 32, 255) if read(codec, cbor2.dumps(bytes(size)))[0] == "is")
    assert read(codec, cbor2.dumps(bytes(range(size)))) == ("is", bytes(range(size)))
    for other in (size - 1, size + 1, 0, 300):
        assert read(codec, cbor2.dumps(bytes(other))) == ("is not", None)
        assert read(codec, cbor2.dumps(bytes(other))[:-other] + bytes(size)) == ("is not", None)
    assert read(codec, b"\x59\x00" + bytes((size,)) + bytes(size)) == ("is not", None)


@pytest.mark.parametrize("count", [23, 24, 255, 256])
def test_a_list_and_a_table_have_their_shortest_heads(count: int) -> None:
    for codec, first, value in (
        (many(uint(), 299), 0x80, list(range(count))),
        (table(uint(), uint(), 299), 0xA0, dict(zip(range(count), range(count), strict=True))),
    ):
        right = cbor2.dumps(value)
        expected = tuple(value) if isinstance(value, list) else value
        assert read(codec, right) == ("is", expected)
        items = right[{23: 1, 24: 2, 255: 2, 256: 3}[count] :]
        for width, code in ((1, 24), (2, 25), (4, 26), (8, 27)):
            if count < 1 << 8 * width:
                wrong = bytes((first | code,)) + count.to_bytes(width, "big") + items
                assert wrong == right or read(codec, wrong) == ("is not", None)
        assert read(codec, bytes((first | 31,)) + items + b"\xff") == ("is not", None)


@pytest.mark.parametrize(
    ("codec", "good", "bad"),
    [
        (text(16, 2), ["vi", "ê1", "x" * 16, "ệ" * 16, "😀" * 16], ["v", "ệ", "😀", "x" * 17, "ệ" * 17, "😀" * 17]),
        (text(30), ["x", "x" * 23, "x" * 24, "x" * 30, "😀" * 30], ["", "x" * 31, "ê" * 31]),
        (text(5, 3), ["abc", "ệệệ", "😀😀😀", "ệệệệệ"], ["ab", "ệệ", "😀😀", "abcdef", "ệệệệệệ"]),
    ],
)
def test_a_text_is_measured_in_characters(codec: Codec, good: list[str], bad: list[str]) -> None:
    assert [read(codec, cbor2.dumps(one)) for one in good] == [("is", one) for one in good]
    assert [read(codec, cbor2.dumps(one))[0] for one in bad] == ["is not"] * len(bad)


@pytest.mark.parametrize("raw", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xe1\xbb"])
def test_a_text_is_utf_8_in_its_one_form(raw: bytes) -> None:
    assert read(text(9), bytes((0x60 | len(raw),)) + raw) == ("is not", None)


def test_names_of_a_table_stand_in_the_order_of_their_encodings() -> None:
    codec = table(text(99), uint(), 9)
    names = ["b", "aa", "ab", "ê", "x" * 23, "x" * 24, "a" * 25]
    in_order = sorted(names, key=cbor2.dumps)
    whole = b"\xa7" + b"".join(cbor2.dumps(name) + b"\x01" for name in in_order)
    assert read(codec, whole) == ("is", dict.fromkeys(in_order, 1))
    for at in range(6):
        swapped = [*in_order[:at], in_order[at + 1], in_order[at], *in_order[at + 2 :]]
        assert read(codec, b"\xa7" + b"".join(cbor2.dumps(name) + b"\x01" for name in swapped)) == ("is not", None)
        twice = [*in_order[: at + 1], in_order[at], *in_order[at + 2 :]]
        assert read(codec, b"\xa7" + b"".join(cbor2.dumps(name) + b"\x01" for name in twice)) == ("is not", None)


@pytest.mark.parametrize("name", CODECS)
def test_what_is_cut_off_or_goes_on_is_refused(name: str) -> None:
    samples = {
        "integers": 70_000, "integers within limits": 300, "texts": "abc", "texts of two characters": "ab",
        "texts that may be empty": "", "byte strings": b"ab", "byte strings of one length": b"a", "booleans": True,
        "a set of integers": 200, "a set of texts": "ab", "lists": [1, 2], "lists that are not empty": [True],
        "tables": {1: True, 2: False}, "structs": {1: 1, 2: 2}, "a codec of its own, of bytes": b"a",
        "a codec of its own, of texts": "12",
    }  # fmt: skip
    data = cbor2.dumps(samples[name])
    assert read(CODECS[name], data)[0] == "is"
    for end in range(len(data)):
        assert read(CODECS[name], data[:end]) == ("is not", None)
    for more in (b"\0", b"\1", b"\0\0", data):
        assert read(CODECS[name], data + more) == ("is not", None)


def test_a_string_that_says_it_is_huge_takes_no_memory() -> None:
    for data in (b"\x5a\xff\xff\xff\xff", b"\x5b" + b"\xff" * 8, b"\x7b\x7f" + b"\xff" * 7, b"\x9b" + b"\xff" * 8):
        for codec in (blob(2**20, 0), text(2**20), many(uint(), 2**20)):
            assert read(codec, data) == ("is not", None)


def test_a_set_of_long_texts_is_misuse() -> None:
    class Long(StrEnum):
        FITS = "x" * 23
        DOES_NOT = "y" * 24

    with pytest.raises(MisuseError, match="at most 23 bytes"):
        one_of(Long)


def test_a_codec_of_its_own_is_a_string() -> None:
    with pytest.raises(MisuseError, match="`bytes` or `str`"):
        Codec(int, int)
