"""Any bytes into the reader of envelopes: it answers with an envelope or a StatementError, and nothing else."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st
from tests.statements import SAMPLES, SIGNER

from ward_protocol import cbor, cose
from ward_protocol.envelope import Envelope, sign
from ward_protocol.errors import StatementError
from ward_protocol.fault import fault_of
from ward_protocol.keys import Algorithm

GOOD = [sign(one, [SIGNER]) for one in SAMPLES]
KEYS = {SIGNER.kid: SIGNER.public}


@given(st.binary(max_size=300))
def test_garbage(data: bytes) -> None:
    with contextlib.suppress(StatementError):
        Envelope.open(data)


@given(st.sampled_from(GOOD), st.data())
def test_a_changed_byte_never_verifies(good: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != good[place]))
    forged = good[:place] + bytes([other]) + good[place + 1 :]
    try:
        signed_by = Envelope.open(forged).verified_by(KEYS)
    except StatementError:
        return
    assert not signed_by


@given(st.sampled_from(GOOD), st.data())
def test_cut_short_or_spliced(good: bytes, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(good)))
    other = data.draw(st.sampled_from(GOOD))
    end = data.draw(st.integers(0, len(other)))
    forged = good[:begin] + other[end:]
    try:
        signed_by = Envelope.open(forged).verified_by(KEYS)
    except StatementError:
        return
    assert forged in GOOD or not signed_by


@given(st.sampled_from(GOOD), st.binary(max_size=70_000), st.integers(1, 16), st.booleans())
def test_the_wire_form_is_what_a_general_encoder_makes(good: bytes, payload: bytes, count: int, es256: bool) -> None:
    single = good.startswith(cose.TAG_SIGN1)
    algorithm = Algorithm.ES256 if es256 else Algorithm.EDDSA
    typ = int(Envelope.open(good).type)
    signed = (cose.to_be_signed1 if single else cose.to_be_signed)(algorithm, SIGNER.kid, typ, payload)
    one = cose.Signature(SIGNER.kid, algorithm, signed, bytes(64))
    parts = cose.Parts(typ, payload, (one,) * (1 if single else count))
    own = cbor.encode({1: int(algorithm), 4: SIGNER.kid} | ({16: typ} if single else {}))
    body = own if single else cbor.encode({16: typ})
    rest = bytes(64) if single else [[own, {}, bytes(64)]] * count
    data = cose.write(parts, single=single)
    assert data == (b"\xd2" if single else b"\xd8\x62") + cbor.encode([body, {}, payload, rest])
    assert signed == cbor.encode(
        ["Signature1", own, b"", payload] if single else ["Signature", body, own, b"", payload]
    )
    assert cose.read(data) == parts


@given(st.sampled_from(GOOD), st.data())
def test_what_is_read_is_written_again(good: bytes, data: st.DataObject) -> None:
    changed = bytearray(good)
    for _ in range(data.draw(st.integers(0, 3))):
        changed[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(good)) | st.just(len(good)))
    tried = bytes(changed[:end]) + data.draw(st.binary(max_size=90))
    parts = cose.read(tried)
    if parts is not None:
        assert cose.write(parts, single=tried.startswith(cose.TAG_SIGN1)) == tried
    else:
        assert fault_of(tried).detail
