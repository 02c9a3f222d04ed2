"""Signatures made apart: one more each, and two files of the same statement joined."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.statements import BEAT, BEAT_KEY, GRANTS, ROOT, signer

from ward_protocol.cose import MAX_SIGNERS
from ward_protocol.envelope import Envelope, add_signature, join_signatures, sign
from ward_protocol.errors import MisuseError

ONE, TWO, THREE = (signer(number) for number in (31, 32, 33))
KEYS = {one.kid: one.public for one in (ONE, TWO, THREE)}


def test_signatures_of_both_verify_and_the_order_of_joining_does_not_matter() -> None:
    left, right = sign(ROOT, [ONE, TWO]), sign(ROOT, [TWO, THREE])
    joined = join_signatures(left, right)
    assert Envelope.open(joined).verified_by(KEYS) == KEYS.keys()
    assert joined == join_signatures(right, left)
    assert joined == join_signatures(joined, left)


def test_joined_and_added_hold_the_same_signatures() -> None:
    added = Envelope.open(add_signature(sign(GRANTS, [ONE]), TWO))
    joined = Envelope.open(join_signatures(sign(GRANTS, [TWO]), sign(GRANTS, [ONE])))
    assert set(added.signatures) == set(joined.signatures)


def test_another_statement_is_not_joined() -> None:
    with pytest.raises(MisuseError, match="different statements"):
        join_signatures(sign(ROOT, [ONE]), sign(replace(ROOT, issued=ROOT.issued + 1), [TWO]))


def test_a_beat_has_one_signature() -> None:
    with pytest.raises(MisuseError, match="single signature"):
        join_signatures(sign(BEAT, [BEAT_KEY]), sign(BEAT, [BEAT_KEY]))


def test_a_damaged_signature_is_named() -> None:
    good = sign(ROOT, [ONE])
    with pytest.raises(MisuseError, match=ONE.kid.hex()):
        join_signatures(good, good[:-1] + bytes([good[-1] ^ 1]))


def test_no_more_signatures_than_an_envelope_holds() -> None:
    left = sign(ROOT, [signer(number) for number in range(40, 40 + MAX_SIGNERS)])
    with pytest.raises(MisuseError, match="no more than 16"):
        join_signatures(left, sign(ROOT, [ONE]))
