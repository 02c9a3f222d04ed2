"""The COSE working group's Sign1 vectors: which rule of ours refuses each, and what the signature beneath is worth.

Every one is refused, because its headers are not those of our profile. So that this proves something about our
cryptography too, each signature is also checked by the key alone, over the bytes that COSE says were signed.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import cbor2
import pytest

from ward_protocol.envelope import Envelope
from ward_protocol.errors import EnvelopeError
from ward_protocol.keys import P256_ORDER, PublicKey, es256_signature
from ward_protocol.reasons import Reason

FOLDER = Path(__file__).parents[1] / "vectors" / "cose"

# By which rule ours refuses it, and whether its signature fits what the message shows (with its external data).
EXPECTED = {
    "sign-fail-01": (Reason.MALFORMED_COSE, True),  # tag 998; only the tag is wrong
    "sign-fail-02": (Reason.HEADER_NOT_ALLOWED, False),  # another payload
    "sign-fail-03": (Reason.HEADER_NOT_ALLOWED, False),  # alg -999
    "sign-fail-04": (Reason.HEADER_NOT_ALLOWED, False),  # alg "unknown"
    "sign-fail-06": (Reason.HEADER_NOT_ALLOWED, False),  # a protected header was added
    "sign-fail-07": (Reason.HEADER_NOT_ALLOWED, False),  # a protected header was taken away
    "sign-pass-01": (Reason.HEADER_NOT_ALLOWED, True),  # protected h'a0', alg unprotected
    "sign-pass-02": (Reason.HEADER_NOT_ALLOWED, True),  # external data, which ours never has
    "sign-pass-03": (Reason.MALFORMED_COSE, True),  # untagged
}


def vector(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return content


def key_of(content: dict[str, Any]) -> PublicKey:
    key = content["input"]["sign0"]["key"]
    return PublicKey(b"".join(base64.urlsafe_b64decode(key[axis] + "=") for axis in ("x", "y")))


def fits(content: dict[str, Any], *, external: bytes) -> bool:
    """Say whether the signature fits the message as it is, by our key and the structure of RFC 9052 §4.4."""
    message = cbor2.loads(bytes.fromhex(content["output"]["cbor"]))
    protected, _, payload, signature = message.value if isinstance(message, cbor2.CBORTag) else message
    headers = b"" if protected == b"\xa0" else protected  # RFC 9052 §3: an empty map is signed as an empty string
    signed = cbor2.dumps(["Signature1", headers, external, payload])
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    return key_of(content).verifies(es256_signature(r, s), signed)


def test_every_vector_has_its_expectation() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_ours_refuses_it_by_the_right_rule(name: str) -> None:
    data = bytes.fromhex(vector(name)["output"]["cbor"])
    with pytest.raises(EnvelopeError) as caught:
        Envelope.open(data)
    assert caught.value.reason is EXPECTED[name][0]


@pytest.mark.parametrize("name", EXPECTED)
def test_the_signature_beneath_is_judged_as_the_vector_says(name: str) -> None:
    content = vector(name)
    external = bytes.fromhex(content["input"]["sign0"].get("external", ""))
    assert fits(content, external=external) is EXPECTED[name][1]
    if external:
        assert not fits(content, external=b"")
    assert EXPECTED[name][1] or content.get("fail", False)


@pytest.mark.parametrize("name", EXPECTED)
def test_what_they_signed_is_what_our_structure_says(name: str) -> None:
    content = vector(name)
    message = cbor2.loads(bytes.fromhex(content["output"]["cbor"]))
    signature = (message.value if isinstance(message, cbor2.CBORTag) else message)[3]
    s = int.from_bytes(signature[32:], "big")
    signed = bytes.fromhex(content["intermediates"]["ToBeSign_hex"])
    low = signature[:32] + min(s, P256_ORDER - s).to_bytes(32, "big")
    assert key_of(content).verifies(low, signed)
    assert (low == signature) is key_of(content).verifies(signature, signed), "the high s is never taken"
