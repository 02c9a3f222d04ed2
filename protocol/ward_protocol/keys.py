"""Keys that sign statements: Ed25519, named by a short thumbprint.

Ref: RFC 9053 §2.2 (EdDSA), RFC 9679 (COSE Key thumbprint; ours keeps the first 8 bytes of the SHA-256).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ward_protocol import cbor
from ward_protocol.errors import MisuseError

KID_SIZE = 8


def kid_of(raw_public: bytes) -> bytes:
    """Return the key identifier (8 bytes) of a raw Ed25519 public key (32 bytes)."""
    return hashlib.sha256(cbor.encode({1: 1, -1: 6, -2: raw_public})).digest()[:KID_SIZE]


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 public key, `raw` of 32 bytes; raises MisuseError when they are not a key."""

    raw: bytes
    kid: bytes = field(init=False)
    _key: Ed25519PublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            key = Ed25519PublicKey.from_public_bytes(self.raw)
        except ValueError as error:
            raise MisuseError(f"public key of {len(self.raw)} bytes: an Ed25519 key has 32") from error
        object.__setattr__(self, "_key", key)
        object.__setattr__(self, "kid", kid_of(self.raw))

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Say whether `signature` (64 bytes) is this key's over `message`."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """A private Ed25519 key that signs; its repr never shows the secret."""

    _key: Ed25519PrivateKey = field(repr=False, compare=False)
    public: PublicKey

    @classmethod
    def generate(cls) -> Signer:
        """Make a new key from the operating system's randomness."""
        return cls.of(Ed25519PrivateKey.generate())

    @classmethod
    def of(cls, key: Ed25519PrivateKey) -> Signer:
        """Wrap a private key of the cryptography library."""
        return cls(key, PublicKey(key.public_key().public_bytes_raw()))

    @classmethod
    def from_pem(cls, pem: bytes) -> Signer:
        """Read an unencrypted PKCS#8 PEM private key; raises MisuseError if it is not an Ed25519 one."""
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise MisuseError("not an unencrypted PEM private key: make one with `wardhub keygen`") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise MisuseError("private key is not Ed25519: make one with `wardhub keygen`")
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
        return self._key.sign(message)
