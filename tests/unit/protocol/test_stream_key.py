"""The key of a stream, locked to one hub for one order: held against a second computation from the RFC's text."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.oscore_peer import hkdf_expand, hkdf_extract, tstr, uint, x25519
from tests.statements import HUB_CHANNEL, SOURCE_CHANNEL, channel_key

from ward_protocol.channel import BOX_OVERHEAD, ChannelKey, lock
from ward_protocol.errors import MisuseError
from ward_protocol.statements import lock_master, unlock_master
from ward_protocol.statements.stream import MASTER_SIZE

MASTER = bytes(range(100, 130))
BASE = (9).to_bytes(32, "little")
# Ref: RFC 9180 §7.1, §7.2, §7.3: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305.
KEM_SUITE, SUITE = b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01\x00\x03"


def extract(suite: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    """LabeledExtract, RFC 9180 §4."""
    return hkdf_extract(salt, b"HPKE-v1" + suite + label + ikm)


def expand(suite: bytes, prk: bytes, label: bytes, info: bytes, size: int) -> bytes:
    """LabeledExpand, RFC 9180 §4."""
    return hkdf_expand(prk, size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, size)


def key_and_nonce(shared: bytes, info: bytes) -> tuple[bytes, bytes]:
    """KeySchedule in base mode, RFC 9180 §5.1."""
    context = b"\x00" + extract(SUITE, b"", b"psk_id_hash", b"") + extract(SUITE, b"", b"info_hash", info)
    secret = extract(SUITE, shared, b"secret", b"")
    return expand(SUITE, secret, b"key", context, 32), expand(SUITE, secret, b"base_nonce", context, 12)


def shared_secret(dh: bytes, enc: bytes, public: bytes) -> bytes:
    """ExtractAndExpand, RFC 9180 §4.1."""
    return expand(KEM_SUITE, extract(KEM_SUITE, b"", b"eae_prk", dh), b"shared_secret", enc + public, 32)


def opened(box: bytes, secret: bytes, info: bytes) -> bytes:
    """What is in a box, by the second computation."""
    enc, sealed = box[:32], box[32:]
    shared = shared_secret(x25519(secret, enc), enc, x25519(secret, BASE))
    key, nonce = key_and_nonce(shared, info)
    return ChaCha20Poly1305(key).decrypt(nonce, sealed, b"")


def order_info(issuer: str, sequence: int, hub: str) -> bytes:
    return b"\x84" + tstr("wardhub stream key 1") + tstr(issuer) + uint(sequence) + tstr(hub)


def test_the_second_computation_is_hpke() -> None:
    # Ref: RFC 9180 A.2.1, its first encryption.
    secret = bytes.fromhex("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb")
    enc = bytes.fromhex("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a")
    info = bytes.fromhex("4f6465206f6e2061204772656369616e2055726e")
    public = x25519(secret, BASE)
    assert public.hex() == "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a"
    shared = shared_secret(x25519(secret, enc), enc, public)
    assert shared.hex() == "0bbe78490412b4bbea4812666f7916932b828bba79942424abb65244930d69a7"
    key, nonce = key_and_nonce(shared, info)
    assert key.hex() == "ad2744de8e17f4ebba575b3f5f5a8fa1f69c2a07f6e7500bc60ca6e3e3ec1c91"
    assert nonce.hex() == "5c4d98150661b848853b547f"


@given(st.binary(min_size=32, max_size=32), st.text(min_size=1, max_size=64), st.integers(1, 23))
@example(bytes(32), "hub-1", 1)
@settings(max_examples=20)
def test_a_second_computation_opens_what_is_locked(secret: bytes, hub: str, sequence: int) -> None:
    own = ChannelKey.of(X25519PrivateKey.from_private_bytes(secret))
    box = lock_master(MASTER, own.public, issuer="ward", sequence=sequence, hub=hub)
    assert len(box) == MASTER_SIZE + BOX_OVERHEAD
    assert opened(box, secret, order_info("ward", sequence, hub)) == MASTER
    assert unlock_master(box, own, issuer="ward", sequence=sequence, hub=hub) == MASTER


def locked() -> bytes:
    return lock_master(MASTER, HUB_CHANNEL.public, issuer="ward", sequence=7, hub="hub-1")


def test_no_two_boxes_are_alike_and_none_shows_the_key() -> None:
    assert locked() != locked()
    assert MASTER not in locked()


@pytest.mark.parametrize(
    "changes",
    [{"issuer": "province"}, {"sequence": 8}, {"hub": "hub-2"}, {"own": channel_key(9)}, {"own": SOURCE_CHANNEL}],
)
def test_for_another_order_hub_or_key_it_stays_locked(changes: dict[str, object]) -> None:
    given = {"own": HUB_CHANNEL, "issuer": "ward", "sequence": 7, "hub": "hub-1", **changes}
    with pytest.raises(MisuseError, match="locked to another key, for something else, or damaged"):
        unlock_master(locked(), **given)  # type: ignore[arg-type]


@given(st.integers(0, 8 * 78 - 1))
@settings(max_examples=60)
@example(8 * 31 + 7)
def test_a_changed_bit_opens_nothing(bit: int) -> None:
    """Also the one that X25519 leaves out of a point: the key is made of all of its bytes."""
    box = bytearray(locked())
    box[bit // 8] ^= 1 << bit % 8
    with pytest.raises(MisuseError):
        unlock_master(bytes(box), HUB_CHANNEL, issuer="ward", sequence=7, hub="hub-1")


@given(st.binary(max_size=100))
def test_garbage_opens_nothing(box: bytes) -> None:
    with pytest.raises(MisuseError):
        HUB_CHANNEL.unlock(box, b"")


@pytest.mark.parametrize("public", [bytes(32), bytes(31), b"\x01" + bytes(31)])
def test_nothing_is_locked_to_what_is_no_key(public: bytes) -> None:
    with pytest.raises(MisuseError):
        lock(MASTER, public, b"")
