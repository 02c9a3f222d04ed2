"""Signed envelopes: a statement as deterministic CBOR in COSE, in a strict profile.

Statements with one signer by nature (beat, receipt, enrolment) are COSE_Sign1 (tag 18), all others COSE_Sign (tag 98).
Tags are required; `alg`, `kid` and `typ` stand in protected headers and nothing else stands anywhere; unprotected maps
are empty; so an unknown or critical header is refused whatever it says. The bytes are in `ward_protocol.cose`.
Ref: RFC 9052 §4.1, §4.2, §4.4; RFC 9053 §2.1 (ES256 = -7), §2.2 (EdDSA = -8); RFC 9596 (typ = 16).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ward_protocol import cbor, cose
from ward_protocol.cose import MAX_SIGNERS, Parts, Signature
from ward_protocol.errors import EnvelopeError, MisuseError
from ward_protocol.fault import fault_of
from ward_protocol.keys import PublicKey, Signing
from ward_protocol.reasons import Reason
from ward_protocol.schema import decode, to_map
from ward_protocol.statements import CLASSES, TYPES, Statement, StatementType

MAX_SIZE = 64 * 1024
SINGLE = frozenset({StatementType.BEAT, StatementType.RECEIPT, StatementType.ENROLMENT})
# By number: what it is called, and the tag that it begins with.
_KNOWN = {int(one): (one, cose.TAG_SIGN1 if one in SINGLE else cose.TAG_SIGN) for one in StatementType}


@dataclass(frozen=True, slots=True)
class Sealed:
    """An envelope whose frame was compared, whose payload nobody has looked into: `verified_by` goes before `decode`.

    So a decoder never meets a byte that no known key has signed.
    """

    data: bytes = field(repr=False)
    type: StatementType
    payload: bytes = field(repr=False)
    signatures: tuple[Signature, ...]

    @classmethod
    def read(cls, data: bytes, max_size: int = MAX_SIZE) -> Sealed:
        """Take an envelope apart; raises EnvelopeError naming the rule that its frame breaks."""
        if len(data) > max_size:
            raise EnvelopeError(Reason.TOO_LARGE, f"{len(data)} bytes, the limit is {max_size}")
        typ, payload, signatures = _parts(data)
        if typ not in _KNOWN:
            raise EnvelopeError(Reason.UNKNOWN_TYPE, f"typ {typ} is no statement that this version knows")
        kind, tag = _KNOWN[typ]
        if data[: len(tag)] != tag:
            raise EnvelopeError(Reason.MALFORMED_COSE, f"a {kind.name.lower()} has the other COSE form")
        if len(signatures) > 1:
            _need_different(signatures)
        return cls(data, kind, payload, signatures)

    @property
    def digest(self) -> bytes:
        """The statement's id, whoever signed it and in whatever order."""
        return digest_of(self.type, self.payload)

    def decode(self) -> Envelope:
        """Decode the statement; raises EnvelopeError or StatementError naming the rule that it breaks."""
        statement = decode(CLASSES[self.type], self.payload)
        return Envelope(self.data, self.type, self.payload, self.signatures, statement)

    def verified_by(self, keys: Mapping[bytes, PublicKey]) -> frozenset[bytes]:
        """Return the ids of those of `keys` that signed; one bad signature by a known key refuses the whole."""
        good: set[bytes] = set()
        for one in self.signatures:
            public = keys.get(one.kid)
            if public is None:
                continue
            if public.algorithm is not one.algorithm:
                raise EnvelopeError(
                    Reason.HEADER_NOT_ALLOWED,
                    f"alg {one.algorithm.name}: the key {one.kid.hex()} signs by {public.algorithm.name}",
                )
            if not public.verifies(one.signature, one.signed):
                raise EnvelopeError(Reason.BAD_SIGNATURE, f"the signature of key {one.kid.hex()} does not fit")
            good.add(one.kid)
        return frozenset(good)


