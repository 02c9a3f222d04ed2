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

from ward_protocol import cbor, cose
from ward_protocol.cose import Signature
from ward_protocol.envelope import SINGLE, Envelope, add_signature, join_signatures, sign
from ward_protocol.errors import EnvelopeError
from ward_protocol.keys import Algorithm, Signer, es256_signature
from ward_protocol.reasons import Reason
from ward_protocol.schema import to_map
from ward_protocol.statements import TYPES, Statement, StatementType

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
    """Return an envelope with the one form of its ES256 signatures that ours takes; cwt leaves it to chance."""
    parts = cose.read(data)
    assert parts is not None
    low = [_low(one) if one.algorithm is Algorithm.ES256 else one for one in parts.signatures]
    return cose.write(parts._replace(signatures=tuple(low)), single=data.startswith(cose.TAG_SIGN1))


def _low(one: Signature) -> Signature:
    r, s = (int.from_bytes(half, "big") for half in (one.signature[:32], one.signature[32:]))
    return one._replace(signature=es256_signature(r, s))


def named(statement: Statement) -> str:
    return type(statement).__name__


def spoilt(data: bytes, at: int) -> bytes:
    """The same with another byte there."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


SEVERAL = [one for one in SAMPLES if TYPES[type(one)] not in SINGLE]
SIGNERS = [pytest.param(SIGNER, id="EdDSA"), pytest.param(TOKEN, id="ES256")]
every_statement = pytest.mark.parametrize("statement", SAMPLES, ids=named)
every_signed_by_several = pytest.mark.parametrize("statement", SEVERAL, ids=named)
every_algorithm = pytest.mark.parametrize("signer", SIGNERS)


def test_every_type_of_statement_is_tried_in_both_forms() -> None:
    assert {TYPES[type(one)] for one in SAMPLES} == set(StatementType)
    assert {TYPES[type(one)] for one in SEVERAL} == set(StatementType) - SINGLE
    assert {one.public.algorithm for one in (SIGNER, TOKEN)} == set(Algorithm)


# What we sign


@every_algorithm
@every_statement
def test_what_we_sign_cwt_verifies(peer: Peer, statement: Statement, signer: Signer) -> None:
    data = sign(statement, [signer])
    assert verified(peer, data, signer) == {"payload": cbor.encode(to_map(statement)).hex()}


@every_algorithm
@every_statement
def test_what_we_did_not_sign_cwt_refuses(peer: Peer, statement: Statement, signer: Signer) -> None:
    data, payload = sign(statement, [signer]), cbor.encode(to_map(statement))
    assert "error" in verified(peer, spoilt(data, len(data) - 1), signer)
    assert "error" in verified(peer, spoilt(data, data.index(payload) + len(payload) - 1), signer)
    assert "error" in verified(peer, data, STRANGER)


@every_signed_by_several
def test_each_of_several_signatures_verifies_under_cwt(peer: Peer, statement: Statement) -> None:
    payload = {"payload": cbor.encode(to_map(statement)).hex()}
    together = sign(statement, [SIGNER, TOKEN, STRANGER])
    one_by_one = add_signature(add_signature(sign(statement, [STRANGER]), TOKEN), SIGNER)
    joined = join_signatures(sign(statement, [TOKEN, SIGNER]), sign(statement, [STRANGER]))
    for data in (together, one_by_one, joined):
        assert [verified(peer, data, one) for one in (SIGNER, TOKEN, STRANGER)] == [payload] * 3


# What cwt signs


@every_statement
def test_what_cwt_signs_is_byte_for_byte_what_we_sign(peer: Peer, statement: Statement) -> None:
    data = signed(peer, statement, SIGNER)
    assert data == sign(statement, [SIGNER]), "Ed25519 is deterministic, and a statement has one encoding"
    envelope = Envelope.open(data)
    assert envelope.statement == statement
    assert envelope.verified_by(KEYS) == {SIGNER.kid}


@every_statement
def test_what_cwt_signs_by_es256_verifies_under_ours(peer: Peer, statement: Statement) -> None:
    envelope = Envelope.open(with_low_s(signed(peer, statement, TOKEN)))
    assert envelope.statement == statement
    assert envelope.verified_by(KEYS) == {TOKEN.kid}


@every_algorithm
@every_statement
def test_what_cwt_did_not_sign_ours_refuses(peer: Peer, statement: Statement, signer: Signer) -> None:
    data = with_low_s(signed(peer, statement, signer))
    with pytest.raises(EnvelopeError) as caught:
        Envelope.open(spoilt(data, len(data) - 1)).verified_by(KEYS)
    assert caught.value.reason is Reason.BAD_SIGNATURE
    assert Envelope.open(data).verified_by({STRANGER.kid: STRANGER.public}) == frozenset()


@every_signed_by_several
def test_several_signatures_of_cwt_verify_under_ours(peer: Peer, statement: Statement) -> None:
    envelope = Envelope.open(with_low_s(signed(peer, statement, SIGNER, TOKEN, STRANGER)))
    assert envelope.statement == statement
    assert envelope.verified_by(KEYS) == set(KEYS)


@every_signed_by_several
def test_signatures_of_both_stand_in_one_envelope(peer: Peer, statement: Statement) -> None:
    """One officer signs with our program, another with something else."""
    theirs = with_low_s(signed(peer, statement, TOKEN))
    for data in (add_signature(theirs, SIGNER), join_signatures(sign(statement, [SIGNER]), theirs)):
        assert Envelope.open(data).verified_by(KEYS) == {SIGNER.kid, TOKEN.kid}
        assert all("payload" in verified(peer, data, one) for one in (SIGNER, TOKEN))


@pytest.mark.parametrize("statement", [BEAT, BULLETIN], ids=named)
def test_of_the_two_forms_of_an_es256_signature_ours_takes_one(peer: Peer, statement: Statement) -> None:
    high = 0
    for _ in range(40):
        data = signed(peer, statement, TOKEN)
        low = with_low_s(data)
        assert Envelope.open(low).verified_by(KEYS) == {TOKEN.kid}
        assert "payload" in verified(peer, low, TOKEN)
        if low == data:
            continue
        high += 1
        assert "payload" in verified(peer, data, TOKEN)
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
