"""Keys of both kinds: what names them, what they verify, and the one form that a signature has."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from tests.statements import AREA, BEAT, BULLETIN, HUB_CHANNEL, NOW, ROOT, SIGNER, p256_signer

from ward_protocol import cbor
from ward_protocol.envelope import Envelope, add_signature, sign
from ward_protocol.errors import EnvelopeError, MisuseError, StatementError
from ward_protocol.keys import P256_ORDER, Algorithm, PublicKey, Signer, es256_signature, kid_of, public_key
from ward_protocol.reasons import Reason
from ward_protocol.schema import decode, from_map, to_map
from ward_protocol.statements import Enrolment, Root

TOKEN = p256_signer(7)
# Ed25519's curve, and every y of its points whose order divides 8. Ref: RFC 8032 §5.1 (p, d).
PRIME = 2**255 - 19
EDWARDS_D = -121665 * pow(121666, -1, PRIME) % PRIME
ORDER_8 = int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little")
LOW_ORDER = {0, 1, PRIME - 1, ORDER_8, PRIME - ORDER_8}
MESSAGE = b"message"
# The generator of P-256 is the public key of the private key 1. Ref: SEC 2 v2 §2.4.2.
GENERATOR = bytes.fromhex(
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)


def test_a_private_key_of_one_has_the_generator_as_its_public_key() -> None:
    one = p256_signer(1)
    assert one.public.raw == GENERATOR
    assert one.public.algorithm is Algorithm.ES256


def test_a_key_id_is_the_thumbprint_of_the_cose_key() -> None:
    x, y = TOKEN.public.raw[:32], TOKEN.public.raw[32:]
    cose_key = b"\xa4\x01\x02\x20\x01\x21\x58\x20" + x + b"\x22\x58\x20" + y
    assert TOKEN.kid == kid_of(TOKEN.public.raw) == hashlib.sha256(cose_key).digest()[:8]
    okp = b"\xa3\x01\x01\x20\x06\x21\x58\x20" + SIGNER.public.raw
    assert SIGNER.kid == hashlib.sha256(okp).digest()[:8]


@pytest.mark.parametrize("signer", [SIGNER, TOKEN, Signer.generate(), Signer.generate(Algorithm.ES256)])
def test_what_a_key_signs_it_verifies_and_nothing_else(signer: Signer) -> None:
    signature = signer.sign(MESSAGE)
    assert len(signature) == 64
    assert signer.public.verifies(signature, MESSAGE)
    assert not signer.public.verifies(signature, MESSAGE + b"!")
    assert not signer.public.verifies(bytes(64), MESSAGE)
    assert not signer.public.verifies(signature[:-1], MESSAGE)
    assert not signer.public.verifies(signature + b"\0", MESSAGE)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_key_survives_its_file(algorithm: Algorithm) -> None:
    signer = Signer.generate(algorithm)
    again = Signer.from_pem(signer.to_pem())
    assert again.public == signer.public
    assert again.public.algorithm is algorithm


def test_of_two_forms_of_an_es256_signature_the_lower_is_made_and_taken() -> None:
    for number in range(20):
        signature = TOKEN.sign(bytes([number]))
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        assert 0 < s <= P256_ORDER // 2
        other = signature[:32] + (P256_ORDER - s).to_bytes(32, "big")
        assert not TOKEN.public.verifies(other, bytes([number])), "good by ECDSA, but the second form"
        assert es256_signature(r, P256_ORDER - s) == es256_signature(r, s) == signature


@pytest.mark.parametrize("outside", [0, P256_ORDER, 2**256 - 1])
def test_numbers_outside_the_curve_s_order_are_no_signature(outside: int) -> None:
    good = TOKEN.sign(MESSAGE)
    number = outside.to_bytes(32, "big")
    assert not TOKEN.public.verifies(number + good[32:], MESSAGE)
    assert not TOKEN.public.verifies(good[:32] + number, MESSAGE)


def doubled(point: tuple[int, int]) -> tuple[int, int]:
    """Twice a point of Ed25519's curve, by its affine law. Ref: RFC 8032 §5.1.4 (where it is projective)."""
    x, y = point
    turn = EDWARDS_D * x * x * y * y
    return 2 * x * y * pow(1 + turn, -1, PRIME) % PRIME, (y * y + x * x) * pow(1 - turn, -1, PRIME) % PRIME


