"""One key on a PKCS#11 token, by the library python-pkcs11: found, made, and signed with.

Nothing else imports python-pkcs11, and this module is imported only where a token is configured: it needs the extra
`token`. The library is used by one thread at a time.

EdDSA where the token can, else ECDSA over our own SHA-256: some tokens, SoftHSM 2.6 among them, have no
CKM_ECDSA_SHA256. Tokens disagree on how the curve of Ed25519 is named, and on whether a point is wrapped in an OCTET
STRING; both forms are taken.
Ref: PKCS #11 v3.1 §6.3 (EC and Edwards keys, CKA_EC_PARAMS, CKA_EC_POINT), §5.6.8 (C_Login); RFC 8410 §3 (1.3.101.112).
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass, SignMixin, TokenFlag
from pkcs11 import exceptions as ck

from ward_hub.errors import ConfigError, PinRefused, TokenError
from ward_hub.keys.uri import TokenUri
from ward_protocol.errors import MisuseError
from ward_protocol.keys import Algorithm, PublicKey, es256_signature

if TYPE_CHECKING:
    from pkcs11._pkcs11 import lib as Library  # noqa: N812 - a class, and pkcs11.lib is a function that returns one

# What a key pair may be made as: the curve's parameters, in DER, in the order in which they are tried.
_ED25519 = (bytes.fromhex("06032b6570"), b"\x13\x0cedwards25519")
_P256 = (bytes.fromhex("06082a8648ce3d030107"),)
_CURVES = {Algorithm.EDDSA: _ED25519, Algorithm.ES256: _P256}
_KINDS = {
    Algorithm.EDDSA: (KeyType.EC_EDWARDS, Mechanism.EC_EDWARDS_KEY_PAIR_GEN, Mechanism.EDDSA),
    Algorithm.ES256: (KeyType.EC, Mechanism.EC_KEY_PAIR_GEN, Mechanism.ECDSA),
}
# Sizes of a point as tokens give it, and where x and y, or the 32 bytes of Ed25519, begin in it.
_POINTS = {32: 0, 34: 2, 65: 1, 67: 3}
_GONE = (
    ck.DeviceRemoved, ck.TokenNotPresent, ck.TokenNotRecognised, ck.SlotIDInvalid, ck.SessionClosed,
    ck.SessionHandleInvalid, ck.ObjectHandleInvalid, ck.KeyHandleInvalid,
)  # fmt: skip
PROBE = b"wardhub"


class Cryptoki:
    """The key of `uri`, as its token's library gives it.

    Whatever fails is a TokenError that names token, key and remedy; a PIN stands in none. Raises ConfigError at once
    where there is no such library.
    """

    def __init__(self, uri: TokenUri) -> None:
        self.uri = uri
        self._session: pkcs11.Session | None = None
        self._private: SignMixin | None = None
        if not uri.module.is_file():
            raise ConfigError(f"{uri}: there is no library {uri.module}: install the token's, or correct module-path")

    def public(self) -> PublicKey:
        """Return the public half; the token is not asked for its PIN."""
        with self._told("read its public key"), self._token().open() as session:
            return self._public_in(session)

    def holds(self) -> bool:
        """Say whether the key is there; the token is not asked for its PIN."""
        with self._told("look for the key"), self._token().open() as session:
            return bool(self._found(session, ObjectClass.PUBLIC_KEY))

    def make(self, pin: str, algorithms: Sequence[Algorithm] = tuple(Algorithm)) -> PublicKey:
        """Make the key on the token, by the first of `algorithms` that it can; the private half can never be read."""
        with self._told("make the key"):
            token = self._token()
            with _logged_in(self.uri, token, pin, rw=True) as session:
                if any(self._found(session, one) for one in (ObjectClass.PUBLIC_KEY, ObjectClass.PRIVATE_KEY)):
                    raise TokenError(f"{self.uri}: exists already, or a part of it; a key is never overwritten")
                able = token.slot.get_mechanisms()
                for algorithm in algorithms:
                    if {*_KINDS[algorithm][1:]} <= able:
                        return self._made(session, algorithm)
        raise TokenError(f"{self.uri}: this token can make neither Ed25519 nor P-256 keys: use another")

    def log_in(self, pin: str) -> PublicKey:
        """Have the key ready to sign, until `close`; return its public half."""
        with self._told("log in"):
            self._session = _opened(self.uri, self._token(), pin)
            public = self._public_in(self._session)
            self._private = self._private_in(self._session)
        return public

    def sign(self, message: bytes, public: PublicKey) -> bytes:
        """Return the signature, 64 bytes, once it was seen to be that of `public`."""
        if self._private is None:
            raise TokenError(f"{self.uri}: not logged in")
        with self._told("sign"):
            signature = _signature(self._private, public.algorithm, message)
        if not public.verifies(signature, message):
            raise TokenError(f"{self.uri}: its signature does not fit its public key: the token is faulty")
        return signature

    def close(self) -> None:
        """Log out; a token that is gone needs none."""
        session, self._session, self._private = self._session, None, None
        if session is not None:
            with contextlib.suppress(ck.PKCS11Error):
                session.close()

    def forget(self) -> None:
        """Begin anew with the library after something failed: some see a token that was plugged in again only so."""
        self._session = self._private = None
        with contextlib.suppress(ck.PKCS11Error):
            pkcs11.lib(str(self.uri.module)).finalize()

    def _token(self) -> pkcs11.Token:
        uri = self.uri
        fitting = [one for one in _library(uri).get_tokens() if _fits(one, uri)]
        if not fitting:
            raise TokenError(f"{uri}: there is no such token in {uri.module}: plug it in, or correct the URI")
        if len(fitting) > 1:
            raise TokenError(f"{uri}: {len(fitting)} tokens are called so: name its serial in the URI")
        return fitting[0]

    def _found(self, session: pkcs11.Session, kind: ObjectClass) -> list[pkcs11.Key]:
        wanted: dict[Attribute, object] = {Attribute.CLASS: kind}
        if self.uri.label is not None:
            wanted[Attribute.LABEL] = self.uri.label
        if self.uri.key_id is not None:
            wanted[Attribute.ID] = self.uri.key_id
        return [one for one in session.get_objects(wanted) if isinstance(one, pkcs11.Key)]

    def _public_in(self, session: pkcs11.Session) -> PublicKey:
        return _public(self._one(session, ObjectClass.PUBLIC_KEY), self.uri)

    def _private_in(self, session: pkcs11.Session) -> SignMixin:
        key = self._one(session, ObjectClass.PRIVATE_KEY)
        if key[Attribute.EXTRACTABLE] or not key[Attribute.SENSITIVE]:
            raise TokenError(f"{self.uri}: this key could be read out of its token: make one with `wardhub keygen`")
        if not isinstance(key, SignMixin):
            raise TokenError(f"{self.uri}: this key is not one that signs: make one with `wardhub keygen`")
        return key

    def _one(self, session: pkcs11.Session, kind: ObjectClass) -> pkcs11.Key:
        found, half = self._found(session, kind), "public" if kind is ObjectClass.PUBLIC_KEY else "private"
        if not found:
            raise TokenError(f"{self.uri}: no such {half} key is on it: make one with `wardhub keygen`")
        if len(found) > 1:
            raise TokenError(f"{self.uri}: {len(found)} {half} keys are called so: name its id in the URI")
        return found[0]

    def _made(self, session: pkcs11.Session, algorithm: Algorithm) -> PublicKey:
        """Make a key pair that was seen to sign; one that was not is taken off the token again."""
        kind, maker, _ = _KINDS[algorithm]
        label = self.uri.label or ""
        refused: ck.PKCS11Error | None = None
        for curve in _CURVES[algorithm]:
            wanted = session.create_domain_parameters(kind, {Attribute.EC_PARAMS: curve}, local=True)
            try:
                halves = wanted.generate_keypair(
                    store=True, label=label, id=self.uri.key_id or label.encode(), mechanism=maker,
                    capabilities=pkcs11.MechanismFlag.SIGN | pkcs11.MechanismFlag.VERIFY,
                    public_template={Attribute.PRIVATE: False},
                    private_template={Attribute.EXTRACTABLE: False, Attribute.SENSITIVE: True},
                )  # fmt: skip
            except ck.PKCS11Error as error:
                refused = error  # this name of the curve is not its own
                continue
            try:
                public, private = self._public_in(session), self._private_in(session)
                if public.verifies(_signature(private, algorithm, PROBE), PROBE):
                    return public
                raise TokenError(f"{self.uri}: the key that it made does not sign: use another token")
            except (ck.PKCS11Error, TokenError):
                for half in halves:
                    half.destroy()
                raise
        raise refused or TokenError(f"{self.uri}: no key was made")

    @contextlib.contextmanager
    def _told(self, doing: str) -> Generator[None]:
        try:
            yield
        except ck.PKCS11Error as error:
            raise _said(self.uri, doing, error) from error


def _library(uri: TokenUri) -> Library:
    try:
        return pkcs11.lib(str(uri.module))
    except (ck.PKCS11Error, OSError) as error:
        if type(error) is ck.PKCS11Error:  # not one that the library itself told: it could not be loaded
            raise ConfigError(f"{uri}: {uri.module} is no PKCS#11 library for this machine: {error}") from error
        raise


def _fits(token: pkcs11.Token, uri: TokenUri) -> bool:
    wanted = (uri.token, uri.serial, uri.manufacturer, uri.model)
    found = (token.label, token.serial.decode(errors="replace"), token.manufacturer_id, token.model)
    return all(want in (None, have) for want, have in zip(wanted, found, strict=True))


def need_tries_left(uri: TokenUri, flags: TokenFlag) -> None:
    """Raise PinRefused where a token is locked, or would be by one more wrong PIN: that try is a person's."""
    if flags & TokenFlag.USER_PIN_LOCKED:
        raise PinRefused(f"{uri}: its PIN is locked: its security officer must set a new one")
    if flags & TokenFlag.USER_PIN_FINAL_TRY:
        raise PinRefused(
            f"{uri}: one more wrong PIN would lock it, so none is tried: log in once with the token's own program"
        )


