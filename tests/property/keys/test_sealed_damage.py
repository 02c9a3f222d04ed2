"""Sealed keys, damaged: whichever bit of the file is flipped, whatever is cut out or put in, it does not open."""

from __future__ import annotations

from functools import lru_cache
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.statements import SIGNER
from tests.unit.keys.test_sealed import BOTH, CHEAP, NONCE, SALT, SEALED

from ward_hub.errors import SealError
from ward_hub.keys import sealed
from ward_hub.keys.sealed import MIN_PASSPHRASE, Passphrases, seal, unseal

passphrase = st.text(st.characters(codec="utf-8"), min_size=MIN_PASSPHRASE, max_size=40).filter(
    lambda one: len(normalize("NFC", one)) >= MIN_PASSPHRASE
)


@pytest.fixture(autouse=True, scope="module")
def derived_once() -> object:
    """The same passphrases, salt and cost give the same key: working it out once makes every bit affordable."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed, "_derive", lru_cache(maxsize=None)(sealed._derive))
        yield


def opens(data: bytes) -> bool:
    try:
        unseal(data, BOTH)
    except SealError:
        return False
    return True


def test_every_single_bit() -> None:
    assert opens(SEALED)
    for at in range(len(SEALED)):
        for bit in range(8):
            changed = bytearray(SEALED)
            changed[at] ^= 1 << bit
            assert not opens(bytes(changed)), f"byte {at}, bit {bit}"


@given(st.data())
def test_any_change(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(SEALED)))
    cut = data.draw(st.integers(0, 20))
    put = data.draw(st.binary(max_size=20))
    changed = SEALED[:at] + put + SEALED[at + cut :]
    assert opens(changed) == (changed == SEALED)


@given(st.binary(max_size=600))
def test_any_bytes(data: bytes) -> None:
    assert not opens(data)
    head, _, _ = SEALED.partition(b"\n\n")
    assert not opens(head + b"\n\n" + data)


@settings(max_examples=20)
@given(passphrase, passphrase, passphrase)
def test_only_both_open_it(one: str, two: str, other: str) -> None:
    both = Passphrases(one, two)
    if both.material() == Passphrases(one, one).material():
        return
    data = seal(SIGNER, both, salt=SALT, nonce=NONCE, cost=CHEAP)
    assert unseal(data, both).public == SIGNER.public
    for wrong in (Passphrases(one, other), Passphrases(other, two), Passphrases(one + two, ""), Passphrases(one, one)):
        if wrong.material() != both.material():
            with pytest.raises(SealError, match="does not open"):
                unseal(data, wrong)


@given(st.tuples(st.text(max_size=6), st.text(max_size=6)), st.tuples(st.text(max_size=6), st.text(max_size=6)))
def test_no_two_pairs_are_one_secret(one: tuple[str, str], two: tuple[str, str]) -> None:
    """Composed letters and order aside: nothing moves from one officer's passphrase into the other's."""
    same = sorted(normalize("NFC", each) for each in one) == sorted(normalize("NFC", each) for each in two)
    assert (Passphrases(*one).material() == Passphrases(*two).material()) == same
