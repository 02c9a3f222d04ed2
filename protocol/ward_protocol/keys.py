"""Keys that sign statements: Ed25519, or P-256 where a hardware token knows no better; named by a short thumbprint.

The raw length of a public key says which it is: 32 bytes are Ed25519, 64 are P-256 (x and y, without the 0x04 of SEC1).
There is exactly one signature for each act of signing: Ed25519 checks its s itself, of ES256 only the low s is taken,
because anyone could turn (r, s) into (r, n - s), and with it a statement's digest, without the key. And a key signs
what its owner signed: a point of low order is no key, because for such a one anyone can write a signature that fits.
Of Ed25519, cryptography signs and libsodium verifies: docs/adr/0022.
Ref: RFC 9053 §2.1 (ES256), §2.2 (EdDSA), §7.1 (COSE_Key); RFC 9679 (thumbprint; ours keeps the first 8 bytes of the
SHA-256); SEC 2 v2 §2.4.2 (the order of P-256); RFC 8032 §5.1 (the curve of Ed25519), §5.1.7 (verifying asks nothing of
the key's order).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache, partial
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError

from ward_protocol import cbor
from ward_protocol.errors import MisuseError

KID_SIZE = 8
SIGNATURE_SIZE = 64
ED25519_SIZE, P256_SIZE = 32, 64
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_HIGHEST_S = (P256_ORDER // 2).to_bytes(32, "big")
# The y of all eight points of Ed25519's curve whose order divides 8; of each y, two points have x and -x.
_PRIME = 2**255 - 19
_Y_OF_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_LOW_ORDER = frozenset({0, 1, _PRIME - 1, _Y_OF_ORDER_8, _PRIME - _Y_OF_ORDER_8})
_SHA256 = ECDSA(hashes.SHA256())


class Algorithm(IntEnum):
    """How a key signs, by its COSE number (`alg`)."""

    EDDSA = -8
    ES256 = -7


def kid_of(raw_public: bytes) -> bytes:
    """Return the key identifier (8 bytes) of a raw public key: 32 bytes of Ed25519 or 64 of P-256."""
    if len(raw_public) == P256_SIZE:
        cose_key = {1: 2, -1: 1, -2: raw_public[:32], -3: raw_public[32:]}
    else:
        cose_key = {1: 1, -1: 6, -2: raw_public}
    return hashlib.sha256(cbor.encode(cose_key)).digest()[:KID_SIZE]


def es256_signature(r: int, s: int) -> bytes:
    """Return the one form (64 bytes) of an ES256 signature that is accepted, whichever s the signing device chose."""
    return r.to_bytes(32, "big") + min(s, P256_ORDER - s).to_bytes(32, "big")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key, `raw` of 32 (Ed25519) or 64 (P-256) bytes; raises MisuseError when they are not a key."""

    raw: bytes
    algorithm: Algorithm = field(init=False)
    kid: bytes = field(init=False)
    _verify: Callable[[bytes, bytes], None] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        algorithm, verify = _reader(self.raw)
        object.__setattr__(self, "algorithm", algorithm)
        object.__setattr__(self, "_verify", verify)
        object.__setattr__(self, "kid", kid_of(self.raw))

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Say whether `signature` (64 bytes) is this key's over `message`."""
        try:
            self._verify(signature, message)
        except (InvalidSignature, BadSignatureError):
            return False
        return True


@lru_cache(maxsize=1024)
def public_key(raw: bytes) -> PublicKey:
    """Return the key of those raw bytes, parsed once while it is in use; raises MisuseError as PublicKey does."""
    return PublicKey(raw)


class Signing(Protocol):
    """Whatever signs statements: a Signer, or a token that never gives its key away."""

    @property
    def public(self) -> PublicKey:
        """The public half."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature, 64 bytes; of ES256 as `es256_signature` gives it."""
        ...


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key that signs; its repr never shows the secret."""

    _key: Ed25519PrivateKey | EllipticCurvePrivateKey = field(repr=False, compare=False)
    public: PublicKey

    @classmethod
    def generate(cls, algorithm: Algorithm = Algorithm.EDDSA) -> Signer:
        """Make a new key from the operating system's randomness."""
        return cls.of(
            generate_private_key(SECP256R1()) if algorithm is Algorithm.ES256 else Ed25519PrivateKey.generate()
        )

    @classmethod
    def of(cls, key: Ed25519PrivateKey | EllipticCurvePrivateKey) -> Signer:
        """Wrap a private key of the cryptography library; raises MisuseError for a curve other than P-256."""
        if isinstance(key, Ed25519PrivateKey):
            return cls(key, PublicKey(key.public_key().public_bytes_raw()))
        if not isinstance(key.curve, SECP256R1):
            raise MisuseError(f"private key on the curve {key.curve.name}: only P-256 is accepted")
        point = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        return cls(key, PublicKey(point[1:]))

    @classmethod
    def from_pem(cls, pem: bytes) -> Signer:
        """Read an unencrypted PKCS#8 PEM private key; raises MisuseError if it is neither Ed25519 nor P-256."""
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise MisuseError("not an unencrypted PEM private key: make one with `wardhub keygen`") from error
        if not isinstance(key, (Ed25519PrivateKey, EllipticCurvePrivateKey)):
            raise MisuseError("private key is neither Ed25519 nor P-256: make one with `wardhub keygen`")
        return cls.of(key)

    def to_pem(self) -> bytes:
        """Return the key as unencrypted PKCS#8 PEM, to be kept in a file of mode 0600."""
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @property
    def kid(self) -> bytes:
        """The key identifier, 8 bytes."""
        return self.public.kid

    def sign(self, message: bytes) -> bytes:
        """Return the signature, 64 bytes."""
        if isinstance(self._key, Ed25519PrivateKey):
            return self._key.sign(message)
        return es256_signature(*decode_dss_signature(self._key.sign(message, _SHA256)))


def _reader(raw: bytes) -> tuple[Algorithm, Callable[[bytes, bytes], None]]:
    if len(raw) == ED25519_SIZE:
        if (int.from_bytes(raw, "little") & 2**255 - 1) % _PRIME in _LOW_ORDER:
            raise MisuseError("public key of low order: anyone could sign in its name; its owner has to make another")
        return Algorithm.EDDSA, partial(_verify_ed25519, raw)
    try:
        point = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), b"\x04" + raw)
    except ValueError as error:
        raise MisuseError(
            f"public key of {len(raw)} bytes: an Ed25519 key has 32, a P-256 key the 64 of a point on the curve"
        ) from error
    return Algorithm.ES256, partial(_verify_es256, point)


def _verify_ed25519(raw: bytes, signature: bytes, message: bytes) -> None:
    if len(signature) != SIGNATURE_SIZE:  # libsodium is given both in one, and would part them elsewhere
        raise InvalidSignature
    crypto_sign_open(signature + message, raw)


def _verify_es256(key: EllipticCurvePublicKey, signature: bytes, message: bytes) -> None:
    if len(signature) != SIGNATURE_SIZE or signature[32:] > _HIGHEST_S:
        raise InvalidSignature
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    key.verify(encode_dss_signature(r, s), message, _SHA256)
