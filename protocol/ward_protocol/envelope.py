"""Signed envelopes: a statement as deterministic CBOR in COSE, in a strict profile.

Statements with one signer by nature (beat, receipt, enrolment) are COSE_Sign1 (tag 18), all others COSE_Sign (tag 98).
Tags are required; `alg`, `kid` and `typ` stand in protected headers and nothing else stands anywhere; unprotected maps
are empty; so an unknown or critical header is refused whatever it says.
Ref: RFC 9052 §4.1, §4.2, §4.4; RFC 9053 §2.2 (EdDSA = -8); RFC 9596 (typ = 16).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ward_protocol import cbor
from ward_protocol.errors import EnvelopeError, MisuseError
from ward_protocol.keys import KID_SIZE, PublicKey, Signer
from ward_protocol.reasons import Reason
from ward_protocol.schema import from_map, to_map
from ward_protocol.statements import CLASSES, TYPES, Statement, StatementType

ALG, KID, TYP = 1, 4, 16
EDDSA = -8
# The shortest heads of CBOR tags 18 and 98; the array follows. cbor2 would give a tag's content other types.
TAG_SIGN1, TAG_SIGN = b"\xd2", b"\xd8\x62"
MAX_SIZE = 64 * 1024
MAX_SIGNERS = 16
SINGLE = frozenset({StatementType.BEAT, StatementType.RECEIPT, StatementType.ENROLMENT})


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature of an envelope: the signer's key id, the bytes it signed, and the signature."""

    kid: bytes
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope read from bytes; nothing it says is trusted before `verified_by`."""

    data: bytes = field(repr=False)
    type: StatementType
    statement: Statement
    signatures: tuple[Signature, ...]

    @classmethod
    def open(cls, data: bytes, max_size: int = MAX_SIZE) -> Envelope:
        """Read an envelope; raises EnvelopeError or StatementError naming the rule that it breaks."""
        if len(data) > max_size:
            raise EnvelopeError(Reason.TOO_LARGE, f"{len(data)} bytes, the limit is {max_size}")
        tag, parts = _untag(data)
        kind, payload, signatures = (_read_sign1 if tag == TAG_SIGN1 else _read_sign)(parts)
        if (kind in SINGLE) != (tag == TAG_SIGN1):
            raise EnvelopeError(Reason.MALFORMED_COSE, f"a {kind.name.lower()} has the other COSE form")
        return cls(data, kind, from_map(CLASSES[kind], cbor.decode(payload, "statement")), signatures)

    @property
    def digest(self) -> bytes:
        """The SHA-256 of the whole envelope: the statement's id."""
        return hashlib.sha256(self.data).digest()

    def verified_by(self, keys: Mapping[bytes, PublicKey]) -> frozenset[bytes]:
        """Return the ids of those of `keys` that signed; one bad signature by a known key refuses the whole."""
        good: set[bytes] = set()
        for one in self.signatures:
            public = keys.get(one.kid)
            if public is None:
                continue
            if not public.verifies(one.signature, one.signed):
                raise EnvelopeError(Reason.BAD_SIGNATURE, f"the signature of key {one.kid.hex()} does not fit")
            good.add(one.kid)
        return frozenset(good)


def sign(statement: Statement, signers: Sequence[Signer]) -> bytes:
    """Return the envelope of `statement` signed by each of `signers`."""
    kind = TYPES[type(statement)]
    payload = cbor.encode(to_map(statement))
    if not 1 <= len(signers) <= (1 if kind in SINGLE else MAX_SIGNERS):
        raise MisuseError(f"a {kind.name.lower()} cannot have {len(signers)} signatures")
    if kind in SINGLE:
        (signer,) = signers
        protected = cbor.encode({ALG: EDDSA, KID: signer.kid, TYP: int(kind)})
        signature = signer.sign(_to_be_signed1(protected, payload))
        return TAG_SIGN1 + cbor.encode([protected, {}, payload, signature])
    body = cbor.encode({TYP: int(kind)})
    return _sign_envelope(body, payload, [_signature(signer, body, payload) for signer in signers])


def add_signature(data: bytes, signer: Signer) -> bytes:
    """Return the envelope with one more signature; raises MisuseError where there can be no more, or it is there."""
    envelope = Envelope.open(data)
    if envelope.type in SINGLE or len(envelope.signatures) >= MAX_SIGNERS:
        raise MisuseError(f"a {envelope.type.name.lower()} can hold no more signatures")
    if any(one.kid == signer.kid for one in envelope.signatures):
        raise MisuseError(f"key {signer.kid.hex()} has signed already")
    body, _, payload, signatures = _untag(data)[1]
    return _sign_envelope(body, payload, [*signatures, _signature(signer, body, payload)])


