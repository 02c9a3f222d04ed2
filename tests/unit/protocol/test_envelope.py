"""Signed envelopes: what is written is read, and everything that differs by a byte or a header is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cbor2
import pytest
from tests.statements import BEAT, BULLETIN, SAMPLES, SIGNER, STRANGER

from ward_protocol import cbor
from ward_protocol.envelope import MAX_SIZE, Envelope, add_signature, sign
from ward_protocol.errors import EnvelopeError, MisuseError, StatementError
from ward_protocol.keys import Signer
from ward_protocol.reasons import Reason
from ward_protocol.schema import to_map
from ward_protocol.statements import Bulletin, Statement, StatementType, Text

KEYS = {SIGNER.kid: SIGNER.public}
HEADERS1 = {1: -8, 4: SIGNER.kid, 16: int(StatementType.BEAT)}


@pytest.mark.parametrize("statement", SAMPLES, ids=lambda one: type(one).__name__)
def test_what_is_signed_is_read_again(statement: Statement) -> None:
    envelope = Envelope.open(sign(statement, [SIGNER]))
    assert envelope.statement == statement
    assert envelope.verified_by(KEYS) == {SIGNER.kid}


def test_a_stranger_s_signature_counts_for_nothing() -> None:
    assert Envelope.open(sign(BULLETIN, [STRANGER])).verified_by(KEYS) == frozenset()


def test_signatures_are_added_one_by_one() -> None:
    data = add_signature(sign(BULLETIN, [SIGNER]), STRANGER)
    both = {**KEYS, STRANGER.kid: STRANGER.public}
    assert Envelope.open(data).verified_by(both) == set(both)
    with pytest.raises(MisuseError, match="signed already"):
        add_signature(data, STRANGER)


def test_a_beat_takes_no_second_signature() -> None:
    with pytest.raises(MisuseError):
        sign(BEAT, [SIGNER, STRANGER])
    with pytest.raises(MisuseError):
        add_signature(sign(BEAT, [SIGNER]), STRANGER)


def test_one_bad_signature_of_a_known_key_refuses_the_whole() -> None:
    parts = cbor2.loads(sign(BULLETIN, [SIGNER])[2:])
    parts[3][0][2] = bytes(64)
    with pytest.raises(EnvelopeError) as caught:
        Envelope.open(b"\xd8\x62" + cbor.encode(parts)).verified_by(KEYS)
    assert caught.value.reason is Reason.BAD_SIGNATURE


def test_an_alert_with_author_and_quorum_fits_one_datagram() -> None:
    body = Text("vi", "Lũ quét", "x" * 290)
    alert = replace(BULLETIN, texts=(body,), audio=(), cap=None, supersedes=(), approver="")
    data = sign(alert, [SIGNER, *(Signer.generate() for _ in range(3))])
    assert len(data) <= 800


def sign1(
    headers: dict[int, Any] | None = None,
    unprotected: dict[int, Any] | None = None,
    payload: bytes | None = None,
    tail: bytes = b"",
) -> bytes:
    """Return a beat's COSE_Sign1, rightly signed over what it shows, in the shape that is asked for."""
    protected = cbor2.dumps(HEADERS1 if headers is None else headers)
    body = cbor.encode(to_map(BEAT)) if payload is None else payload
    signed = SIGNER.sign(cbor.encode(["Signature1", protected, b"", body]))
    return b"\xd2" + cbor2.dumps([protected, unprotected or {}, body, signed]) + tail


def double_alg() -> bytes:
    protected = b"\xa4\x01\x26\x01\x27\x04\x48" + SIGNER.kid + b"\x10\x19\xfe\x4f"
    body = cbor.encode(to_map(BEAT))
    signed = SIGNER.sign(cbor.encode(["Signature1", protected, b"", body]))
    return b"\xd2" + cbor2.dumps([protected, {}, body, signed])


