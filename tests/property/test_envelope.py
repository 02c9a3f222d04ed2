"""Any bytes into the reader of envelopes: it answers with an envelope or a StatementError, and nothing else."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st
from tests.statements import SAMPLES, SIGNER

from ward_protocol.envelope import Envelope, sign
from ward_protocol.errors import StatementError

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
