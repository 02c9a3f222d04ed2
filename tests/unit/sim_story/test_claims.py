"""Which receipts are about a bulletin of the story."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from tests.statements import MINIMAL, RECEIPT, STRANGER

from ward_protocol.envelope import Envelope, sign
from ward_protocol.reasons import Reason
from ward_protocol.statements import Event
from ward_sim.cases import Case

DATA = sign(MINIMAL, [STRANGER])
ENVELOPE = Envelope.open(DATA)
BYTES = hashlib.sha256(DATA).digest()


@pytest.mark.parametrize(
    ("statement", "detail", "place", "claimed"),
    [
        (ENVELOPE.digest, "", "", True),
        (BYTES, "feed/ward/1: nobody's", "feed/ward/1", True),  # what no known key signed has no id of its own
        (ENVELOPE.digest, "feed/ward/1: again", "feed/ward/2", False),
        (BYTES, "feed/ward/1: nobody's", "feed/ward/2", False),
        (bytes(32), "", "", False),
    ],
)
def test_a_receipt_is_about_a_bulletin_or_its_bytes(statement: bytes, detail: str, place: str, claimed: bool) -> None:
    case = Case("forged", ENVELOPE, 0, Event.REFUSED, Reason.UNKNOWN_KEY, place)
    assert case.claims(replace(RECEIPT, statement=statement, detail=detail)) is claimed
