"""Real messages against protocol/ward.cddl, judged by an independent CDDL validator (the Rust `cddl` crate)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cbor2
import pycddl
import pytest
from tests.statements import ENROLMENT, SAMPLES, SIGNER, p256_signer

from ward_protocol import cbor
from ward_protocol.envelope import sign
from ward_protocol.schema import to_map
from ward_protocol.statements import Statement

CDDL = (Path(__file__).parents[3] / "protocol" / "ward.cddl").read_text(encoding="utf-8")


def rule(name: str) -> pycddl.Schema:
    return pycddl.Schema(f"start = {name}\n{CDDL}")


@pytest.mark.parametrize("statement", SAMPLES, ids=lambda one: type(one).__name__)
def test_a_statement_is_what_the_cddl_says(statement: Statement) -> None:
    rule(type(statement).__name__.lower()).validate_cbor(cbor.encode(to_map(statement)))


@pytest.mark.parametrize("statement", SAMPLES, ids=lambda one: type(one).__name__)
def test_a_signed_envelope_is_what_the_cddl_says(statement: Statement) -> None:
    data = sign(statement, [SIGNER])
    rule("envelope").validate_cbor(data)
    headers, _, payload, signatures = cbor2.loads(data).value
    rule(type(statement).__name__.lower()).validate_cbor(payload)
    if isinstance(signatures, bytes):
        rule("sign1-headers").validate_cbor(headers)
    else:
        rule("sign-body-headers").validate_cbor(headers)
        rule("sign-signer-headers").validate_cbor(signatures[0][0])


@pytest.mark.parametrize("statement", SAMPLES, ids=lambda one: type(one).__name__)
def test_the_cddl_refuses_an_unknown_field(statement: Statement) -> None:
    with pytest.raises(pycddl.ValidationError):
        rule(type(statement).__name__.lower()).validate_cbor(cbor.encode(to_map(statement) | {99: 1}))


@pytest.mark.parametrize("size", [31, 33, 63, 65])
def test_a_hub_s_key_has_the_size_of_one(size: int) -> None:
    plain = to_map(replace(ENROLMENT, public=p256_signer(7).public.raw))
    rule("enrolment").validate_cbor(cbor.encode(plain))
    with pytest.raises(pycddl.ValidationError):
        rule("enrolment").validate_cbor(cbor.encode(plain | {3: bytes(size)}))
