"""A key sealed by two officers' passphrases: without both nobody can use it. The file is described in docs/protocol.md.

The sealing key is scrypt of both passphrases together, so a wrong one cannot be told from the other. The header is
bound to what it seals, and there is exactly one file for the same values: whatever is changed in it is refused.

What was opened lies in this process's memory until it ends: Python's strings and bytes cannot be wiped. Open a sealed
key on a machine that you trust as much as the two officers.
Ref: RFC 7914 (scrypt; memory is 128 * n * r bytes), RFC 8439 (ChaCha20-Poly1305), RFC 5958 (PKCS#8).
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from ward_hub.errors import SealError
from ward_protocol.errors import MisuseError
from ward_protocol.keys import Signer

SALT_SIZE, NONCE_SIZE = 32, 12
MIN_PASSPHRASE = 12
MAX_PASSPHRASE = 1024
MAX_SIZE = 4096
MAX_MEMORY = 512 << 20
BEGIN, END = "-----BEGIN WARDHUB SEALED KEY-----", "-----END WARDHUB SEALED KEY-----"
_LINE = 64
_FORM = re.compile(
    rf"({BEGIN}\n"
    r"version: 1\n"
    r"public: ((?:[0-9a-f]{64}){1,2})\n"
    r"scrypt: n=([1-9][0-9]{0,9}) r=([1-9][0-9]{0,3}) p=([1-9][0-9]{0,3})\n"
    rf"salt: ([0-9a-f]{{{2 * SALT_SIZE}}})\n"
    rf"nonce: ([0-9a-f]{{{2 * NONCE_SIZE}}})\n"
    r"\n)"
    rf"((?:[A-Za-z0-9+/=]{{1,{_LINE}}}\n)+)"
    rf"{END}\n"
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What trying one pair of passphrases takes, as scrypt has it; raises SealError for too little and for too much."""

    n: int
    r: int = 8
    p: int = 1

    def __post_init__(self) -> None:
        if self.n & (self.n - 1) or self.n < 1 << 14 or self.r < 8:
            raise SealError(f"scrypt n={self.n} r={self.r}: n is a power of two from 16384 on, r from 8 on")
        if 128 * self.n * self.r > MAX_MEMORY or self.p > 4:
            raise SealError(f"scrypt n={self.n} r={self.r} p={self.p}: more than 512 MiB, or p above 4, is not opened")


COST = Cost(1 << 17)  # 128 MiB


@dataclass(frozen=True, slots=True)
class Passphrases:
    """The passphrases of two officers, in either order; the repr shows none."""

    one: str
    two: str

    def __repr__(self) -> str:
        return "Passphrases(…)"

    def need_strong(self) -> None:
        """Raise SealError for two that must not seal a key."""
        one, two = (unicodedata.normalize("NFC", each) for each in (self.one, self.two))
        if min(len(one), len(two)) < MIN_PASSPHRASE:
            raise SealError(f"each passphrase must have at least {MIN_PASSPHRASE} characters")
        if one == two:
            raise SealError("the two passphrases must differ: each officer has one of their own")

    def material(self) -> bytes:
        """Return both as one secret, which no other two give: sorted, each behind its size; raises SealError."""
        # NFC: the same letters come composed from one keyboard, and decomposed from another.
        both = sorted(unicodedata.normalize("NFC", each).encode() for each in (self.one, self.two))
        if len(max(both, key=len)) > MAX_PASSPHRASE:
            raise SealError(f"a passphrase has at most {MAX_PASSPHRASE} bytes")
        return b"".join(len(each).to_bytes(4, "big") + each for each in both)


def seal(signer: Signer, passphrases: Passphrases, *, salt: bytes, nonce: bytes, cost: Cost = COST) -> bytes:
    """Return the file of a sealed key; `salt` (32 bytes) and `nonce` (12) are random. Raises SealError."""
    passphrases.need_strong()
    head = _head(signer.public.raw, cost, salt, nonce)
    return _file(head, ChaCha20Poly1305(_derive(passphrases, salt, cost)).encrypt(nonce, signer.to_pem(), head))


def unseal(data: bytes, passphrases: Passphrases) -> Signer:
    """Return the key in a sealed file; raises SealError, the same for either passphrase and for a changed file."""
    found = _FORM.fullmatch(data[: MAX_SIZE + 1].decode("ascii", "replace")) if len(data) <= MAX_SIZE else None
    if found is None:
        raise SealError("this is no sealed key, or it is damaged: make one with `wardhub keygen --sealed`")
    head, public, salt, nonce = found[1].encode(), *(bytes.fromhex(found[each]) for each in (2, 6, 7))
    cost = Cost(int(found[3]), int(found[4]), int(found[5]))
    try:
        box = base64.b64decode(found[8].replace("\n", ""), validate=True)
        if _file(head, box) != data:
            raise SealError("this sealed key is written in another way than it was made: it is damaged")
        signer = Signer.from_pem(ChaCha20Poly1305(_derive(passphrases, salt, cost)).decrypt(nonce, box, head))
    except (InvalidTag, binascii.Error, MisuseError) as error:
        raise SealError("it does not open: a passphrase is wrong, or the file was changed") from error
    if signer.public.raw != public:
        raise SealError("it holds another key than it names")
    return signer


def _derive(passphrases: Passphrases, salt: bytes, cost: Cost) -> bytes:
    secret = passphrases.material()
    try:
        return Scrypt(salt=salt, length=32, n=cost.n, r=cost.r, p=cost.p).derive(secret)
    except MemoryError as error:
        raise SealError(f"{128 * cost.n * cost.r >> 20} MiB of memory are needed, and this machine has less") from error


def _head(public: bytes, cost: Cost, salt: bytes, nonce: bytes) -> bytes:
    return (
        f"{BEGIN}\nversion: 1\npublic: {public.hex()}\nscrypt: n={cost.n} r={cost.r} p={cost.p}\n"
        f"salt: {salt.hex()}\nnonce: {nonce.hex()}\n\n"
    ).encode()


def _file(head: bytes, box: bytes) -> bytes:
    text = base64.b64encode(box).decode()
    lines = [text[at : at + _LINE] for at in range(0, len(text), _LINE)]
    return head + "\n".join([*lines, END, ""]).encode()
