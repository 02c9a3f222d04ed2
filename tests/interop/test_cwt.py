"""Our statements verify under `cwt`, and what `cwt` signs verifies under ours; cwt is a process of its own.

WARD_CWT_PYTHON names an interpreter that has it; `tox run -e interop` makes one.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cbor2
import pytest
from tests.statements import BEAT, BULLETIN, SAMPLES, SIGNER, STRANGER, p256_signer

from ward_protocol import cbor
from ward_protocol.envelope import SINGLE, Envelope, sign
from ward_protocol.errors import EnvelopeError
from ward_protocol.keys import Signer, es256_signature
from ward_protocol.reasons import Reason
from ward_protocol.schema import to_map
from ward_protocol.statements import TYPES, Statement

TOKEN = p256_signer(7)
# The private halves, for cwt: the seed of an Ed25519 key, the number of a P-256 key.
PRIVATE = {SIGNER.kid: bytes([1]) * 32, STRANGER.kid: bytes([5]) * 32, TOKEN.kid: (7).to_bytes(32, "big")}
KEYS = {one.kid: one.public for one in (SIGNER, STRANGER, TOKEN)}
PEER = Path(__file__).with_name("cwt_peer.py")

Peer = Callable[[dict[str, Any]], dict[str, str]]


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    """A process with cwt in it: a function from request to answer."""
    if "WARD_CWT_PYTHON" not in os.environ:
        pytest.skip("WARD_CWT_PYTHON names no interpreter that has cwt: tox run -e interop")
    command = [os.environ["WARD_CWT_PYTHON"], "-I", str(PEER)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None

        def ask(request: dict[str, Any]) -> dict[str, str]:
            print(json.dumps(request), file=stdin, flush=True)
            answer: dict[str, str] = json.loads(stdout.readline())
            return answer

        yield ask


def key(signer: Signer, *, private: bool = False) -> dict[str, str]:
    secret = {"private": PRIVATE[signer.kid].hex()} if private else {}
    return {"raw": signer.public.raw.hex(), "kid": signer.kid.hex()} | secret


def verified(peer: Peer, data: bytes, signer: Signer) -> dict[str, str]:
    return peer({"do": "verify", "data": data.hex(), "key": key(signer)})


def signed(peer: Peer, statement: Statement, *signers: Signer) -> bytes:
    kind = TYPES[type(statement)]
    request = {
        "do": "sign",
        "payload": cbor.encode(to_map(statement)).hex(),
        "typ": int(kind),
        "keys": [key(one, private=True) for one in signers],
        "single": kind in SINGLE,
    }
    return bytes.fromhex(peer(request)["data"])


def with_low_s(data: bytes) -> bytes:
    """Return a Sign1 with the one form of its ES256 signature that ours takes; cwt leaves it to chance."""
    r, s = int.from_bytes(data[-64:-32], "big"), int.from_bytes(data[-32:], "big")
    return data[:-64] + es256_signature(r, s)


@pytest.mark.parametrize("signer", [SIGNER, TOKEN], ids=["EdDSA", "ES256"])
@pytest.mark.parametrize("statement", SAMPLES, ids=lambda one: type(one).__name__)
def test_what_we_sign_cwt_verifies(peer: Peer, statement: Statement, signer: Signer) -> None:
    data = sign(statement, [signer])
    assert verified(peer, data, signer) == {"payload": cbor.encode(to_map(statement)).hex()}


@pytest.mark.parametrize("signer", [SIGNER, TOKEN], ids=["EdDSA", "ES256"])
def test_what_we_did_not_sign_cwt_refuses(peer: Peer, signer: Signer) -> None:
    data = sign(BULLETIN, [signer])
    assert "error" in verified(peer, data[:-1] + bytes([data[-1] ^ 1]), signer)
    changed = data.replace("lũ quét".encode(), "an toàn".encode()[:9].ljust(9))
    assert changed != data
    assert "error" in verified(peer, changed, signer)


def test_each_of_several_signatures_verifies_under_cwt(peer: Peer) -> None:
    data = sign(BULLETIN, [SIGNER, TOKEN, STRANGER])
    for one in (SIGNER, TOKEN, STRANGER):
        assert "payload" in verified(peer, data, one)


@pytest.mark.parametrize("statement", SAMPLES, ids=lambda one: type(one).__name__)
def test_what_cwt_signs_is_byte_for_byte_what_we_sign(peer: Peer, statement: Statement) -> None:
    data = signed(peer, statement, SIGNER)
    assert data == sign(statement, [SIGNER]), "Ed25519 is deterministic, and a statement has one encoding"
    envelope = Envelope.open(data)
    assert envelope.statement == statement
    assert envelope.verified_by(KEYS) == {SIGNER.kid}


def test_several_signatures_of_cwt_verify_under_ours(peer: Peer) -> None:
    data = signed(peer, BULLETIN, SIGNER, STRANGER)
    assert Envelope.open(data).verified_by(KEYS) == {SIGNER.kid, STRANGER.kid}


def test_an_es256_signature_of_cwt_verifies_under_ours_in_its_low_form_only(peer: Peer) -> None:
    high = 0
    for _ in range(40):
        data = signed(peer, BEAT, TOKEN)
        assert Envelope.open(with_low_s(data)).verified_by(KEYS) == {TOKEN.kid}
        if with_low_s(data) == data:
            continue
        high += 1
        with pytest.raises(EnvelopeError) as caught:
            Envelope.open(data).verified_by(KEYS)
        assert caught.value.reason is Reason.BAD_SIGNATURE
    assert high, "one in two has the high s"


def test_cwt_takes_what_ours_refuses(peer: Peer) -> None:
    """Why there is a profile of our own: a critical header that nobody knows, and bytes after the end."""
    payload = cbor.encode(to_map(BEAT))
    headers = cbor.encode({1: -8, 2: [99], 4: SIGNER.kid, 16: 65103, 99: 1})
    signature = SIGNER.sign(cbor.encode(["Signature1", headers, b"", payload]))
    data = b"\xd2" + cbor2.dumps([headers, {}, payload, signature])
    for tried in (data, sign(BEAT, [SIGNER]) + b"\0"):
        assert "payload" in verified(peer, tried, SIGNER)
        with pytest.raises(EnvelopeError):
            Envelope.open(tried)
