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
PROTECTED = cbor.encode(HEADERS1)
BODY = cbor.encode(to_map(BEAT))
KID = b"\x04\x48" + SIGNER.kid
TYP = b"\x10\x19\xfe\x4f"


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


def raw1(
    protected: bytes = PROTECTED,
    unprotected: bytes = b"\xa0",
    *,
    payload: bytes = b"",
    array: bytes = b"\xd2\x84",
    tail: bytes = b"",
    in_map: bool = False,
) -> bytes:
    """Return a beat's COSE_Sign1, rightly signed over what it shows, from encoded parts that no encoder would make."""
    signed = SIGNER.sign(cbor.encode(["Signature1", protected, b"", BODY]))
    headers = protected if in_map else cbor.encode(protected)
    return b"".join((array, headers, unprotected, payload or cbor.encode(BODY), b"\x58\x40", signed, tail))


def sign_n(count: int = 1, kind: int = 65104, signature: bytes = b"") -> bytes:
    """Return a bulletin's COSE_Sign with its author's signature `count` times."""
    body, payload = cbor.encode({16: kind}), cbor.encode(to_map(BULLETIN))
    own = cbor.encode({1: -8, 4: SIGNER.kid})
    right = SIGNER.sign(cbor.encode(["Signature", body, own, b"", payload]))
    return b"\xd8\x62" + cbor.encode([body, {}, payload, [[own, {}, signature or right]] * count])


def nested(depth: int) -> bytes:
    return b"\xa1\x19\x10\x00" + b"\x81" * depth + b"\0"