def join_signatures(data: bytes, other: bytes) -> bytes:
    """Return one envelope with the signatures of two of the same statement, in the order of their key ids.

    So it does not matter who joins what first. Raises MisuseError where the statements differ or one key signed
    both in different ways: one of the two is damaged or forged.
    """
    one, two = Envelope.open(data), Envelope.open(other)
    if one.type in SINGLE or (one.type, one.statement) != (two.type, two.statement):
        raise MisuseError("the two files hold different statements, or one that takes a single signature")
    body, _, payload, items = _untag(data)[1]
    signatures: dict[bytes, Any] = {}
    for opened, raw in ((one, items), (two, _untag(other)[1][3])):
        for signature, item in zip(opened.signatures, raw, strict=True):
            if signatures.setdefault(signature.kid, item) != item:
                raise MisuseError(f"the two signatures of key {signature.kid.hex()} differ: one is damaged or forged")
    if len(signatures) > MAX_SIGNERS:
        raise MisuseError(f"a {one.type.name.lower()} can hold no more than {MAX_SIGNERS} signatures")
    return _sign_envelope(body, payload, [signatures[kid] for kid in sorted(signatures)])


def _sign_envelope(body: bytes, payload: bytes, signatures: list[Any]) -> bytes:
    return TAG_SIGN + cbor.encode([body, {}, payload, signatures])


def _signature(signer: Signer, body: bytes, payload: bytes) -> list[Any]:
    protected = cbor.encode({ALG: EDDSA, KID: signer.kid})
    return [protected, {}, signer.sign(_to_be_signed(body, protected, payload))]


def _to_be_signed1(protected: bytes, payload: bytes) -> bytes:
    return cbor.encode(["Signature1", protected, b"", payload])


def _to_be_signed(body: bytes, protected: bytes, payload: bytes) -> bytes:
    return cbor.encode(["Signature", body, protected, b"", payload])


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


def _type(headers: dict[int, Any]) -> StatementType:
    number = headers[TYP]
    if type(number) is not int or number not in StatementType.__members__.values():
        raise EnvelopeError(Reason.UNKNOWN_TYPE, f"typ {number!r} is no statement that this version knows")
    return StatementType(number)


def _signer(headers: dict[int, Any], signature: Any, signed: bytes) -> Signature:
    kid = headers[KID]
    if type(headers[ALG]) is not int or headers[ALG] != EDDSA:
        raise EnvelopeError(Reason.HEADER_NOT_ALLOWED, f"alg {headers[ALG]!r}: only EdDSA (-8) is accepted")
    if type(kid) is not bytes or len(kid) != KID_SIZE:
        raise EnvelopeError(Reason.HEADER_NOT_ALLOWED, f"kid is not {KID_SIZE} bytes")
    if type(signature) is not bytes or len(signature) != 64:
        raise EnvelopeError(Reason.MALFORMED_COSE, "a signature has 64 bytes")
    return Signature(kid, signed, signature)


def _payload(item: Any) -> bytes:
    if type(item) is not bytes:
        raise EnvelopeError(Reason.MALFORMED_COSE, "the payload is not an attached byte string")
    return item


def _read_sign1(parts: list[Any]) -> tuple[StatementType, bytes, tuple[Signature, ...]]:
    protected, unprotected, content, signature = parts
    headers = _headers(protected, unprotected, frozenset({ALG, KID, TYP}), "envelope")
    payload = _payload(content)
    return _type(headers), payload, (_signer(headers, signature, _to_be_signed1(protected, payload)),)


def _read_sign(parts: list[Any]) -> tuple[StatementType, bytes, tuple[Signature, ...]]:
    body, unprotected, content, items = parts
    kind = _type(_headers(body, unprotected, frozenset({TYP}), "envelope"))
    payload = _payload(content)
    if not cbor.is_array(items) or not 1 <= len(items) <= MAX_SIGNERS:
        raise EnvelopeError(Reason.MALFORMED_COSE, f"1 to {MAX_SIGNERS} signatures are needed")
    signatures: dict[bytes, Signature] = {}
    for number, item in enumerate(items):
        protected, other, signature = _sequence(item, 3, f"signature {number}")
        headers = _headers(protected, other, frozenset({ALG, KID}), f"signature {number}")
        one = _signer(headers, signature, _to_be_signed(body, protected, payload))
        if one.kid in signatures:
            raise EnvelopeError(Reason.DUPLICATE_SIGNER, f"key {one.kid.hex()} signs twice")
        signatures[one.kid] = one
    return kind, payload, tuple(signatures.values())
