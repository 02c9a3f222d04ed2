"""Decode and verify of one statement against a bare Ed25519 verify of the same bytes by cryptography.

Ours is everything that a hub does with bytes before it trusts them: size, envelope, deterministic CBOR, every field of
the statement, key by its id, signature. The bare verify is given the bytes that were signed, the signature and the key;
an alert with a quorum has four of each. Keys are parsed before, as a hub has them; nothing else is remembered from one
statement to the next. The two take turns.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from tests.bench.harness import Row
from tests.bench.timing import medians_s
from tests.statements import AREA, BEAT, BULLETIN, CANCEL, GRANTS, RECEIPT, signer

from ward_protocol.envelope import Envelope, sign
from ward_protocol.keys import Signer
from ward_protocol.statements import Audience, Statement, Text

AUTHOR, QUORUM = signer(1), [signer(number) for number in (21, 22, 23)]
KEYS = {one.kid: one.public for one in (AUTHOR, *QUORUM)}
RATIO_LIMIT, SIZE_LIMIT = 1.2, 800
# One area, title and body of 300 bytes together, emergency.
TITLE = "Lũ quét: sơ tán ngay"
BODY = "Nước suối dâng rất nhanh. "
ALERT = replace(BULLETIN, audience=Audience((AREA,)), audio=(), cap=None, repeats=1, approver="", supersedes=())
ALERT = replace(
    ALERT, texts=(Text("vi", TITLE, (BODY * 20).encode()[: 300 - len(TITLE.encode())].decode(errors="ignore")),)
)
WHAT: list[tuple[str, Statement, list[Signer]]] = [
    ("alert of 300 bytes, its author", ALERT, [AUTHOR]),
    ("alert of 300 bytes, author and 3 of the quorum", ALERT, [AUTHOR, *QUORUM]),
    ("bulletin with every field in use", BULLETIN, [AUTHOR]),
    ("cancel", CANCEL, [AUTHOR]),
    ("beat of one issuer", BEAT, [AUTHOR]),
    ("grants of one authority", GRANTS, [AUTHOR]),
    ("receipt with evidence", RECEIPT, [AUTHOR]),
]


def rows() -> Iterator[Row]:
    """Yield for each statement the time beside the bare verify, then sizes."""
    for what, statement, signers in WHAT:
        ours, bare = _times_us(sign(statement, signers))
        yield Row(f"{what}: decode and verify", "us", ours, bare, "bare Ed25519 verify")
        yield Row(f"{what}: ratio", "x", ours / bare, RATIO_LIMIT, "limit")
    yield Row(
        "alert of 300 bytes, author and 3 of the quorum",
        "bytes",
        len(sign(ALERT, [AUTHOR, *QUORUM])),
        SIZE_LIMIT,
        "limit",
    )


def _times_us(data: bytes) -> tuple[float, float]:
    bare = _bare(data)
    # Three rounds, the median of their medians: a change of the machine's load falls on both, and on one round.
    rounds = [medians_s(lambda: Envelope.open(data).verified_by(KEYS), bare, inner=10) for _ in range(3)]
    ours, peer = (statistics.median(column) * 1e6 for column in zip(*rounds, strict=True))
    return ours, peer


def _bare(data: bytes) -> Callable[[], None]:
    triples = [
        (Ed25519PublicKey.from_public_bytes(KEYS[one.kid].raw), one.signature, one.signed)
        for one in Envelope.open(data).signatures
    ]

    def verify() -> None:
        for key, signature, signed in triples:
            key.verify(signature, signed)

    return verify
