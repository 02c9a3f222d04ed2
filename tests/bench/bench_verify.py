"""Decode and verify of one statement against a bare Ed25519 verify of the same bytes by cryptography.

Ours is everything that a hub does with bytes before it trusts them: size, frame, key by its id, signatures, then the
statement's one encoding and every field. The bare verify is given the bytes that were signed, the signature and the
key; four of each where there are four signatures. Keys are parsed before, as a hub has them; nothing else is remembered
from one statement to the next. Ours verifies by libsodium (docs/adr/0022), so a bare verify by that has rows as well:
what ours takes beyond it is its own.

They take turns, one call each, some thousand times, and the medians are compared: whatever else the machine does
meets both alike, and neither finds its code warm in the cache because it ran a moment ago. A hub reads a statement now
and then, not in a loop.

Every type has rows, signed as often as a hub asks for, or less: one signature is the hardest case, as decoding costs
the same with four. Large grants have more to read, and hardly more to verify. Beside the largest stands the least that
any reader takes: cbor2, in compiled code, makes plain objects of the same bytes and checks nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from nacl.bindings import crypto_sign_open
from tests.bench.harness import Row
from tests.bench.timing import medians_s
from tests.statements import (
    ADMISSION,
    AREA,
    AUTHORITY,
    BEAT,
    BULLETIN,
    CANCEL,
    ENROLMENT,
    EVERYTHING,
    GRANTS,
    ORDERS,
    RECEIPT,
    ROOT,
    signer,
)

from ward_protocol.envelope import Envelope, Sealed, sign
from ward_protocol.keys import Signer
from ward_protocol.statements import Audience, Priority, Statement, Text

AUTHOR, QUORUM = signer(1), [signer(number) for number in (21, 22, 23)]
KEYS = {one.kid: one.public for one in (AUTHOR, *QUORUM)}
RATIO_LIMIT, SIZE_LIMIT = 1.2, 800
REPEATS = 2001
SEVERAL = (4, 8, 16)
# One area, title and body of 300 bytes together, emergency.
TITLE = "Lũ quét: sơ tán ngay"
BODY = "Nước suối dâng rất nhanh. "
ALERT = replace(BULLETIN, audience=Audience((AREA,)), audio=(), cap=None, repeats=1, approver="", supersedes=())
ALERT = replace(
    ALERT, texts=(Text("vi", TITLE, (BODY * 20).encode()[: 300 - len(TITLE.encode())].decode(errors="ignore")),)
)
QUORATE = "alert of 300 bytes, author and 3 of the quorum"
WHAT: list[tuple[str, Statement, list[Signer]]] = [
    ("alert of 300 bytes, its author", ALERT, [AUTHOR]),
    (QUORATE, ALERT, [AUTHOR, *QUORUM]),
    ("bulletin with every field, its author", replace(BULLETIN, priority=Priority.PRIORITY), [AUTHOR]),
    ("bulletin with every field, author and 3 of the quorum", BULLETIN, [AUTHOR, *QUORUM]),
    ("cancel", CANCEL, [AUTHOR]),
    *((f"order {one.title}", one, [AUTHOR]) for one in ORDERS),
    ("beat of one issuer", BEAT, [AUTHOR]),
    ("root of three keys", ROOT, [AUTHOR]),
    ("grants of one authority", replace(GRANTS, authorities=(AUTHORITY,)), [AUTHOR]),
    ("grants of one authority with every field", replace(GRANTS, authorities=(EVERYTHING,)), [AUTHOR]),
    ("receipt with evidence", RECEIPT, [AUTHOR]),
    ("enrolment", ENROLMENT, [AUTHOR]),
    ("admission", ADMISSION, [AUTHOR]),
]


def rows() -> Iterator[Row]:
    """Yield for each statement its size, the time beside the bare verifies, the ratio to the first beside the limit."""
    _times_us(sign(ALERT, [AUTHOR, *QUORUM]))  # a processor that has idled takes a second to come to its speed
    signed = [(what, sign(one, signers)) for what, one, signers in WHAT]
    for what, data in (*signed, *((f"grants of {count} authorities", _grants_of(count)) for count in SEVERAL)):
        ours, bare, sodium = _times_us(data)
        limit = SIZE_LIMIT if what == QUORATE else None
        yield Row(f"{what}: size", "bytes", len(data), limit, "limit" if limit else "")
        yield Row(f"{what}: decode and verify", "us", ours, bare, "bare verify by cryptography")
        yield Row(f"{what}: the same", "us", ours, sodium, "bare verify by libsodium")
        yield Row(f"{what}: ratio", "x", ours / bare, RATIO_LIMIT, "limit")
    payload = Sealed.read(_grants_of(SEVERAL[-1])).payload
    (least,) = medians_s(lambda: cbor2.loads(payload), repeats=REPEATS)
    yield Row(f"grants of {SEVERAL[-1]} authorities: cbor2 alone, without any check", "us", least * 1e6)


def trusted(data: bytes) -> Statement:
    """Return the statement of those bytes, as a hub comes to trust it: first verified, then decoded."""
    sealed = Sealed.read(data)
    sealed.verified_by(KEYS)
    return sealed.decode().statement


def _times_us(data: bytes) -> tuple[float, float, float]:
    ours, bare, sodium = medians_s(lambda: trusted(data), *_bare(data), repeats=REPEATS)
    return ours * 1e6, bare * 1e6, sodium * 1e6


def _grants_of(count: int) -> bytes:
    """Return grants of so many authorities, each with a key, an area and three kinds."""
    listed = tuple(replace(AUTHORITY, id=f"ward-{number}") for number in range(count))
    return sign(replace(GRANTS, authorities=listed), [AUTHOR])


def _bare(data: bytes) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return what verifies the signatures and nothing else: by cryptography, by libsodium."""
    signed = [(KEYS[one.kid].raw, one.signature, one.signed) for one in Envelope.open(data).signatures]
    keys = [(Ed25519PublicKey.from_public_bytes(raw), signature, message) for raw, signature, message in signed]
    in_one = [(signature + message, raw) for raw, signature, message in signed]

    def cryptography() -> None:
        for key, signature, message in keys:
            key.verify(signature, message)

    def libsodium() -> None:
        for both, raw in in_one:
            crypto_sign_open(both, raw)

    return cryptography, libsodium
