"""Sealed keys: both passphrases open them, in either order and however letters were composed; nothing else does."""

from __future__ import annotations

import unicodedata

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from tests.statements import SIGNER, STRANGER, p256_signer

from ward_hub.errors import SealError
from ward_hub.keys import sealed
from ward_hub.keys.sealed import BEGIN, COST, MAX_SIZE, Cost, Passphrases, seal, unseal
from ward_protocol.keys import Signer

ONE, TWO = "cá rô đồng kho tộ", "trống cái chiều hôm"
BOTH = Passphrases(ONE, TWO)
SALT, NONCE = bytes(range(32)), bytes(range(12))
CHEAP = Cost(1 << 14)
SEALED = seal(SIGNER, BOTH, salt=SALT, nonce=NONCE, cost=CHEAP)
DOES_NOT_OPEN = "it does not open: a passphrase is wrong, or the file was changed"


def refusal(data: bytes, passphrases: Passphrases = BOTH) -> str:
    with pytest.raises(SealError) as caught:
        unseal(data, passphrases)
    return str(caught.value)


@pytest.mark.parametrize("signer", [SIGNER, p256_signer(7)])
def test_both_open_it_in_either_order(signer: Signer) -> None:
    data = seal(signer, BOTH, salt=SALT, nonce=NONCE, cost=CHEAP)
    for given in (BOTH, Passphrases(TWO, ONE)):
        key = unseal(data, given)
        assert key.public == signer.public
        assert signer.public.verifies(key.sign(b"message"), b"message")


def test_letters_may_come_composed_or_decomposed() -> None:
    apart = Passphrases(unicodedata.normalize("NFD", ONE), unicodedata.normalize("NFD", TWO))
    assert apart.one != ONE
    assert unseal(SEALED, apart).public == SIGNER.public


def test_the_file_says_which_key_it_is_and_nothing_of_the_secret() -> None:
    text = SEALED.decode()
    assert text.startswith(BEGIN)
    assert f"public: {SIGNER.public.raw.hex()}\nscrypt: n=16384 r=8 p=1\n" in text
    pem = SIGNER.to_pem().decode()
    assert not any(line in text for line in pem.splitlines()[1:-1])
    assert len(SEALED) < MAX_SIZE // 4


def test_what_is_sealed_by_default_takes_128_mib_a_try() -> None:
    assert 128 * COST.n * COST.r == 128 << 20
    data = seal(SIGNER, BOTH, salt=SALT, nonce=NONCE)
    assert unseal(data, BOTH).public == SIGNER.public


@pytest.mark.parametrize(
    "given",
    [
        (ONE, ONE), (TWO, TWO), (ONE, TWO + "."), (ONE + ".", TWO), ("", TWO), (ONE, ""), ("", ""),
        (ONE.upper(), TWO), (ONE, f"{TWO} "), (ONE + TWO, ""), (ONE[:-1], ONE[-1] + TWO), ("x" * 12, "y" * 12),
    ],
)  # fmt: skip
def test_a_wrong_one_is_not_told_from_the_other(given: tuple[str, str]) -> None:
    assert refusal(SEALED, Passphrases(*given)) == DOES_NOT_OPEN


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("x" * 11, TWO), "at least 12 characters"),
        ((ONE, "x" * 11), "at least 12 characters"),
        ((unicodedata.normalize("NFD", "ế" * 11), TWO), "at least 12 characters"),
        ((ONE, ONE), "must differ"),
        ((ONE, unicodedata.normalize("NFD", ONE)), "must differ"),
        ((ONE, "x" * 1025), "at most 1024 bytes"),
    ],
)
def test_weak_passphrases_seal_nothing(given: tuple[str, str], words: str) -> None:
    with pytest.raises(SealError, match=words):
        seal(SIGNER, Passphrases(*given), salt=SALT, nonce=NONCE, cost=CHEAP)


def test_passphrases_show_nothing_of_themselves() -> None:
    assert ONE not in repr(BOTH)
    assert TWO not in str(BOTH)


# What scrypt would take


@pytest.mark.parametrize(
    "cost",
    ["n=8192 r=8 p=1", "n=16385 r=8 p=1", "n=16384 r=7 p=1", "n=1048576 r=8 p=1", "n=524288 r=9 p=1", "n=16384 r=8 p=5",
     "n=4294967296 r=8 p=1", "n=16384 r=9999 p=1", "n=16384 r=8 p=9999", "n=1 r=8 p=1"],
)  # fmt: skip
def test_absurd_parameters_are_refused_before_any_memory_is_taken(cost: str) -> None:
    assert refusal(SEALED.replace(b"n=16384 r=8 p=1", cost.encode())).startswith("scrypt n=")


@pytest.mark.parametrize("cost", ["n=0 r=8 p=1", "n=016384 r=8 p=1", "n=16384 r=8 p=0", "n=99999999999 r=8 p=1"])
def test_parameters_that_are_none_are_no_sealed_key(cost: str) -> None:
    assert "no sealed key" in refusal(SEALED.replace(b"n=16384 r=8 p=1", cost.encode()))


def test_parameters_may_grow() -> None:
    grown = seal(SIGNER, BOTH, salt=SALT, nonce=NONCE, cost=Cost(1 << 15, 8, 2))
    assert b"n=32768 r=8 p=2" in grown
    assert unseal(grown, BOTH).public == SIGNER.public
    assert refusal(grown.replace(b"n=32768 r=8 p=2", b"n=32768 r=8 p=1")) == DOES_NOT_OPEN


# The file


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff" * 50, SEALED + b"\n", b"\n" + SEALED, SEALED + SEALED, SEALED[:-1], SEALED.replace(b"\n", b"\r\n"),
     SEALED.replace(b"version: 1", b"version: 2"), SIGNER.to_pem(), SEALED * 20],
)  # fmt: skip
def test_what_is_no_sealed_key_is_said(data: bytes) -> None:
    assert "this is no sealed key, or it is damaged" in refusal(data)


def test_another_layout_of_the_same_is_refused() -> None:
    head, _, rest = SEALED.partition(b"\n\n")
    lines = rest.split(b"\n")
    other = head + b"\n\n" + b"\n".join([lines[0] + lines[1][:0], lines[1][:32], lines[1][32:], *lines[2:]])
    assert "in another way" in refusal(other)


def test_a_key_under_another_s_name_is_refused() -> None:
    """Whoever has both passphrases could write it so; nobody should believe it."""
    head = sealed._head(STRANGER.public.raw, CHEAP, SALT, NONCE)
    box = ChaCha20Poly1305(sealed._derive(BOTH, SALT, CHEAP)).encrypt(NONCE, SIGNER.to_pem(), head)
    assert refusal(sealed._file(head, box)) == "it holds another key than it names"


def test_a_seal_of_something_else_is_refused() -> None:
    head = sealed._head(SIGNER.public.raw, CHEAP, SALT, NONCE)
    box = ChaCha20Poly1305(sealed._derive(BOTH, SALT, CHEAP)).encrypt(NONCE, b"no key at all", head)
    assert refusal(sealed._file(head, box)) == DOES_NOT_OPEN
