"""What both ends of a channel derive: held against vectors of the RFCs, and a second computation from their text."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests import oscore_peer
from tests.statements import ENROLMENT, HUB_CHANNEL, SIGNER, SOURCE_CHANNEL, channel_key

from ward_protocol.channel import Agreement, ChannelKey, agree, check_public
from ward_protocol.errors import MisuseError, StatementError
from ward_protocol.keys import Signer
from ward_protocol.schema import from_map, to_map
from ward_protocol.statements import Enrolment

DIGEST = bytes(range(32))
# Computed once by tests/oscore_peer.py; both must go on giving it, or hubs and sources that were enrolled part.
VECTOR = (
    "7027f2d3c963da9ddf22fc68725d9c3a",
    "06b431edfd9ca2a5",
    "64f959c8a1c7cea2",
)


def agreed(own: ChannelKey = HUB_CHANNEL, hub: str = "hub-1", enrolment: bytes = DIGEST) -> Agreement:
    return agree(own, hub, HUB_CHANNEL.public, SOURCE_CHANNEL.public, enrolment)


def test_the_second_computation_is_x25519() -> None:
    # Ref: RFC 7748 §5.2, first test vector, and the iterated one after 1 and 1,000 rounds.
    scalar = bytes.fromhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4")
    point = bytes.fromhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")
    assert oscore_peer.x25519(scalar, point).hex() == "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
    k = u = (9).to_bytes(32, "little")
    k, u = oscore_peer.x25519(k, u), k
    assert k.hex() == "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"


def test_the_second_computation_is_hkdf() -> None:
    # Ref: RFC 5869 A.1, A.2 (longer), A.3 (no salt, no info).
    okm = oscore_peer.hkdf(bytes(range(13)), b"\x0b" * 22, bytes(range(0xF0, 0xFA)), 42)
    assert okm.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    okm = oscore_peer.hkdf(bytes(range(0x60, 0xB0)), bytes(range(0x50)), bytes(range(0xB0, 0x100)), 82)
    assert okm.hex().startswith("b11e398dc80327a1c8e7f78c596a4934")
    assert okm.hex().endswith("cc30c58179ec3e87c14c01d5c1f3434f1d87")
    okm = oscore_peer.hkdf(b"", b"\x0b" * 22, b"", 42)
    assert okm.hex() == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"


def test_two_keys_share_a_secret() -> None:
    # Ref: RFC 7748 §6.1.
    alice, bob = (
        ChannelKey.of(X25519PrivateKey.from_private_bytes(bytes.fromhex(one)))
        for one in (
            "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
            "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
        )
    )
    assert alice.public.hex() == "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
    assert bob.public.hex() == "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
    shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
    assert alice.shared(bob.public).hex() == bob.shared(alice.public).hex() == shared


def test_the_vector() -> None:
    shared = oscore_peer.x25519(bytes([1]) * 32, SOURCE_CHANNEL.public)
    second = oscore_peer.agreement(shared, "hub-1", HUB_CHANNEL.public, SOURCE_CHANNEL.public, DIGEST)
    assert tuple(one.hex() for one in second) == VECTOR
    found = agreed()
    assert (found.secret.hex(), found.salt.hex(), found.context.hex()) == VECTOR


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), st.text(min_size=1, max_size=64))
@settings(max_examples=20)
def test_both_ends_and_the_second_computation_agree(one: bytes, other: bytes, hub: str) -> None:
    own, peer = (ChannelKey.of(X25519PrivateKey.from_private_bytes(raw)) for raw in (one, other))
    assume(own.public != peer.public)
    at_the_hub = agree(own, hub, own.public, peer.public, DIGEST)
    assert at_the_hub == agree(peer, hub, own.public, peer.public, DIGEST)
    second = oscore_peer.agreement(oscore_peer.x25519(one, peer.public), hub, own.public, peer.public, DIGEST)
    assert second == (at_the_hub.secret, at_the_hub.salt, at_the_hub.context)


def test_whatever_differs_makes_another_channel() -> None:
    others = [
        agreed(hub="hub-2"),
        agreed(enrolment=bytes(32)),
        agree(HUB_CHANNEL, "hub-1", HUB_CHANNEL.public, channel_key(3).public, DIGEST),
        agree(SOURCE_CHANNEL, "hub-1", channel_key(3).public, SOURCE_CHANNEL.public, DIGEST),
        # the ends changed about: the same secret, and still another channel
        agree(HUB_CHANNEL, "hub-1", SOURCE_CHANNEL.public, HUB_CHANNEL.public, DIGEST),
    ]
    every = [agreed(), *others]
    for part in ("secret", "salt", "context"):
        assert len({getattr(one, part) for one in every}) == len(every)


@pytest.mark.parametrize(
    ("own", "hub_key", "source_key"),
    [(channel_key(3), HUB_CHANNEL, SOURCE_CHANNEL), (HUB_CHANNEL, HUB_CHANNEL, HUB_CHANNEL)],
)
def test_a_channel_is_between_its_own_key_and_another(
    own: ChannelKey, hub_key: ChannelKey, source_key: ChannelKey
) -> None:
    with pytest.raises(MisuseError, match="between two other keys"):
        agree(own, "hub-1", hub_key.public, source_key.public, DIGEST)


# Points of low order: with them everybody would share the same secret. Ref: RFC 7748 §6.1; the list of
# https://cr.yp.to/ecdh.html#validate.
LOW_ORDER = [
    "00" * 32,
    "01" + "00" * 31,
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ec" + "ff" * 30 + "7f",
    "ed" + "ff" * 30 + "7f",
    "ee" + "ff" * 30 + "7f",
]


@pytest.mark.parametrize("raw", LOW_ORDER)
def test_a_point_of_low_order_is_no_key(raw: str) -> None:
    assert oscore_peer.x25519(bytes([1]) * 32, bytes.fromhex(raw)) == bytes(32)
    with pytest.raises(MisuseError, match="not of low order"):
        check_public(bytes.fromhex(raw))
    with pytest.raises(MisuseError, match="not of low order"):
        HUB_CHANNEL.shared(bytes.fromhex(raw))
    plain = to_map(ENROLMENT) | {4: bytes.fromhex(raw)}
    with pytest.raises(StatementError, match=r"Enrolment\.channel: .* not of low order"):
        from_map(Enrolment, plain)


def test_what_is_a_key_is_what_an_exchange_takes() -> None:
    # Each coordinate of low order and its neighbours, in every form that has 32 bytes: modulo 2 ** 255, and modulo the
    # prime; and as many of any.
    prime, random = 2**255 - 19, Random(1)
    low = {int.from_bytes(bytes.fromhex(raw), "little") % prime for raw in LOW_ORDER}
    near = {
        number + step + more for number in low for step in (-1, 0, 1) for more in (0, prime, 2**255, 2**255 + prime)
    }
    taken = 0
    for number in [*near, *(random.getrandbits(256) for _ in near)]:
        if 0 <= number < 2**256:
            raw = number.to_bytes(32, "little")
            is_key = is_taken(check_public, raw)
            assert is_key == is_taken(HUB_CHANNEL.shared, raw), raw.hex()
            taken += is_key
    assert taken > len(near)
    assert len(low) == 5


def is_taken(read: Callable[[bytes], bytes], raw: bytes) -> bool:
    try:
        read(raw)
    except MisuseError:
        return False
    return True


@pytest.mark.parametrize("raw", [b"", bytes([9]) * 31, bytes([9]) * 33, bytes([9]) * 64])
def test_a_key_has_32_bytes(raw: bytes) -> None:
    with pytest.raises(MisuseError, match="32 bytes"):
        check_public(raw)


@pytest.mark.parametrize("value", [None, "x" * 32, 7, [9] * 32])
def test_a_request_without_a_key_for_the_channel_is_malformed(value: object) -> None:
    with pytest.raises(StatementError, match="32 bytes"):
        from_map(Enrolment, to_map(ENROLMENT) | {4: value})


def test_a_key_survives_its_file_and_a_key_that_signs_is_none() -> None:
    key = ChannelKey.generate()
    assert ChannelKey.from_pem(key.to_pem()) == key
    assert ChannelKey.from_pem(key.to_pem()).shared(HUB_CHANNEL.public) == key.shared(HUB_CHANNEL.public)
    with pytest.raises(MisuseError, match="X25519"):
        ChannelKey.from_pem(SIGNER.to_pem())
    with pytest.raises(MisuseError, match="neither Ed25519 nor P-256"):
        Signer.from_pem(key.to_pem())
    with pytest.raises(MisuseError, match="PEM"):
        ChannelKey.from_pem(os.urandom(40))


def test_a_key_of_a_kind_that_the_library_does_not_know_is_told_as_any_other() -> None:
    body = base64.b64encode(bytes.fromhex("30160201003005 06032a0304 040a04086162636465666768"))
    pem = b"-----BEGIN PRIVATE KEY-----\n" + body + b"\n-----END PRIVATE KEY-----\n"
    for kind in (ChannelKey, Signer):
        with pytest.raises(MisuseError, match="PEM private key"):
            kind.from_pem(pem)


def test_no_secret_shows() -> None:
    agreement = agreed()
    for secret in (agreement.secret, agreement.salt):
        assert secret.hex() not in repr(agreement)
        assert repr(secret) not in repr(agreement)
    assert repr(HUB_CHANNEL) == f"ChannelKey(public={HUB_CHANNEL.public!r})"


# What the second computation makes of OSCORE itself. Ref: RFC 8613 appendix C.
SECRET, SALT = bytes(range(1, 17)), bytes.fromhex("9e7ca92223786340")
C1 = oscore_peer.Keys(SECRET, SALT, None, hub=b"", source=b"\1")
C3 = oscore_peer.Keys(SECRET, SALT, bytes.fromhex("37cbf3210017a2d3"), hub=b"", source=b"\1")
HELLO = b"\x45\xffHello World!"


def test_the_second_computation_derives_the_keys_of_oscore() -> None:
    assert C1.key(b"").hex() == "f0910ed7295e6ad4b54fc793154302ff"
    assert C1.key(b"\1").hex() == "ffb14e093c94c9cac9471648b4f98710"
    assert C1.iv.hex() == "4622d4dd6d944168eefb54987c"
    assert C3.key(b"").hex() == "af2a1300a5e95788b356336eeecd2b92"
    assert C3.key(b"\1").hex() == "e39a0c7c77b43f03b4b39ab9a268699f"
    assert C3.iv.hex() == "2ca58fb85ff1b81c0b7181b85e"


def test_the_second_computation_seals_as_oscore_does() -> None:
    request = bytes.fromhex("01b3747631")
    assert C1.seal_request(b"\x14", request).hex() == "612f1092f1776f1c1668b3825e"  # C.4
    assert C3.seal_request(b"\x14", request).hex() == "72cd7273fd331ac45cffbe55c3"  # C.6
    assert C3.open_request(b"\x14", C3.seal_request(b"\x14", request)) == request
    assert C1.seal_answer(b"\x14", HELLO).hex() == "dbaad1e9a7e7b2a813d3c31524378303cdafae119106"  # C.7
    assert C1.seal_answer(b"\x14", HELLO, b"\0").hex() == "4d4c13669384b67354b2b6175ff4b8658c666a6cf88e"  # C.8
    assert C1.open_answer(b"\x14", C1.seal_answer(b"\x14", HELLO, b"\0"), b"\0") == HELLO


def test_it_takes_datagrams_apart() -> None:
    data = bytes.fromhex("44022f8eef9bbf7a396c6f63616c686f73746b19140837cbf3210017a2d3ff72cd7273fd331ac45cffbe55c3")
    one = oscore_peer.Datagram.parse(data)
    assert one.wire() == data
    assert (one.code, one.piv, one.option(3)) == (2, b"\x14", b"localhost")
    assert one.payload.hex() == "72cd7273fd331ac45cffbe55c3"
