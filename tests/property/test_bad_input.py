"""Bad bulletins of every sort: each refused with its reason in journal and receipt, and the next good one accepted."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cbor2
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.intakes import Desk, bulletin, desk, signed
from tests.journals import story
from tests.statements import NOW, SIGNER, STRANGER, signer

from ward_hub.intake import Place
from ward_hub.render import check_text
from ward_protocol import cbor
from ward_protocol.cose import TAG_SIGN
from ward_protocol.envelope import MAX_SIZE, Sealed, seal, sign
from ward_protocol.errors import StatementError
from ward_protocol.reasons import Reason
from ward_protocol.schema import to_map
from ward_protocol.statements import Event, StatementType, Text

FIELDS = len(to_map(bulletin()))


@dataclass(frozen=True)
class Bad:
    """Bytes that must be refused, and the reasons that may be given."""

    name: str
    data: bytes
    reasons: frozenset[Reason]


def by_the_author(payload: bytes) -> bytes:
    """An envelope whose signature is good, whatever it holds."""
    return seal(StatementType.BULLETIN, payload, [SIGNER])


def mapped(change: Callable[[dict[Any, Any]], object]) -> bytes:
    """A bulletin whose map was changed before its author signed it."""
    fields = to_map(bulletin())
    change(fields)
    return by_the_author(cbor.encode(fields))


def why(name: str, *reasons: Reason) -> Callable[[bytes], Bad]:
    return lambda data: Bad(name, data, frozenset(reasons))


GOOD = signed(bulletin())
ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=8) | st.binary(max_size=8),
    lambda each: st.lists(each, max_size=3),
    max_leaves=5,
)
FORM = (Reason.MALFORMED_COSE, Reason.MALFORMED_CBOR, Reason.NOT_DETERMINISTIC)
UNSHOWABLE = st.characters(codec="utf-8").filter(lambda one: bool(check_text(f"a{one}b")))

unknown_field = st.builds(
    lambda key, value: mapped(lambda fields: fields.__setitem__(key, value)), st.integers(15, 2**31), ANY
).map(why("unknown field", Reason.UNKNOWN_FIELD))
wrong_type = st.builds(
    lambda key, value: mapped(lambda fields: fields.__setitem__(key, value)), st.integers(1, 8), ANY.map(lambda v: [v])
).map(why("wrong type", Reason.MALFORMED_STATEMENT))
left_out = st.integers(1, 8).map(lambda key: mapped(lambda fields: fields.pop(key)))
missing = left_out.map(why("missing field", Reason.MALFORMED_STATEMENT))
truncated = st.integers(0, len(GOOD) - 1).map(lambda end: GOOD[:end]).map(why("truncated", *FORM))
trailing = st.binary(min_size=1, max_size=9).map(lambda more: GOOD + more).map(why("trailing", *FORM))
garbage = st.binary(max_size=200).map(lambda data: TAG_SIGN + data).map(why("garbage", *FORM))
wrong_key = st.integers(60, 250).map(lambda n: sign(bulletin(), [signer(n)])).map(why("wrong key", Reason.UNKNOWN_KEY))
forged = st.integers(0, 511).map(
    lambda bit: GOOD[:-64] + (int.from_bytes(GOOD[-64:], "big") ^ 1 << bit).to_bytes(64, "big")
)
altered = forged.map(why("altered signature", Reason.BAD_SIGNATURE))
expired = (
    st.integers(0, 10**6)
    .map(lambda ago: signed(bulletin(not_before=NOW - ago - 1, expires=NOW - ago)))
    .map(why("expired", Reason.EXPIRED))
)
upside_down = (
    st.integers(0, 1000)
    .map(lambda back: mapped(lambda fields: fields.__setitem__(5, fields[4] - back)))
    .map(why("expires before it begins", Reason.MALFORMED_STATEMENT))
)
unshowable = st.builds(
    lambda before, char: signed(bulletin(texts=(Text("vi", "Tin", before + char),))),
    st.sampled_from(["", "Người dân ", "chữ"]),
    UNSHOWABLE,
).map(why("characters that the font lacks", Reason.CHARACTER_NOT_IN_FONT))
oversized = (
    st.integers(1, 5 * MAX_SIZE)
    .map(lambda more: by_the_author(b"\0" * (MAX_SIZE + more)))
    .map(why("oversized", Reason.TOO_LARGE))
)
too_long = (
    st.integers(4001, 9000)
    .map(lambda size: mapped(lambda fields: fields.__setitem__(9, [{1: "vi", 2: "x", 3: "x" * size}])))
    .map(why("text too long", Reason.MALFORMED_STATEMENT))
)
deep = (
    st.integers(11, 3000)
    .map(lambda depth: by_the_author(b"\x81" * depth + b"\0"))
    .map(why("too deep", Reason.MALFORMED_CBOR))
)
indefinite = st.just(by_the_author(cbor2.dumps(to_map(bulletin()), indefinite_containers=True))).map(
    why("indefinite length", Reason.MALFORMED_CBOR)
)
BADS = st.one_of(
    *(unknown_field, wrong_type, missing, truncated, trailing, garbage, wrong_key, altered, expired, upside_down),
    *(unshowable, oversized, too_long, deep, indefinite),
)


@settings(max_examples=200)
@example(Bad("ten megabytes", b"\xd8\x62" + b"\x84" * 10_000_000, frozenset({Reason.TOO_LARGE})))
@example(Bad("a stranger's", sign(bulletin(), [STRANGER]), frozenset({Reason.UNKNOWN_KEY})))
@given(BADS)
def test_the_bad_is_refused_and_the_good_is_not_kept_out(bad: Bad) -> None:
    with tempfile.TemporaryDirectory() as folder, desk(Path(folder)) as at:
        asyncio.run(take(at, bad))


def name_of(data: bytes) -> bytes:
    """What a receipt calls it: the statement's id where a known key signed it, else the digest of the bytes."""
    try:
        sealed = Sealed.read(data)
        if sealed.verified_by({SIGNER.kid: SIGNER.public}):
            return sealed.digest
    except StatementError:
        pass
    return hashlib.sha256(data).digest()


async def take(at: Desk, bad: Bad) -> None:
    place = Place("feed", "ward", 1)
    assert await at.take(bad.data, place) is None, bad.name
    (receipt,), (line,) = at.receipts(), story(at.folder)
    assert receipt.event is Event.REFUSED
    assert receipt.reason is not None
    assert receipt.reason in bad.reasons, bad.name
    assert (line.event, line.statement, line.detail["reason"]) == ("refused", receipt.statement, receipt.reason.word)
    assert receipt.statement == name_of(bad.data)
    assert await at.take(signed(bulletin(sequence=2)), Place("feed", "ward", 2)) is not None
    assert at.receipts()[-1].event is Event.ACCEPTED
