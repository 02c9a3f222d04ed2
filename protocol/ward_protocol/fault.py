"""Which rule an envelope breaks that is not in the one form of `ward_protocol.cose`: an error that names it.

Nothing is accepted here: this is read only once it is known that the bytes are refused, by a parser that looks at one
rule after another, as a publisher who has to mend them needs it.
"""

from __future__ import annotations

from typing import Any

from ward_protocol import cbor
from ward_protocol.cose import MAX_SIGNERS, TAG_SIGN, TAG_SIGN1
from ward_protocol.errors import EnvelopeError
from ward_protocol.keys import KID_SIZE, SIGNATURE_SIZE, Algorithm
from ward_protocol.reasons import Reason

ALG, KID, TYP = 1, 4, 16


def fault_of(data: bytes) -> EnvelopeError:
    """Return the error for the first rule that `data` breaks, an envelope that `cose.read` did not know."""
    try:
        tag, parts = _untag(data)
        (_judge_sign1 if tag == TAG_SIGN1 else _judge_sign)(parts)
    except EnvelopeError as error:
        return error
    return EnvelopeError(Reason.MALFORMED_COSE, "not in the one form of ward.cddl")


def _judge_sign1(parts: list[Any]) -> None:
    protected, unprotected, payload, signature = parts
    headers = _headers(protected, unprotected, frozenset({ALG, KID, TYP}), "envelope")
    _judge_payload(payload)
    _judge_type(headers)
    _judge_signer(headers, signature)


def _judge_sign(parts: list[Any]) -> None:
    body, unprotected, payload, items = parts
    _judge_type(_headers(body, unprotected, frozenset({TYP}), "envelope"))
    _judge_payload(payload)
    if not cbor.is_array(items) or not 1 <= len(items) <= MAX_SIGNERS:
        raise EnvelopeError(Reason.MALFORMED_COSE, f"1 to {MAX_SIGNERS} signatures are needed")
    for number, item in enumerate(items):
        protected, other, signature = _sequence(item, 3, f"signature {number}")
        _judge_signer(_headers(protected, other, frozenset({ALG, KID}), f"signature {number}"), signature)


def _untag(data: bytes) -> tuple[bytes, list[Any]]:
    for tag in (TAG_SIGN1, TAG_SIGN):
        if data.startswith(tag):
            return tag, _sequence(cbor.decode(data[len(tag) :], "envelope"), 4, "envelope")
    raise EnvelopeError(Reason.MALFORMED_COSE, "not a tagged COSE_Sign1 or COSE_Sign")


def _sequence(item: Any, length: int, what: str) -> list[Any]:
    if not cbor.is_array(item) or len(item) != length:
        raise EnvelopeError(Reason.MALFORMED_COSE, f"{what}: an array of {length} is needed")
    return item


def _headers(protected: Any, unprotected: Any, labels: frozenset[int], what: str) -> dict[int, Any]:
    """Return the protected headers: exactly `labels`, and an empty unprotected map beside them."""
    if type(protected) is not bytes or type(unprotected) is not dict:
        raise EnvelopeError(Reason.MALFORMED_COSE, f"{what}: headers are not a byte string and a map")
    headers = cbor.decode(protected, f"{what}: protected headers")
    if not cbor.is_map(headers):
        raise EnvelopeError(Reason.MALFORMED_COSE, f"{what}: protected headers are not a map")
    if unprotected or headers.keys() != labels or any(type(label) is not int for label in headers):
        raise EnvelopeError(Reason.HEADER_NOT_ALLOWED, f"{what}: exactly {sorted(labels)}, protected, are allowed")
    return headers


def _judge_type(headers: dict[int, Any]) -> None:
    number = headers[TYP]
    if type(number) is not int or not 0x100 <= number < 0x10000:
        raise EnvelopeError(Reason.UNKNOWN_TYPE, f"typ {number!r} is no statement that this version knows")


def _judge_signer(headers: dict[int, Any], signature: Any) -> None:
    kid, algorithm = headers[KID], headers[ALG]
    if type(algorithm) is not int or algorithm not in set(Algorithm):
        raise EnvelopeError(
            Reason.HEADER_NOT_ALLOWED, f"alg {algorithm!r}: only EdDSA (-8) and ES256 (-7) are accepted"
        )
    if type(kid) is not bytes or len(kid) != KID_SIZE:
        raise EnvelopeError(Reason.HEADER_NOT_ALLOWED, f"kid is not {KID_SIZE} bytes")
    if type(signature) is not bytes or len(signature) != SIGNATURE_SIZE:
        raise EnvelopeError(Reason.MALFORMED_COSE, f"a signature has {SIGNATURE_SIZE} bytes")


def _judge_payload(item: Any) -> None:
    if type(item) is not bytes:
        raise EnvelopeError(Reason.MALFORMED_COSE, "the payload is not an attached byte string")