def _opened(uri: TokenUri, token: pkcs11.Token, pin: str, *, rw: bool = False) -> pkcs11.Session:
    need_tries_left(uri, token.flags)
    try:
        return token.open(rw=rw, user_pin=pin)
    except ck.UserAlreadyLoggedIn:  # by another key of this process on the same token
        return token.open(rw=rw)


@contextlib.contextmanager
def _logged_in(uri: TokenUri, token: pkcs11.Token, pin: str, *, rw: bool) -> Generator[pkcs11.Session]:
    session = _opened(uri, token, pin, rw=rw)
    try:
        yield session
    finally:
        with contextlib.suppress(ck.PKCS11Error):
            session.close()


def _signature(key: SignMixin, algorithm: Algorithm, message: bytes) -> bytes:
    _, _, by = _KINDS[algorithm]
    if algorithm is Algorithm.EDDSA:
        return key.sign(message, mechanism=by)
    raw = key.sign(hashlib.sha256(message).digest(), mechanism=by)
    half = len(raw) // 2
    return es256_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))


def _public(key: pkcs11.Key, uri: TokenUri) -> PublicKey:
    point: bytes = key[Attribute.EC_POINT] if key.key_type in {KeyType.EC, KeyType.EC_EDWARDS} else b""
    try:
        return PublicKey(point[_POINTS[len(point)] :])
    except (KeyError, MisuseError) as error:
        raise TokenError(f"{uri}: this key is neither Ed25519 nor P-256: make one with `wardhub keygen`") from error


def _said(uri: TokenUri, doing: str, error: ck.PKCS11Error) -> TokenError:
    """Return what a library's error means, and what to do; its own words are few."""
    match error:
        case ck.PinIncorrect() | ck.PinInvalid() | ck.PinLenRange():
            where = f"correct {uri.pin_source}; " if uri.pin_source else ""
            return PinRefused(f"{uri}: it refuses the PIN: {where}after a few wrong ones it locks")
        case ck.PinLocked():
            return PinRefused(f"{uri}: its PIN is locked: its security officer must set a new one")
        case _ if isinstance(error, _GONE):
            return TokenError(f"{uri}: cannot {doing}: the token, or the key on it, is gone: plug it in again")
        case _:
            words = f"{type(error).__name__} {error}".strip()
            return TokenError(f"{uri}: cannot {doing}: {words}: plug it in anew, or ask its own program")
