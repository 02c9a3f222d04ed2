"""Signs and verifies by the library `cwt`, in an interpreter of its own: one JSON request a line in, one answer out.

Run by tests/interop/test_cwt.py; `cwt` needs a cbor2 that ours does not work with. Bytes are hexadecimal. A key is the
raw public key, its id, and for signing the private number or seed.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

cwt: Any = importlib.import_module("cwt")  # not in the environments where types are checked


def cose_key(of: dict[str, str]) -> Any:  # noqa: ANN401 - cwt is not there where this is checked
    """Return cwt's key from ours."""
    raw, kid = bytes.fromhex(of["raw"]), bytes.fromhex(of["kid"])
    if len(raw) == 32:
        content: dict[int, Any] = {1: 1, 2: kid, 3: -8, -1: 6, -2: raw}
    else:
        content = {1: 2, 2: kid, 3: -7, -1: 1, -2: raw[:32], -3: raw[32:]}
    if "private" in of:
        content[-4] = bytes.fromhex(of["private"])
    return cwt.COSEKey.new(content)


def verify(data: bytes, key: dict[str, str]) -> dict[str, str]:
    """Return the payload that cwt says the key signed, or its error."""
    try:
        return {"payload": cwt.COSE.new(verify_kid=True).decode(data, cose_key(key)).hex()}
    except Exception as error:  # noqa: BLE001 - whatever cwt raises is its answer
        return {"error": f"{type(error).__name__}: {error}"}


def sign(payload: bytes, typ: int, keys: list[dict[str, str]], *, single: bool) -> dict[str, str]:
    """Return the envelope that cwt makes with headers as our profile has them."""
    algorithms = [-8 if len(key["raw"]) == 64 else -7 for key in keys]
    kids = [bytes.fromhex(key["kid"]) for key in keys]
    if single:
        headers = {1: algorithms[0], 4: kids[0], 16: typ}
        data = cwt.COSE.new().encode_and_sign(payload, cose_key(keys[0]), protected=headers, unprotected={})
        return {"data": data.hex()}
    signers = [
        cwt.Signer.new(cose_key(key), protected={1: algorithm, 4: kid}, unprotected={})
        for key, algorithm, kid in zip(keys, algorithms, kids, strict=True)
    ]
    data = cwt.COSE.new().encode_and_sign(payload, protected={16: typ}, unprotected={}, signers=signers)
    return {"data": data.hex()}


def answer(request: dict[str, Any]) -> dict[str, str]:
    """Do what a request asks."""
    if request["do"] == "verify":
        return verify(bytes.fromhex(request["data"]), request["key"])
    return sign(bytes.fromhex(request["payload"]), request["typ"], request["keys"], single=request["single"])


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
