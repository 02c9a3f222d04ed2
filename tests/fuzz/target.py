"""What must hold for any bytes that a hub is given: what the fuzzer looks for, and the corpus is replayed against."""

from __future__ import annotations

from tests.statements import SAMPLES, SIGNER, p256_signer

from ward_protocol import cbor, cose
from ward_protocol.cose import Parts, Signature
from ward_protocol.envelope import SINGLE, Envelope, sign
from ward_protocol.errors import StatementError
from ward_protocol.keys import Algorithm
from ward_protocol.schema import to_map
from ward_protocol.statements import StatementType

FORGERY = "a forgery; or a seed of a sample in tests.statements that was changed: then make the seed anew"
TOKEN = p256_signer(7)
KEYS = {one.kid: one.public for one in (SIGNER, TOKEN)}
KINDS = tuple(StatementType)
GOOD = [sign(one, [signer]) for one in SAMPLES for signer in (SIGNER, TOKEN)]
# What was signed for these, as bytes: a verified statement must be one of them, whatever is around it.
_SIGNED = {one.signed for data in GOOD for one in Envelope.open(data).signatures}


def check(data: bytes) -> None:
    """Judge `data` as an envelope, and as a statement in an envelope of the type that its first byte chooses."""
    judge(data)
    if data:
        judge(enveloped(KINDS[data[0] % len(KINDS)], data[1:]))


def judge(data: bytes) -> None:
    """Assert that `data` is refused by a rule, or has one form only and is verified only if it was signed."""
    try:
        envelope = Envelope.open(data)
        signers = envelope.verified_by(KEYS)
    except StatementError as error:
        need("not in the one form" not in error.detail, "the two readers of envelopes disagree")
        return
    parts = cose.read(data)
    assert parts is not None
    need(cose.write(parts, single=envelope.type in SINGLE) == data, "an envelope with two forms")
    need(cbor.encode(to_map(envelope.statement)) == parts.payload, "a statement with two encodings")
    need(not signers or any(one.signed in _SIGNED for one in envelope.signatures), FORGERY)


def need(holds: bool, else_it_is: str) -> None:
    """Raise AssertionError with what was found, unless it holds."""
    if not holds:
        raise AssertionError(else_it_is)


def enveloped(kind: StatementType, payload: bytes) -> bytes:
    """Return an envelope that shows `payload`, by a key that nobody knows."""
    one = Signature(b"stranger", Algorithm.EDDSA, b"", bytes(64))
    return cose.write(Parts(int(kind), payload, (one,)), single=kind in SINGLE)