@dataclass(frozen=True, slots=True)
class Envelope(Sealed):
    """An envelope with its statement decoded; nothing it says is trusted before `verified_by`."""

    statement: Statement

    @classmethod
    def open(cls, data: bytes, max_size: int = MAX_SIZE) -> Envelope:
        """Read and decode at once, for who trusts the bytes, or no key yet; raises as `read` and `decode` do."""
        return Sealed.read(data, max_size).decode()


def digest_of(kind: StatementType, payload: bytes) -> bytes:
    """Return a statement's id: the SHA-256 of its type in two bytes and its CBOR.

    Not of the envelope: whoever carries one could leave a signature out or change the order of two, without a key.
    """
    return hashlib.sha256(kind.to_bytes(2, "big") + payload).digest()


def sign(statement: Statement, signers: Sequence[Signing]) -> bytes:
    """Return the envelope of `statement` signed by each of `signers`."""
    kind = TYPES[type(statement)]
    if not 1 <= len(signers) <= (1 if kind in SINGLE else MAX_SIGNERS):
        raise MisuseError(f"a {kind.name.lower()} cannot have {len(signers)} signatures")
    return seal(kind, cbor.encode(to_map(statement)), signers)


def seal(kind: StatementType, payload: bytes, signers: Sequence[Signing]) -> bytes:
    """Return the envelope of a statement's bytes, which nobody looks at; `sign` is for statements."""
    signatures = tuple(_signature(signer, kind, payload) for signer in signers)
    return cose.write(Parts(int(kind), payload, signatures), single=kind in SINGLE)


def add_signature(data: bytes, signer: Signing) -> bytes:
    """Return the envelope with one more signature; raises MisuseError where there can be no more, or it is there."""
    envelope = Envelope.open(data)
    if envelope.type in SINGLE or len(envelope.signatures) >= MAX_SIGNERS:
        raise MisuseError(f"a {envelope.type.name.lower()} can hold no more signatures")
    if any(one.kid == signer.public.kid for one in envelope.signatures):
        raise MisuseError(f"key {signer.public.kid.hex()} has signed already")
    parts = _parts(data)
    more = _signature(signer, envelope.type, parts.payload)
    return cose.write(parts._replace(signatures=(*parts.signatures, more)), single=False)


def join_signatures(data: bytes, other: bytes) -> bytes:
    """Return one envelope with the signatures of two of the same statement, in the order of their key ids.

    So it does not matter who joins what first. Raises MisuseError where the statements differ or one key signed
    both in different ways: one of the two is damaged or forged.
    """
    one, two = Envelope.open(data), Envelope.open(other)
    if one.type in SINGLE or (one.type, one.statement) != (two.type, two.statement):
        raise MisuseError("the two files hold different statements, or one that takes a single signature")
    signatures: dict[bytes, Signature] = {}
    for signature in (*one.signatures, *two.signatures):
        if signatures.setdefault(signature.kid, signature) != signature:
            raise MisuseError(f"the two signatures of key {signature.kid.hex()} differ: one is damaged or forged")
    if len(signatures) > MAX_SIGNERS:
        raise MisuseError(f"a {one.type.name.lower()} can hold no more than {MAX_SIGNERS} signatures")
    joined = tuple(signatures[kid] for kid in sorted(signatures))
    return cose.write(_parts(data)._replace(signatures=joined), single=False)


def _parts(data: bytes) -> Parts:
    parts = cose.read(data)
    if parts is None:
        raise fault_of(data)
    return parts


def _signature(signer: Signing, kind: StatementType, payload: bytes) -> Signature:
    kid, algorithm = signer.public.kid, signer.public.algorithm
    to_be_signed = cose.to_be_signed1 if kind in SINGLE else cose.to_be_signed
    signed = to_be_signed(algorithm, kid, int(kind), payload)
    return Signature(kid, algorithm, signed, signer.sign(signed))


def _need_different(signatures: tuple[Signature, ...]) -> None:
    kids: set[bytes] = set()
    for one in signatures:
        if one.kid in kids:
            raise EnvelopeError(Reason.DUPLICATE_SIGNER, f"key {one.kid.hex()} signs twice")
        kids.add(one.kid)
