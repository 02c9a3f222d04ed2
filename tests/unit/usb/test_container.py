"""The form of a bundle: what is written is found again, and every lie of a container is one clear error."""

from __future__ import annotations

import hashlib
import struct

import pytest

from ward_hub.usb.container import HEAD, HEADER, MOST, MOST_ITEMS, BundleError, Item, Kind, index, joined
from ward_protocol.envelope import MAX_SIZE
from ward_protocol.statements.bulletin import MAX_AUDIO

PARTS = [(Kind.STATEMENT, b"one"), (Kind.RECORDING, bytes(100)), (Kind.ROOT, b"r"), (Kind.STATEMENT, b"two")]
GOOD = joined(PARTS)


def found_in(data: bytes, size: int | None = None) -> list[Item]:
    return index(lambda offset, length: data[offset : offset + length], len(data) if size is None else size)


def trouble(data: bytes, size: int | None = None) -> str:
    with pytest.raises(BundleError) as error:
        found_in(data, size)
    return str(error.value)


def changed(offset: int, value: bytes) -> bytes:
    return GOOD[:offset] + value + GOOD[offset + len(value) :]


def test_the_bytes_as_the_documentation_has_them() -> None:
    """Written out by hand: docs/protocol.md is what others read."""
    sha256 = hashlib.sha256(b"one").digest()
    assert joined([(Kind.STATEMENT, b"one")]) == (
        b"WARDHUB\0" + b"\x00\x01" + b"\x00\x01" + b"\x00\x00\x00\x3b"
        + b"\x04" + b"\x00\x00\x00" + b"\x00\x00\x00\x03" + sha256 + b"one"
    )  # fmt: skip
    assert (HEADER.size, HEAD.size) == (16, 40)


def test_what_is_written_is_found_in_the_order_of_kinds() -> None:
    items = found_in(GOOD)
    assert [one.kind for one in items] == [Kind.ROOT, Kind.STATEMENT, Kind.STATEMENT, Kind.RECORDING]
    bodies = [GOOD[one.offset : one.offset + one.size] for one in items]
    assert bodies == [b"r", b"one", b"two", bytes(100)]
    assert all(hashlib.sha256(body).digest() == one.sha256 for one, body in zip(items, bodies, strict=True))


def test_no_item_is_read_to_find_it() -> None:
    read: list[tuple[int, int]] = []

    def reader(offset: int, length: int) -> bytes:
        read.append((offset, length))
        return GOOD[offset : offset + length]

    items = index(reader, len(GOOD))
    assert read == [(0, 16), *((one.offset - 40, 40) for one in items)]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it is no bundle"),
        (GOOD[:15], "it is no bundle"),
        (b"PK" + GOOD[2:], "it is no bundle"),
        (changed(8, b"\0\2"), "a bundle of version 2, this program reads 1"),
        (GOOD[:-1], "cut off or damaged"),
        (GOOD + b"\0", "cut off or damaged"),
        (changed(12, struct.pack(">I", len(GOOD) + 1)), "cut off or damaged"),
        (changed(10, b"\0\0"), "holds 0 items"),
        (changed(10, struct.pack(">H", MOST_ITEMS + 1)), f"holds {MOST_ITEMS + 1} items"),
        (changed(10, b"\0\3"), "140 bytes stand behind the last item"),
        (changed(10, b"\0\5"), "item 5 is cut off"),
        (changed(16, b"\0"), "item 1 is of a kind"),
        (changed(16, b"\6"), "item 1 is of a kind"),
        (changed(17, b"\1"), "item 1 is of a kind"),
        (changed(16, b"\5"), "item 2 is a statement behind a recording"),
        (changed(20, struct.pack(">I", 0)), "item 1: a root has 1 to"),
        (changed(20, struct.pack(">I", MAX_SIZE + 1)), "item 1: a root has 1 to"),
        (changed(20, struct.pack(">I", MAX_SIZE)), "item 1 says that it has 65536 bytes, and"),
        (changed(20, struct.pack(">I", 2)), "item 2 is of a kind"),
    ],
)
def test_each_lie_is_told(data: bytes, words: str) -> None:
    assert words in trouble(data)


def test_a_file_that_is_too_large_is_not_even_opened() -> None:
    assert f"a bundle at most {MOST}" in trouble(GOOD, MOST + 1)


def test_a_size_that_the_file_has_lost_meanwhile() -> None:
    assert "is cut off" in trouble(GOOD[:100], len(GOOD))


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([], "0 items"),
        ([(Kind.STATEMENT, b"")], "a statement has 1 to 65536 bytes, not 0"),
        ([(Kind.BEAT, bytes(MAX_SIZE + 1))], "a beat has 1 to"),
        ([(Kind.RECORDING, bytes(MAX_AUDIO + 1))], "a recording has 1 to"),
        ([(Kind.RECORDING, bytes(MAX_AUDIO))] * 8, "8 items of"),
        ([(Kind.STATEMENT, b"x")] * (MOST_ITEMS + 1), f"{MOST_ITEMS + 1} items"),
    ],
)
def test_what_no_bundle_can_hold(parts: list[tuple[Kind, bytes]], words: str) -> None:
    with pytest.raises(BundleError, match=words):
        joined(parts)
