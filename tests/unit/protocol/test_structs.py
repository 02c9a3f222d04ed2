"""Dataclasses as maps: what is read is one of its kind, and classes that could not be read in one order are refused."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, replace

import cbor2
import pytest

from ward_protocol import heads
from ward_protocol.errors import EnvelopeError, MisuseError, StatementError
from ward_protocol.reasons import Reason
from ward_protocol.schema import decode, from_map, key, many, struct, text, to_map, uint


@dataclass(frozen=True, slots=True)
class Leaf:
    """One field, that may be absent."""

    number: int = key(3, uint(), default=5)


@dataclass(frozen=True, slots=True)
class Tree:
    """Required fields, then optional ones, keys with gaps, declared in another order than that of their keys."""

    name: str = key(4, text(9))
    first: int = key(0, uint())
    leaf: Leaf | None = key(7, struct(Leaf), default=None)
    leaves: tuple[Leaf, ...] = key(8, many(struct(Leaf), 3), default=())
    last: int = key(23, uint(), default=0)

    def __post_init__(self) -> None:
        if self.first > 1000:
            raise ValueError("the first is too large")


FULL = Tree("x", 1, Leaf(6), (Leaf(), Leaf(7)), 9)


@pytest.mark.parametrize(
    "tree", [FULL, Tree("x", 1), Tree("x", 1, last=3), Tree("x", 1, Leaf()), replace(FULL, leaf=None)]
)
def test_what_is_written_is_read_as_one_of_its_kind(tree: Tree) -> None:
    found = decode(Tree, cbor2.dumps(to_map(tree)))
    assert found == tree
    assert type(found) is Tree
    assert repr(found) == repr(tree)
    assert hash(found) == hash(tree)
    assert replace(found, name="y") == replace(tree, name="y")
    with pytest.raises(FrozenInstanceError):
        found.name = "y"  # type: ignore[misc]  # that is what is tried


def of(*entries: object) -> bytes:
    """A map of these keys and values in that order, whatever they are."""
    return bytes((0xA0 | len(entries) // 2,)) + b"".join(map(cbor2.dumps, entries))


@pytest.mark.parametrize(
    ("data", "reason", "detail"),
    [
        (of(0, 1), Reason.MALFORMED_STATEMENT, "Tree without name"),
        (of(4, "x"), Reason.MALFORMED_STATEMENT, "Tree without first"),
        (of(), Reason.MALFORMED_STATEMENT, "Tree without first, name"),
        (of(4, "x", 0, 1), Reason.NOT_DETERMINISTIC, "Tree: field 0 after 4"),
        (of(0, 1, 4, "x", 23, 1, 7, {}), Reason.NOT_DETERMINISTIC, "Tree: field 7 after 23"),
        (of(0, 1, 4, "x", 7, {}, 4, "x"), Reason.MALFORMED_CBOR, "uplicate"),
        (of(0, 1, 4, "x", 7, {}, 7, {}), Reason.MALFORMED_CBOR, "uplicate"),
        (of(0, 1, 0, 1, 4, "x"), Reason.MALFORMED_CBOR, "uplicate"),
        (of(0, 1, 4, "x", 9, 1), Reason.UNKNOWN_FIELD, "Tree: field 9 is not known"),
        (of(0, 1, 4, "x", "n", 1), Reason.UNKNOWN_FIELD, "Tree: field 'n' is not known"),
        (of(False, 1, 4, "x"), Reason.UNKNOWN_FIELD, "Tree: field False is not known"),
        (of(0.0, 1, 4, "x"), Reason.UNKNOWN_FIELD, "Tree: field 0.0 is not known"),
        (b"\xa2\x18\x00\x01\x04\x61x", Reason.NOT_DETERMINISTIC, "not the deterministic encoding"),
        (b"\xb8\x02\x00\x01\x04\x61x", Reason.NOT_DETERMINISTIC, "not the deterministic encoding"),
        (of(0, 1, 4, "x", 23, 0), Reason.NOT_DETERMINISTIC, "Tree.last: its default is never sent"),
        (of(0, 1, 4, "x", 7, {3: 5}), Reason.NOT_DETERMINISTIC, "Leaf.number: its default is never sent"),
        (of(0, 1, 4, "x", 8, []), Reason.NOT_DETERMINISTIC, "Tree.leaves: its default is never sent"),
        (of(0, 1, 4, "x", 7, None), Reason.MALFORMED_STATEMENT, "Leaf: a map is needed"),
        (of(0, 1, 4, 5), Reason.MALFORMED_STATEMENT, "Tree.name: a text of 1 to 9 characters is needed"),
        (of(0, 1001, 4, "x"), Reason.MALFORMED_STATEMENT, "Tree: the first is too large"),
        (of(0, 1, 4, "x") + b"\0", Reason.NOT_DETERMINISTIC, "not the deterministic encoding"),
        (of(0, 1, 4, "x")[:-1], Reason.MALFORMED_CBOR, ""),
        (b"", Reason.MALFORMED_CBOR, ""),
        (b"\x01", Reason.MALFORMED_STATEMENT, "Tree: a map is needed"),
    ],
)
def test_what_is_refused_names_the_rule(data: bytes, reason: Reason, detail: str) -> None:
    with pytest.raises(StatementError) as caught:
        decode(Tree, data)
    assert caught.value.reason is reason
    assert detail in caught.value.detail
    assert isinstance(caught.value, EnvelopeError) == (reason is Reason.MALFORMED_CBOR or "encoding" in detail)


def test_a_default_of_more_than_one_byte_is_never_sent_either() -> None:
    @dataclass(frozen=True, slots=True)
    class Spoken:
        language: str = key(1, text(9), default="vi")
        leaf: Leaf = key(2, struct(Leaf), default=Leaf(6))

    for good in (Spoken(), Spoken("en"), Spoken("vi-VN", Leaf(7)), Spoken(leaf=Leaf())):
        assert decode(Spoken, cbor2.dumps(to_map(good))) == good
    for bad in (of(1, "vi"), of(2, {3: 6}), of(1, "en", 2, {3: 6})):
        with pytest.raises(StatementError, match="its default is never sent"):
            decode(Spoken, bad)


def test_a_nested_map_ends_where_its_count_says() -> None:
    # After the leaf without fields comes the key 8: of the tree, though a leaf with a key 8 could not be told from it.
    assert decode(Tree, of(0, 1, 4, "x", 7, {}, 8, [{}])) == Tree("x", 1, Leaf(), (Leaf(),))


def test_two_readers_that_disagree_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(heads, "read_whole", refuse)
    with pytest.raises(StatementError, match="not in the one form"):
        decode(Tree, cbor2.dumps(to_map(FULL)))


def test_keys_that_could_not_be_read_in_order_are_misuse() -> None:
    @dataclass(frozen=True, slots=True)
    class Late:
        must: int = key(2, uint())
        may: int = key(1, uint(), default=0)

    @dataclass(frozen=True, slots=True)
    class Twice:
        one: int = key(1, uint())
        two: int = key(1, uint())

    @dataclass(frozen=True, slots=True)
    class Long:
        one: int = key(24, uint())

    for kind in (Late, Twice, Long):
        with pytest.raises(MisuseError, match=f"{kind.__name__}: keys are distinct"):
            struct(kind)


def test_from_map_takes_what_decode_takes() -> None:
    assert from_map(Tree, to_map(FULL)) == FULL