REFUSED: dict[str, tuple[Callable[[], bytes], Reason]] = {
    "trailing bytes": (lambda: sign1(tail=b"\0"), Reason.NOT_DETERMINISTIC),
    "untagged": (lambda: sign1()[1:], Reason.MALFORMED_COSE),
    "tag in two bytes": (lambda: b"\xd8\x12" + sign1()[1:], Reason.MALFORMED_COSE),
    "self-described": (lambda: b"\xd9\xd9\xf7" + sign1(), Reason.MALFORMED_COSE),
    "unsorted headers": (lambda: sign1({4: SIGNER.kid, 1: -8, 16: 65103}), Reason.NOT_DETERMINISTIC),
    "duplicate alg": (double_alg, Reason.MALFORMED_CBOR),
    "unknown crit": (lambda: sign1({1: -8, 2: [99], 4: SIGNER.kid, 16: 65103, 99: 1}), Reason.HEADER_NOT_ALLOWED),
    "unknown label": (lambda: sign1({1: -8, 4: SIGNER.kid, 16: 65103, 4242: 1}), Reason.HEADER_NOT_ALLOWED),
    "no kid": (lambda: sign1({1: -8, 16: 65103}), Reason.HEADER_NOT_ALLOWED),
    "unprotected alg": (lambda: sign1(unprotected={1: -7}), Reason.HEADER_NOT_ALLOWED),
    "ES256 with an Ed25519 key": (lambda: sign1({1: -7, 4: SIGNER.kid, 16: 65103}), Reason.HEADER_NOT_ALLOWED),
    "alg as true": (lambda: sign1({1: True, 4: SIGNER.kid, 16: 65103}), Reason.HEADER_NOT_ALLOWED),
    "unknown type": (lambda: sign1({1: -8, 4: SIGNER.kid, 16: 65199}), Reason.UNKNOWN_TYPE),
    "a bulletin in a Sign1": (lambda: sign1({1: -8, 4: SIGNER.kid, 16: 65104}), Reason.MALFORMED_COSE),
    "statement not deterministic": (lambda: sign1(payload=b"\xb8\x00"), Reason.NOT_DETERMINISTIC),
    "statement with an unknown field": (
        lambda: sign1(payload=cbor.encode(to_map(BEAT) | {9: 1})),
        Reason.UNKNOWN_FIELD,
    ),
    "statement without a field": (lambda: sign1(payload=b"\xa0"), Reason.MALFORMED_STATEMENT),
    "detached": (lambda: b"\xd2" + cbor.encode([cbor.encode(HEADERS1), {}, None, bytes(64)]), Reason.MALFORMED_COSE),
    "five parts": (lambda: b"\xd2" + cbor.encode([b"", {}, b"", b"", 0]), Reason.MALFORMED_COSE),
    "indefinite": (lambda: b"\xd2\x9f\xff", Reason.MALFORMED_CBOR),
    "deep": (lambda: b"\xd2" + b"\x81" * 5000 + b"\0", Reason.MALFORMED_CBOR),
    "huge array": (lambda: b"\xd2\x9b\0\0\0\x01\0\0\0\0\0", Reason.MALFORMED_CBOR),
    "huge string": (lambda: b"\xd2\x84\x5b\0\0\x01\0\0\0\0\0abc", Reason.MALFORMED_CBOR),
    "empty": (lambda: b"", Reason.MALFORMED_COSE),
    "10 MB": (lambda: b"\xd2" + bytes(10_000_000), Reason.TOO_LARGE),
}


def test_the_shape_that_the_refused_ones_vary_is_good() -> None:
    assert Envelope.open(sign1()).verified_by(KEYS) == {SIGNER.kid}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    make, reason = REFUSED[name]
    with pytest.raises(StatementError) as caught:
        Envelope.open(make())
    assert caught.value.reason is reason


def test_a_signer_twice_is_refused() -> None:
    parts = cbor2.loads(sign(BULLETIN, [SIGNER])[2:])
    parts[3] *= 2
    with pytest.raises(EnvelopeError) as caught:
        Envelope.open(b"\xd8\x62" + cbor.encode(parts))
    assert caught.value.reason is Reason.DUPLICATE_SIGNER


def test_the_size_limit_is_a_limit_of_bytes() -> None:
    data = sign(BULLETIN, [SIGNER])
    assert Envelope.open(data, len(data)).digest == Envelope.open(data, MAX_SIZE).digest
    with pytest.raises(EnvelopeError):
        Envelope.open(data, len(data) - 1)


def test_a_default_is_never_on_the_wire() -> None:
    plain = to_map(replace(BULLETIN, repeats=1))
    assert 12 not in plain
    with pytest.raises(StatementError) as caught:
        Envelope.open(resigned(plain | {12: 1}))
    assert caught.value.reason in {Reason.NOT_DETERMINISTIC, Reason.MALFORMED_STATEMENT}


def resigned(plain: dict[int, Any]) -> bytes:
    body, payload = cbor.encode({16: int(StatementType.BULLETIN)}), cbor.encode(plain)
    own = cbor.encode({1: -8, 4: SIGNER.kid})
    signature = SIGNER.sign(cbor.encode(["Signature", body, own, b"", payload]))
    return b"\xd8\x62" + cbor.encode([body, {}, payload, [[own, {}, signature]]])


def test_a_value_that_its_reader_would_refuse_is_never_written() -> None:
    with pytest.raises(MisuseError, match=r"Bulletin\.repeats"):
        sign(replace(BULLETIN, repeats=99), [SIGNER])


def test_the_secret_is_in_no_repr() -> None:
    assert "PRIVATE" not in repr(SIGNER)
    assert SIGNER.to_pem().split(b"\n")[1] not in repr(SIGNER).encode()


def test_a_bulletin_has_a_title_even_without_text() -> None:
    assert isinstance(BULLETIN, Bulletin)
    assert BULLETIN.title == "Cảnh báo lũ quét"
    assert replace(BULLETIN, texts=()).title == "01" * 8
