"""Decode and verify of one statement against a bare Ed25519 verify of the same bytes by cryptography.

Ours is everything that a hub does with bytes before it trusts them: size, frame, key by its id, signatures, then the
statement's one encoding and every field. The bare verify is given the bytes that were signed, the signature and the
key; four of each where there are four signatures. Keys are parsed before, as a hub has them; nothing else is remembered
from one statement to the next.

The two take turns, one call each, some thousand times, and the medians are compared: whatever else the machine does
meets both alike, and neither finds its code warm in the cache because it ran a moment ago. A hub reads a statement now
and then, not in a loop.

Every type has a row, signed as often as a hub asks for, or less: one signature is the hardest case, as decoding costs
the same with four. The limit is for root and grants as one ward may have them; what each further authority in the
grants costs has rows of its own, without a limit: there is more to read, and not more to verify.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
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
MANY = 16
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
    """Yield for each statement its size, the time beside the bare verify, and their ratio beside the limit."""
    _times_us(sign(ALERT, [AUTHOR, *QUORUM]))  # a processor that has idled takes a second to come to its speed
    for what, statement, signers in WHAT:
        data = sign(statement, signers)
        ours, bare = _times_us(data)
        limit = SIZE_LIMIT if what == QUORATE else None
        yield Row(f"{what}: size", "bytes", len(data), limit, "limit" if limit else "")
        yield Row(f"{what}: decode and verify", "us", ours, bare, "bare Ed25519 verify")
        yield Row(f"{what}: ratio", "x", ours / bare, RATIO_LIMIT, "limit")
    less, _ = _times_us(_grants_of(1))
    more, bare = _times_us(_grants_of(MANY))
    yield Row(f"grants of {MANY} authorities: decode and verify", "us", more, bare, "bare Ed25519 verify")
    yield Row("grants: each further authority", "us", (more - less) / (MANY - 1))


def trusted(data: bytes) -> Statement:
    """Return the statement of those bytes, as a hub comes to trust it: first verified, then decoded."""
    sealed = Sealed.read(data)
    sealed.verified_by(KEYS)
    return sealed.decode().statement


def _times_us(data: bytes) -> tuple[float, float]:
    ours, bare = medians_s(lambda: trusted(data), _bare(data), repeats=REPEATS)
    return ours * 1e6, bare * 1e6


def _grants_of(count: int) -> bytes:
    """Return grants of so many authorities, each with a key, an area and three kinds."""
    listed = tuple(replace(AUTHORITY, id=f"ward-{number}") for number in range(count))
    return sign(replace(GRANTS, authorities=listed), [AUTHOR])


def _bare(data: bytes) -> Callable[[], None]:
    triples = [
        (Ed25519PublicKey.from_public_bytes(KEYS[one.kid].raw), one.signature, one.signed)
        for one in Envelope.open(data).signatures
    ]

    def verify() -> None:
        for key, signature, signed in triples:
            key.verify(signature, signed)

    return verify
