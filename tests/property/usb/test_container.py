"""A bundle against any bytes: the index stays inside the file, or says what is wrong; and no change goes unnoticed."""

from __future__ import annotations

import contextlib
import hashlib

from hypothesis import given
from hypothesis import strategies as st

from ward_hub.usb.container import HEAD, HEADER, MAGIC, BundleError, Item, Kind, index, joined

PARTS = st.lists(st.tuples(st.sampled_from(Kind), st.binary(min_size=1, max_size=60)), min_size=1, max_size=8)


def items_in(data: bytes) -> list[Item]:
    return index(lambda offset, length: data[offset : offset + length], len(data))


@given(PARTS)
def test_round_trip(parts: list[tuple[Kind, bytes]]) -> None:
    data = joined(parts)
    found = [(one.kind, data[one.offset : one.offset + one.size]) for one in items_in(data)]
    assert found == sorted(parts, key=lambda part: part[0])


@given(PARTS, st.data())
def test_a_damaged_one_is_refused_or_its_items_show_it(parts: list[tuple[Kind, bytes]], data: st.DataObject) -> None:
    good = joined(parts)
    bad = bytearray(good)
    position = data.draw(st.integers(0, len(good) - 1))
    bad[position] ^= data.draw(st.integers(1, 255))
    try:
        items = items_in(bytes(bad))
    except BundleError:
        return
    sound = [hashlib.sha256(bad[one.offset : one.offset + one.size]).digest() == one.sha256 for one in items]
    kinds = sorted(kind for kind, _ in parts)
    assert not all(sound) or [one.kind for one in items] != kinds


@given(PARTS, st.integers(0, 400))
def test_a_cut_one_is_refused(parts: list[tuple[Kind, bytes]], cut: int) -> None:
    good = joined(parts)
    with contextlib.suppress(BundleError):
        items_in(good[: cut % len(good)])
        raise AssertionError("half a bundle was taken for a whole one")


@given(st.binary(max_size=300), st.integers(0, 9), st.booleans())
def test_any_bytes(tail: bytes, count: int, honest: bool) -> None:
    size = HEADER.size + len(tail)
    data = HEADER.pack(MAGIC, 1, count, size if honest else size + 1) + tail
    with contextlib.suppress(BundleError):
        at = HEADER.size
        for one in items_in(data):
            assert one.offset == at + HEAD.size
            at = one.offset + one.size
        assert at == len(data)
