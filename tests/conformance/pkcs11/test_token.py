"""Keys on a real PKCS#11 token, SoftHSM2: made there, signing there, never leaving, and what is said when it fails."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pkcs11
import pytest
from pkcs11 import Attribute, KeyType, ObjectClass
from tests.softhsm import PIN, WRONG_PIN, SoftHsm, module, softhsm
from tests.statements import BEAT, BULLETIN, SIGNER

from ward_hub.errors import ConfigError, PinRefused, StateError, TokenError
from ward_hub.identity import pin_in_file
from ward_hub.keys.token import Token, reach
from ward_hub.keys.uri import TokenUri
from ward_protocol.envelope import Envelope, add_signature, sign
from ward_protocol.keys import Algorithm, PublicKey

pytestmark = pytest.mark.capability("softhsm2-util")
DEADLINE_S = 60.0  # a hang guard
P256, P384 = "06082a8648ce3d030107", "06052b81040022"  # the curves, as DER names them


def made(hsm: SoftHsm, key: str = "hub") -> TokenUri:
    """A key on the token, made by the code under test."""
    uri = TokenUri.parse(hsm.uri(key))
    reach(uri).make(PIN)
    return uri


def token(uri: TokenUri) -> Token:
    return Token(reach(uri), lambda: pin_in_file(uri), DEADLINE_S)


@contextmanager
def as_another_program() -> Iterator[pkcs11.Session]:
    """A session that may write, logged in."""
    with pkcs11.lib(str(module())).get_token(token_label="ward").open(user_pin=PIN, rw=True) as session:
        yield session


def private_half(session: pkcs11.Session) -> pkcs11.Object:
    return next(iter(list(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY}))))


def pair_of(curve: str, *, extractable: bool) -> None:
    """Put a key pair called hub on the token, as no code of ours would."""
    with as_another_program() as session:
        wanted = session.create_domain_parameters(KeyType.EC, {Attribute.EC_PARAMS: bytes.fromhex(curve)}, local=True)
        wanted.generate_keypair(store=True, label="hub", private_template={Attribute.EXTRACTABLE: extractable})


def test_a_token_makes_ed25519_keys_that_sign_statements(hsm: SoftHsm) -> None:
    uri = made(hsm)
    with token(uri) as key:
        assert key.public.algorithm is Algorithm.EDDSA
        assert Envelope.open(sign(BEAT, [key])).verified_by({key.public.kid: key.public}) == {key.public.kid}
        both = Envelope.open(add_signature(sign(BULLETIN, [SIGNER]), key))
        assert both.verified_by({key.public.kid: key.public, SIGNER.kid: SIGNER.public}) == {SIGNER.kid, key.public.kid}
    assert reach(uri).public() == key.public


def test_one_that_knows_no_ed25519_makes_p256_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        softhsm(tmp_path / "hsm", monkeypatch, "-CKM_EDDSA,CKM_EC_EDWARDS_KEY_PAIR_GEN") as hsm,
        token(made(hsm)) as key,
    ):
        assert key.public.algorithm is Algorithm.ES256
        for number in range(20):  # about half of them come with the high s
            message = bytes([number])
            assert key.public.verifies(key.sign(message), message)


def test_one_that_knows_neither_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with softhsm(tmp_path / "hsm", monkeypatch, "CKM_SHA256") as hsm, pytest.raises(TokenError, match="neither"):
        made(hsm)


def test_the_private_half_never_leaves_the_token(hsm: SoftHsm) -> None:
    made(hsm)
    with as_another_program() as session:
        private = private_half(session)
        assert (private[Attribute.SENSITIVE], private[Attribute.EXTRACTABLE]) == (True, False)
        assert private[Attribute.NEVER_EXTRACTABLE]
        assert private[Attribute.LOCAL]
        with pytest.raises(pkcs11.PKCS11Error):
            _ = private[Attribute.VALUE]


def test_a_key_is_never_overwritten(hsm: SoftHsm) -> None:
    uri = made(hsm)
    before = reach(uri).public()
    with pytest.raises(TokenError, match="exists already"):
        reach(uri).make(PIN)
    assert reach(uri).public() == before
    with as_another_program() as session:
        assert len(list(session.get_objects({Attribute.LABEL: "hub"}))) == 2


def test_two_keys_of_one_token_sign_side_by_side(hsm: SoftHsm) -> None:
    with token(made(hsm, "an")) as one, token(made(hsm, "binh")) as two:
        data = sign(BULLETIN, [one, two])
    keys = {each.public.kid: each.public for each in (one, two)}
    assert Envelope.open(data).verified_by(keys) == set(keys)


@pytest.mark.parametrize(
    ("curve", "extractable", "words"),
    [(P256, True, "could be read out"), (P384, False, "neither Ed25519 nor P-256")],
)
def test_what_another_program_made_must_be_as_good(hsm: SoftHsm, curve: str, extractable: bool, words: str) -> None:
    pair_of(curve, extractable=extractable)
    with pytest.raises(TokenError, match=words):
        token(TokenUri.parse(hsm.uri()))


def test_a_good_key_of_another_program_signs(hsm: SoftHsm) -> None:
    pair_of(P256, extractable=False)
    with token(TokenUri.parse(hsm.uri())) as key:
        assert key.public.verifies(key.sign(b"message"), b"message")


def test_half_a_key_is_neither_used_nor_made_whole(hsm: SoftHsm) -> None:
    uri = made(hsm)
    with as_another_program() as session:
        private_half(session).destroy()
    with pytest.raises(TokenError, match="no such private key"):
        token(uri)
    with pytest.raises(TokenError, match="a part of it"):
        reach(uri).make(PIN)


def test_two_keys_of_one_name_are_told_apart_by_id(hsm: SoftHsm) -> None:
    made(hsm)
    pair_of(P256, extractable=False)
    with pytest.raises(TokenError, match="2 public keys are called so: name its id"):
        token(TokenUri.parse(hsm.uri()))
    assert reach(TokenUri.parse(hsm.uri(more=";id=hub"))).public().algorithm is Algorithm.EDDSA


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("token=ward", "token=other"), "there is no such token"),
        (("token=ward", "serial=00"), "there is no such token"),
        (("object=hub", "object=other"), "no such public key is on it: make one with `wardhub keygen`"),
        (("object=hub", "object=hub;id=%00"), "no such public key is on it"),
    ],
)
def test_what_is_not_there_is_said(hsm: SoftHsm, change: tuple[str, str], words: str) -> None:
    made(hsm)
    uri = TokenUri.parse(hsm.uri().replace(*change))
    with pytest.raises(TokenError, match=words):
        token(uri)
    with pytest.raises(TokenError, match=words):
        reach(uri).public()


def test_a_token_and_a_key_can_be_named_by_number(hsm: SoftHsm) -> None:
    uri = made(hsm)
    serial = pkcs11.lib(str(module())).get_token(token_label="ward").serial.decode()
    text = f"pkcs11:serial={serial};manufacturer=SoftHSM%20project;id=hub;type=private?module-path={module()}"
    assert reach(TokenUri.parse(text)).public() == reach(uri).public()


def test_two_tokens_of_one_name_are_told_apart_by_serial(hsm: SoftHsm) -> None:
    made(hsm)
    pkcs11.lib(str(module())).finalize()
    hsm.add("ward")
    with pytest.raises(TokenError, match="2 tokens are called so: name its serial"):
        token(TokenUri.parse(hsm.uri()))


def test_no_library_no_token(hsm: SoftHsm, tmp_path: Path) -> None:
    text = hsm.uri().replace(str(module()), str(tmp_path / "lib.so"))
    with pytest.raises(ConfigError, match=r"there is no library .*lib\.so"):
        reach(TokenUri.parse(text))
    (tmp_path / "lib.so").write_text("no library")
    with pytest.raises(ConfigError, match="is no PKCS#11 library for this machine"):
        reach(TokenUri.parse(text)).public()


# The PIN


def test_a_wrong_pin_is_said_without_telling_it(hsm: SoftHsm, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    uri = made(hsm)
    hsm.set_pin(WRONG_PIN)
    with pytest.raises(PinRefused, match=r"token ward, key hub: it refuses the PIN: correct .*pin;") as caught:
        token(uri)
    said = f"{caught.value!r} {caught.value.__cause__!r} {caplog.text} {uri!r} {uri}"
    assert WRONG_PIN not in said
    assert PIN not in said
    with pytest.raises(PinRefused):
        reach(TokenUri.parse(hsm.uri("new"))).make(WRONG_PIN)


def test_a_pin_that_others_could_read_is_not_used(hsm: SoftHsm) -> None:
    uri = made(hsm)
    hsm.pin_file.chmod(0o640)
    with pytest.raises(StateError, match="others could read this PIN"):
        token(uri)


# Pulled, put back, exchanged


def test_a_token_that_was_pulled_signs_again_when_it_is_back(hsm: SoftHsm) -> None:
    with token(made(hsm)) as key:
        hsm.pull()
        for _ in range(3):
            with pytest.raises(TokenError, match="token ward, key hub: "):
                key.sign(b"message")
        hsm.put_back()
        assert key.public.verifies(key.sign(b"message"), b"message")


def test_another_token_of_the_same_name_is_not_taken_for_it(hsm: SoftHsm) -> None:
    with token(made(hsm)) as key:
        hsm.tokens.rename(hsm.folder / "first")
        hsm.tokens.mkdir()
        hsm.add("ward")
        with pytest.raises(TokenError):
            key.sign(b"message")
        with pytest.raises(TokenError, match="no such public key"):
            key.sign(b"message")
        reach(TokenUri.parse(hsm.uri())).make(PIN)
        with pytest.raises(TokenError, match="another key is in its place"):
            key.sign(b"message")
        hsm.tokens.rename(hsm.folder / "second")
        (hsm.folder / "first").rename(hsm.tokens)
        assert key.public.verifies(key.sign(b"message"), b"message")


def test_a_refused_pin_is_tried_once_until_its_file_changes(hsm: SoftHsm) -> None:
    """A token locks after a few wrong PINs; an agent asks again every few seconds."""
    with token(made(hsm)) as key:
        hsm.set_pin(WRONG_PIN)
        hsm.pull()
        with pytest.raises(TokenError):
            key.sign(b"message")
        hsm.put_back()
        with pytest.raises(PinRefused, match="it refuses the PIN"):
            key.sign(b"message")
        for _ in range(5):
            with pytest.raises(PinRefused, match="it refused the PIN that still stands in"):
                key.sign(b"message")
        hsm.set_pin(PIN)
        assert key.public.verifies(key.sign(b"message"), b"message")


def test_what_is_no_key_of_ours_is_never_a_signature(hsm: SoftHsm) -> None:
    """A token that signs with something else than it shows is found out before anybody else sees the signature."""
    uri = made(hsm)
    device = reach(uri)
    device.log_in(PIN)
    with pytest.raises(TokenError, match="does not fit its public key"):
        device.sign(b"message", PublicKey(SIGNER.public.raw))
    device.close()