def x_of(y: int) -> int | None:
    """An x of the point of that y; None where there is none. Ref: RFC 8032 §5.1.3."""
    square = (y * y - 1) * pow(EDWARDS_D * y * y + 1, -1, PRIME) % PRIME
    root = pow(square, (PRIME + 3) // 8, PRIME)
    root = root if root * root % PRIME == square else root * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    return root if root * root % PRIME == square else None


def test_the_points_of_low_order_are_those_that_doubling_brings_home() -> None:
    """All others of the curve are of the large order, or of eight times that: for them a signature needs a secret."""
    for y in LOW_ORDER:
        x = x_of(y)
        assert x is not None
        point = (x, y)
        for _ in range(3):
            point = doubled(point)
        assert point == (0, 1)
    assert len({(x, y) for y in LOW_ORDER for x in (x_of(y) or 0, -(x_of(y) or 0) % PRIME)}) == 8, "the cofactor"


LOW_ENCODED = [
    (number + top).to_bytes(32, "little")
    for y in sorted(LOW_ORDER)
    for number in (y, y + PRIME)
    for top in (0, 2**255)
    if number < 2**255
]


@pytest.mark.parametrize("raw", LOW_ENCODED, ids=[one.hex()[:4] + one.hex()[-2:] for one in LOW_ENCODED])
def test_a_point_for_which_anyone_can_sign_is_no_key(raw: bytes) -> None:
    """The library takes such a signature, without a secret in it, for at least one of a few messages."""
    signature = b"\1" + bytes(63)
    key = Ed25519PublicKey.from_public_bytes(raw)
    assert any(taken(key, signature, bytes([number])) for number in range(64))
    with pytest.raises(MisuseError, match="low order"):
        PublicKey(raw)
    with pytest.raises(StatementError, match=r"low order") as caught:
        decode(Root, cbor.encode(to_map(ROOT) | {4: {kid_of(raw): raw}}))
    assert caught.value.reason is Reason.MALFORMED_STATEMENT


def taken(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize(
    "raw",
    [b"", bytes(31), bytes(33), bytes(63), bytes(64), bytes(65), GENERATOR[:-1] + b"\xf4"],
    ids=["none", "31", "33", "63", "zero point", "65", "off the curve"],
)
def test_what_is_no_key_is_refused(raw: bytes) -> None:
    with pytest.raises(MisuseError):
        PublicKey(raw)
    with pytest.raises(StatementError) as caught:
        from_map(Root, cbor.decode(cbor.encode(to_map(ROOT) | {4: {bytes(8): raw}}), "root"))
    assert caught.value.reason is Reason.MALFORMED_STATEMENT
    with pytest.raises(StatementError) as caught:
        from_map(Enrolment, {1: "hub-1", 2: AREA, 3: raw, 4: NOW})
    assert caught.value.reason is Reason.MALFORMED_STATEMENT


def test_other_curves_are_refused() -> None:
    with pytest.raises(MisuseError, match="secp384r1"):
        Signer.of(ec.generate_private_key(ec.SECP384R1()))


def test_a_key_is_parsed_once() -> None:
    assert public_key(GENERATOR) is public_key(bytes(bytearray(GENERATOR)))
    assert public_key(GENERATOR) == PublicKey(GENERATOR)


def test_a_token_s_signature_stands_beside_others() -> None:
    data = add_signature(sign(BULLETIN, [SIGNER]), TOKEN)
    keys = {one.kid: one.public for one in (SIGNER, TOKEN)}
    assert Envelope.open(data).verified_by(keys) == set(keys)
    assert Envelope.open(sign(BEAT, [TOKEN])).verified_by(keys) == {TOKEN.kid}


def test_the_algorithm_is_the_key_s() -> None:
    envelope = Envelope.open(sign(BEAT, [TOKEN]))
    with pytest.raises(EnvelopeError) as caught:
        envelope.verified_by({TOKEN.kid: SIGNER.public})
    assert caught.value.reason is Reason.HEADER_NOT_ALLOWED


def test_the_high_s_in_an_envelope_is_a_bad_signature() -> None:
    data = sign(BEAT, [TOKEN])
    other = data[:-32] + (P256_ORDER - int.from_bytes(data[-32:], "big")).to_bytes(32, "big")
    with pytest.raises(EnvelopeError) as caught:
        Envelope.open(other).verified_by({TOKEN.kid: TOKEN.public})
    assert caught.value.reason is Reason.BAD_SIGNATURE


def test_a_root_lists_keys_of_both_kinds() -> None:
    keys = {one.kid: one.public.raw for one in (SIGNER, TOKEN)} | dict(ROOT.keys)
    root = Root(ROOT.version, ROOT.issued, ROOT.expires, keys, ROOT.roles)
    read = Envelope.open(sign(root, [SIGNER])).statement
    assert isinstance(read, Root)
    assert dict(read.keys) == keys


@pytest.mark.parametrize("signer", [SIGNER, TOKEN])
def test_a_hub_asks_to_be_known_under_a_key_of_either_kind(signer: Signer) -> None:
    asked = Enrolment("hub-1", AREA, signer.public.raw, HUB_CHANNEL.public, NOW)
    envelope = Envelope.open(sign(asked, [signer]))
    assert envelope.statement == asked
    assert envelope.verified_by({signer.kid: PublicKey(asked.public)}) == {signer.kid}