# Whatever can be wrong or mean two things, signed by the right key unless it says otherwise; after every comment the
# cases that the general libraries cwt 3.3 and pycose 1.1 were tried with (28 in all; "valid" is the test after these).
REFUSED: dict[str, tuple[Callable[[], bytes], Reason]] = {
    # the array
    "bad signature": (lambda: raw1()[:-64] + bytes(64), Reason.BAD_SIGNATURE),
    "trailing bytes": (lambda: sign1(tail=b"\0"), Reason.NOT_DETERMINISTIC),
    "untagged": (lambda: sign1()[1:], Reason.MALFORMED_COSE),
    "tag in two bytes": (lambda: b"\xd8\x12" + sign1()[1:], Reason.MALFORMED_COSE),
    "self-described": (lambda: b"\xd9\xd9\xf7" + sign1(), Reason.MALFORMED_COSE),
    "indefinite array": (lambda: raw1(array=b"\xd2\x9f", tail=b"\xff"), Reason.MALFORMED_CBOR),
    "indefinite payload": (
        lambda: raw1(payload=b"\x5f\x43" + BODY[:3] + b"\x58" + bytes([len(BODY) - 3]) + BODY[3:] + b"\xff"),
        Reason.MALFORMED_CBOR,
    ),
    "five elements": (lambda: raw1(array=b"\xd2\x85", tail=b"\0"), Reason.MALFORMED_COSE),
    "huge string": (lambda: b"\xd2\x84\x5b\0\0\x01\0\0\0\0\0abc", Reason.MALFORMED_CBOR),
    "huge array": (lambda: b"\xd2\x9b\0\0\0\x01\0\0\0\0\0", Reason.MALFORMED_CBOR),
    # the protected headers
    "unsorted headers": (lambda: raw1(b"\xa3" + KID + b"\x01\x27" + TYP), Reason.NOT_DETERMINISTIC),
    "duplicate alg": (lambda: raw1(b"\xa4\x01\x26\x01\x27" + KID + TYP), Reason.MALFORMED_CBOR),
    "duplicate kid": (lambda: raw1(b"\xa4\x01\x27\x04\x41x" + KID + TYP), Reason.MALFORMED_CBOR),
    "label in two bytes": (lambda: raw1(b"\xa3\x18\x01\x27" + KID + TYP), Reason.NOT_DETERMINISTIC),
    "trailing bytes after the headers": (lambda: raw1(PROTECTED + b"\0"), Reason.NOT_DETERMINISTIC),
    "unknown crit": (lambda: sign1({1: -8, 2: [99], 4: SIGNER.kid, 16: 65103, 99: 1}), Reason.HEADER_NOT_ALLOWED),
    "crit without its header": (lambda: sign1({1: -8, 2: [99], 4: SIGNER.kid, 16: 65103}), Reason.HEADER_NOT_ALLOWED),
    "empty crit": (lambda: sign1({1: -8, 2: [], 4: SIGNER.kid, 16: 65103}), Reason.HEADER_NOT_ALLOWED),
    "unknown label": (lambda: raw1(b"\xa4\x01\x27" + KID + TYP + b"\x19\x10\x92\x01"), Reason.HEADER_NOT_ALLOWED),
    "ES256 with an Ed25519 key": (lambda: sign1({1: -7, 4: SIGNER.kid, 16: 65103}), Reason.HEADER_NOT_ALLOWED),
    "protected headers as a map": (lambda: raw1(in_map=True), Reason.MALFORMED_COSE),
    # the unprotected headers
    "unprotected crit": (lambda: sign1(unprotected={2: [99]}), Reason.HEADER_NOT_ALLOWED),
    "alg only unprotected": (lambda: sign1({4: SIGNER.kid, 16: 65103}, {1: -8}), Reason.HEADER_NOT_ALLOWED),
    "another alg unprotected": (lambda: sign1(unprotected={1: -7}), Reason.HEADER_NOT_ALLOWED),
    "another kid unprotected": (lambda: sign1(unprotected={4: b"other"}), Reason.HEADER_NOT_ALLOWED),
    "256 arrays in one another": (lambda: raw1(unprotected=nested(256)), Reason.MALFORMED_CBOR),
    "5000 arrays in one another": (lambda: raw1(unprotected=nested(5000)), Reason.MALFORMED_CBOR),
    # what the libraries were not tried with
    "no kid": (lambda: sign1({1: -8, 16: 65103}), Reason.HEADER_NOT_ALLOWED),
    "short kid": (lambda: sign1({1: -8, 4: b"1234567", 16: 65103}), Reason.HEADER_NOT_ALLOWED),
    "alg as true": (lambda: sign1({1: True, 4: SIGNER.kid, 16: 65103}), Reason.HEADER_NOT_ALLOWED),
    "unknown alg": (lambda: sign1({1: -9, 4: SIGNER.kid, 16: 65103}), Reason.HEADER_NOT_ALLOWED),
    "unknown type": (lambda: sign1({1: -8, 4: SIGNER.kid, 16: 65199}), Reason.UNKNOWN_TYPE),
    "type of one byte": (lambda: sign1({1: -8, 4: SIGNER.kid, 16: 7}), Reason.UNKNOWN_TYPE),
    "a bulletin in a Sign1": (lambda: sign1({1: -8, 4: SIGNER.kid, 16: 65104}), Reason.MALFORMED_COSE),
    "a beat in a Sign": (lambda: sign_n(kind=65103), Reason.MALFORMED_COSE),
    "no signature": (lambda: sign_n(0), Reason.MALFORMED_COSE),
    "17 signatures": (lambda: sign_n(17), Reason.MALFORMED_COSE),
    "a signer twice": (lambda: sign_n(2), Reason.DUPLICATE_SIGNER),
    "signature of 63 bytes": (lambda: sign_n(signature=bytes(63)), Reason.MALFORMED_COSE),
    "signature of 65 bytes": (lambda: sign_n(signature=bytes(65)), Reason.MALFORMED_COSE),
    "statement not deterministic": (lambda: sign1(payload=b"\xb8\x00"), Reason.NOT_DETERMINISTIC),
    "statement with unsorted fields": (
        lambda: sign1(payload=cbor2.dumps(dict(reversed(to_map(BEAT).items())))),
        Reason.NOT_DETERMINISTIC,
    ),
    "statement with unsorted keys in a table": (
        lambda: sign1(payload=cbor2.dumps(to_map(BEAT) | {4: {"ward": 3, "a": 1}})),
        Reason.NOT_DETERMINISTIC,
    ),
    "statement with a field twice": (
        lambda: sign1(payload=b"\xa6\x01\x01" + BODY[1:]),
        Reason.MALFORMED_CBOR,
    ),
    "statement with a tag": (
        lambda: sign1(payload=cbor2.dumps({1: cbor2.CBORTag(5, [2**20, 1])})),
        Reason.MALFORMED_CBOR,
    ),
    "statement with a float": (lambda: sign1(payload=cbor2.dumps(to_map(BEAT) | {1: 1.1})), Reason.MALFORMED_STATEMENT),
    "statement with true as a key": (lambda: sign1(payload=b"\xa1\xf5\x01"), Reason.UNKNOWN_FIELD),
    "statement with an unknown field": (
        lambda: sign1(payload=cbor.encode(to_map(BEAT) | {9: 1})),
        Reason.UNKNOWN_FIELD,
    ),
    "statement without a field": (lambda: sign1(payload=b"\xa0"), Reason.MALFORMED_STATEMENT),
    "detached": (lambda: b"\xd2" + cbor.encode([PROTECTED, {}, None, bytes(64)]), Reason.MALFORMED_COSE),
    "five parts": (lambda: b"\xd2" + cbor.encode([b"", {}, b"", b"", 0]), Reason.MALFORMED_COSE),
    "indefinite": (lambda: b"\xd2\x9f\xff", Reason.MALFORMED_CBOR),
    "deep": (lambda: b"\xd2" + b"\x81" * 5000 + b"\0", Reason.MALFORMED_CBOR),
    "empty": (lambda: b"", Reason.MALFORMED_COSE),
    "10 MB": (lambda: b"\xd2" + bytes(10_000_000), Reason.TOO_LARGE),
}


def test_the_shape_that_the_refused_ones_vary_is_good() -> None:
    assert Envelope.open(sign1()).verified_by(KEYS) == {SIGNER.kid}
    assert Envelope.open(raw1()).verified_by(KEYS) == {SIGNER.kid}
    assert Envelope.open(sign_n()).verified_by(KEYS) == {SIGNER.kid}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    make, reason = REFUSED[name]
    with pytest.raises(StatementError) as caught:
        Envelope.open(make()).verified_by(KEYS)
    assert caught.value.reason is reason


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
