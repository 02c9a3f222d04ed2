"""Writes into the journal of a folder (argument 1), from a number on (2), until killed; says each that is accepted."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.journals import journal

from ward_hub.journal import Ledger, State
from ward_protocol.reasons import Reason


def live(ledger: Ledger, number: int) -> None:
    """A bulletin's whole life, and a refusal."""
    digest = number.to_bytes(32, "big")
    ledger.accept("ward", number, digest, b"x" * 500)
    print(number, flush=True)
    ledger.begin(digest)
    ledger.end(digest, State.NOT_AIRED, Reason.NO_OUTPUT)
    ledger.refuse(digest, "usb", Reason.REPLAYED, "again", None)


with journal(Path(sys.argv[1])) as opened:
    for count in range(int(sys.argv[2]), 10**6):
        live(opened.ledger, count)
