"""Ed25519 by the vectors of its RFC, and at the edges where libraries differ: there ours refuses what any of them does.

Signing and verifying are by two libraries here, so each honest vector says that they agree.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ward_protocol.errors import MisuseError
from ward_protocol.keys import PublicKey, Signer

FOLDER = Path(__file__).parents[1] / "vectors" / "ed25519"
RFC = json.loads((FOLDER / "rfc8032.json").read_text(encoding="utf-8"))
EDGES = json.loads((FOLDER / "edges.json").read_text(encoding="utf-8"))
# A key of mixed order has an owner, who has a secret, and who signed. All else that is odd is refused.
TAKEN = {"key and R of mixed order, good by either equation"}
LOW_ORDER = {one["what"] for one in EDGES if one["what"].startswith(("s is 0", "key of low order"))}
# What OpenSSL takes of them. Ref: results.md, as README.md says.
OTHERS_TAKE = {
    *TAKEN,
    "s is 0, key and R of low order",
    "key of low order",
    "R of low order",
    "key of low order and not canonical, hashed as it stands",
}


@pytest.mark.parametrize("row", RFC, ids=["1", "2", "3", "SHA(abc)"])
def test_what_an_honest_key_signs(row: dict[str, str]) -> None:
    key, message, signature = (bytes.fromhex(row[name]) for name in ("key", "message", "signature"))
    signer = Signer.of(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(row["seed"])))
    assert signer.public == PublicKey(key)
    assert signer.sign(message) == signature
    assert PublicKey(key).verifies(signature, message)
    for at in range(64):
        changed = bytes(one ^ 1 if place == at else one for place, one in enumerate(signature))
        assert not PublicKey(key).verifies(changed, message)


@pytest.mark.parametrize("row", EDGES, ids=[one["what"] for one in EDGES])
def test_at_the_edges(row: dict[str, str]) -> None:
    what = row["what"]
    key, message, signature = (bytes.fromhex(row[name]) for name in ("key", "message", "signature"))
    if what in LOW_ORDER:
        with pytest.raises(MisuseError, match="low order"):
            PublicKey(key)
    else:
        assert PublicKey(key).verifies(signature, message) is (what in TAKEN)
    assert openssl_takes(key, signature, message) is (what in OTHERS_TAKE)


def test_a_signature_of_another_size_is_none() -> None:
    """The library that verifies is given signature and message in one: a part of one never counts as the other."""
    (row, *_) = [one for one in RFC if one["message"] == "72"]
    key, message, signature = (bytes.fromhex(row[name]) for name in ("key", "message", "signature"))
    public = PublicKey(key)
    whole = signature + message
    for size in (*range(64), len(whole)):
        assert not public.verifies(whole[:size], whole[size:])
    assert public.verifies(whole[:64], whole[64:])


def openssl_takes(key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True
