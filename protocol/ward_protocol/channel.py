"""The channel between a hub and its source: what both ends agree on without a secret ever travelling. Pure.

Each end has an X25519 key. The hub's is made for one enrolment and its public side stands in the request; the source's
stands in the answer; both are signed. From the two keys and the request each end derives the same OSCORE context. All
that was said at enrolment goes into the derivation, so ends that were told different things do not understand each
other. The ids say which end speaks: keys of the two directions differ, and nothing that one end said can be given back
to it as an answer.
Something can also be locked to one end by its public key alone, for who is not the other end.
Ref: RFC 7748 §6.1 (X25519, all-zero output); RFC 5869 (HKDF); RFC 8613 §3.2, §3.3 (context, unique parameters);
RFC 9528 §A.1 (sizes of a Master Secret and Salt for AES-CCM-16-64-128); RFC 9180 §6.1 (HPKE).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ward_protocol import cbor
from ward_protocol.errors import MisuseError

KEY_SIZE = 32
# Sender ID of each end: short, as requests carry it; what is unique to a hub is the ID Context.
HUB_ID, SOURCE_ID = b"h", b"s"
SECRET_SIZE, SALT_SIZE, CONTEXT_SIZE = 16, 8, 8
WHAT = "wardhub channel 1"
_NO_KEY = f"a channel's public key is {KEY_SIZE} bytes of X25519, and not of low order"
_PRIME = 2**255 - 19
# The coordinates of all points of low order, on the curve and on its twist.
_LOW_ORDER = frozenset(
    {
        0,
        1,
        _PRIME - 1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    }
)
BOX_OVERHEAD = KEY_SIZE + 16  # an ephemeral key before what is locked, a tag behind it
_HPKE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


@dataclass(frozen=True, slots=True)
class ChannelKey:
    """One end's private key, and its public side of 32 bytes; its repr never shows the secret."""

    _key: X25519PrivateKey = field(repr=False, compare=False)
    public: bytes

    @classmethod
    def generate(cls) -> ChannelKey:
        """Make a new key from the operating system's randomness."""
        return cls.of(X25519PrivateKey.generate())

    @classmethod
    def of(cls, key: X25519PrivateKey) -> ChannelKey:
        """Wrap a private key of the cryptography library."""
        return cls(key, key.public_key().public_bytes_raw())

    @classmethod
    def from_pem(cls, pem: bytes) -> ChannelKey:
        """Read an unencrypted PKCS#8 PEM private key; raises MisuseError if it is not one of X25519."""
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise MisuseError("not an unencrypted PEM private key") from error
        if not isinstance(key, X25519PrivateKey):
            raise MisuseError("the key is one that signs, a channel needs one of X25519")
        return cls.of(key)

    def to_pem(self) -> bytes:
        """Return the key as unencrypted PKCS#8 PEM, to be kept in a file of mode 0600."""
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def shared(self, peer: bytes) -> bytes:
        """Return the secret shared with a public key (32 bytes each); raises MisuseError where that is no key."""
        return _exchange(self._key, peer)

    def unlock(self, box: bytes, info: bytes) -> bytes:
        """Return what `lock` put into a box for this key, with the same `info`; raises MisuseError for any other."""
        try:
            return _HPKE.decrypt(box, self._key, info=info)
        except InvalidTag as error:
            raise MisuseError("it is locked to another key, for something else, or damaged") from error


@dataclass(frozen=True, slots=True)
class Agreement:
    """What both ends derived: an OSCORE Master Secret, Master Salt and ID Context, of this channel alone."""

    secret: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    context: bytes


def check_public(raw: bytes) -> bytes:
    """Return a public key (32 bytes); raises MisuseError for one with which every secret would be the same.

    The highest bit of a coordinate is ignored, and what is left is taken modulo the prime (RFC 7748 §5). An exchange
    would tell, too, but takes a third of the time of verifying a signature.
    """
    if len(raw) != KEY_SIZE or (int.from_bytes(raw, "little") & 2**255 - 1) % _PRIME in _LOW_ORDER:
        raise MisuseError(_NO_KEY)
    return raw


def lock(data: bytes, public: bytes, info: bytes) -> bytes:
    """Encrypt `data` to a public key (32 bytes) for what `info` says; no two boxes are alike. Raises MisuseError.

    Who locked it is not in it. Ref: RFC 9180 §6.1, base mode: X25519 and HKDF-SHA256, HKDF-SHA256, ChaCha20-Poly1305.
    """
    return _HPKE.encrypt(data, X25519PublicKey.from_public_bytes(check_public(public)), info=info)


def agree(own: ChannelKey, hub: str, hub_key: bytes, source_key: bytes, enrolment: bytes) -> Agreement:
    """Derive what both ends of a channel share; `own` is one of the two keys, whose public sides are given.

    `hub` is the hub's id, `enrolment` the digest of its request (32 bytes). Raises MisuseError.
    """
    peers = {hub_key: source_key, source_key: hub_key}
    if len(peers) != len((hub_key, source_key)) or own.public not in peers:
        raise MisuseError(f"the channel of hub {hub} is between two other keys than {own.public.hex()}")
    shared = own.shared(peers[own.public])

    def derived(what: str, size: int) -> bytes:
        info = cbor.encode([WHAT, what, hub, hub_key, source_key])
        return HKDF(hashes.SHA256(), size, salt=enrolment, info=info).derive(shared)

    return Agreement(derived("secret", SECRET_SIZE), derived("salt", SALT_SIZE), derived("context", CONTEXT_SIZE))


def _exchange(key: X25519PrivateKey, peer: bytes) -> bytes:
    try:
        return key.exchange(X25519PublicKey.from_public_bytes(peer))
    except ValueError as error:
        raise MisuseError(_NO_KEY) from error
