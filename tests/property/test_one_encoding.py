"""One encoding of each statement: whatever else its bytes say, in whatever form, two readers judge alike.

The one is what a hub uses, by tables of first bytes. The other, which names faults, is a general decoder, the encoding
of what it found compared with the bytes, and a walk over every field.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import cbor2
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.statements import SAMPLES

from ward_protocol import cbor
from ward_protocol.errors import StatementError
from ward_protocol.schema import decode, from_map, to_map
from ward_protocol.statements import Statement

EDGES = [-1, 0, 1, 2, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**53, 2**53 + 1, 2**64 - 1]
SIZES = [0, 1, 2, 3, 8, 16, 22, 23, 24, 25, 32, 33, 64, 65, 96, 200, 255, 256, 300]
LEAVES = st.one_of(
    st.none() | st.booleans() | st.floats(),
    st.sampled_from(EDGES) | st.integers(0, 2**64 - 1),
    st.builds(lambda size, one: one * size, st.sampled_from(SIZES), st.sampled_from(["x", "ệ", "😀"])),
    st.builds(bytes, st.sampled_from(SIZES)),
    st.text(max_size=4),
)
ANY_KEY = st.sampled_from(EDGES) | st.text(max_size=3) | st.booleans() | st.sampled_from([1.0, 2.0])
ANY = st.recursive(
    LEAVES, lambda each: st.lists(each, max_size=3) | st.dictionaries(st.integers(0, 30), each, max_size=3)
)


def tried(kind: type[Statement], data: bytes) -> Statement | StatementError:
    try:
        return decode(kind, data)
    except StatementError as error:
        return error


def same_by_both(kind: type[Statement], data: bytes) -> bool:
    """Assert that both readers say the same, and say whether it is a statement."""
    found = tried(kind, data)
    if isinstance(found, StatementError):
        # `decode` has asked the other reader why. Had that found nothing, it would say this:
        assert "not in the one form" not in found.detail, data.hex()
        return False
    assert found == from_map(kind, cbor.decode_in_any_order(data, "it")), data.hex()
    assert type(found) is kind
    assert cbor.encode(to_map(found)) == data
    return True


class Publisher:
    """Encodes as somebody might who knows nothing of determinism: one thing, or two, in another form."""

    def __init__(self, data: st.DataObject, odd: Collection[int]) -> None:
        """Do the things of the numbers `odd` in another form than the deterministic one."""
        self._data, self._odd, self._done = data, odd, 0

    def encode(self, value: object) -> bytes:
        """Return an encoding of `value`."""
        if isinstance(value, dict):
            entries = [self.encode(one) + self.encode(other) for one, other in value.items()]
            if self._is_odd():
                entries = self._data.draw(st.permutations(entries))
            if self._is_odd() and entries:
                at = self._data.draw(st.integers(0, len(entries)))
                entries.insert(at, self._data.draw(st.sampled_from(entries)))
            return self._headed(0xA0, len(entries), b"".join(entries))
        if isinstance(value, list):
            return self._headed(0x80, len(value), b"".join(map(self.encode, value)))
        if isinstance(value, bytes):
            return self._headed(0x40, len(value), value)
        if isinstance(value, str):
            return self._headed(0x60, len(value.encode()), value.encode())
        if type(value) is int and 0 <= value < 2**64:
            return self._headed(0x00, value, b"")
        return cbor2.dumps(value)

    def _is_odd(self) -> bool:
        self._done += 1
        return self._done in self._odd

    def _headed(self, major: int, argument: int, content: bytes) -> bytes:
        """Put a head before `content`: the shortest, or one that is longer or wrong, or that of indefinite length."""
        if not self._is_odd():
            return head(major, argument) + content
        if major and self._data.draw(st.booleans()):
            return bytes((major | 31,)) + content + b"\xff"
        if self._data.draw(st.booleans()):
            return head(major, argument + self._data.draw(st.sampled_from([-1, 1])) if argument else 1) + content
        power = self._data.draw(st.sampled_from([power for power in range(4) if argument < 1 << (8 << power)]))
        return bytes((major | 24 + power,)) + argument.to_bytes(1 << power) + content


def head(major: int, argument: int) -> bytes:
    """Return the head of that argument in its shortest form."""
    first, *rest = cbor2.dumps(argument)
    return bytes((major | first, *rest))


def places(value: dict[Any, Any] | list[Any]) -> list[Any]:
    return list(value) if isinstance(value, dict) else list(range(len(value)))


def changed(value: object, data: st.DataObject) -> object:
    """Return `value` with one thing in it, somewhere, changed, added or left out."""
    if not isinstance(value, dict | list) or not value or data.draw(st.integers(0, 5)) == 0:
        return data.draw(ANY)
    copy: Any = value.copy()
    what = data.draw(st.sampled_from(["deeper", "deeper", "deeper", "without", "with"]))
    place = data.draw(st.sampled_from(places(value)))
    if what == "deeper":
        copy[place] = changed(copy[place], data)
    elif what == "without":
        del copy[place]
    elif isinstance(copy, dict):
        copy[data.draw(st.integers(0, 24) | ANY_KEY)] = data.draw(ANY)
        copy = cbor.sorted_map(copy) if data.draw(st.booleans()) else copy
    else:
        copy.insert(place, data.draw(st.just(copy[place]) | ANY))
    return copy


SAMPLE = st.sampled_from(SAMPLES)
ODD = st.sets(st.integers(1, 80), max_size=2)


@given(SAMPLE, st.data())
def test_in_another_form_it_is_refused(statement: Statement, data: st.DataObject) -> None:
    kind, plain = type(statement), to_map(statement)
    encoded = Publisher(data, data.draw(ODD)).encode(plain)
    if same_by_both(kind, encoded):
        # A wrong head may have made another statement of it, which has its own encoding.
        assert (decode(kind, encoded) == statement) == (encoded == cbor.encode(plain))
    else:
        assert encoded != cbor.encode(plain)


@given(SAMPLE, st.data())
def test_with_other_values(statement: Statement, data: st.DataObject) -> None:
    plain: object = to_map(statement)
    for _ in range(data.draw(st.integers(1, 2))):
        plain = changed(plain, data)
    same_by_both(type(statement), Publisher(data, data.draw(st.just(set[int]()) | ODD)).encode(plain))


@given(SAMPLE, SAMPLE, st.data())
def test_with_other_bytes(statement: Statement, other: Statement, data: st.DataObject) -> None:
    good = bytearray(cbor.encode(to_map(statement)))
    for _ in range(data.draw(st.integers(0, 3))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.just(len(good)) | st.integers(0, len(good)))
    more = data.draw(st.just(b"") | st.binary(max_size=9) | st.just(cbor.encode(to_map(other))))
    same_by_both(type(statement), bytes(good[:end]) + more)


@given(SAMPLE, st.binary(max_size=200))
def test_garbage(statement: Statement, garbage: bytes) -> None:
    same_by_both(type(statement), garbage)


# One number, word or byte in each place where there is one: values of every field on both sides of its limits.
@settings(max_examples=30)
@given(SAMPLE, LEAVES)
def test_each_value_replaced_in_turn(statement: Statement, leaf: object) -> None:
    plain = to_map(statement)
    for variant in replaced(plain, leaf):
        same_by_both(type(statement), cbor2.dumps(variant))


def replaced(value: object, leaf: object) -> Iterator[object]:
    """Yield `value` with each of its leaves and containers replaced by `leaf`, one at a time."""
    yield leaf
    if isinstance(value, dict | list):
        for place in places(value):
            for other in replaced(value[place], leaf):
                copy: Any = value.copy()
                copy[place] = other
                yield copy
