"""How one request ended, by its bytes."""

from __future__ import annotations

import pytest
from tests.sim.hw.units import framed

from ward_hw.bus.answer import Expected
from ward_hw.bus.outcome import Outcome, unanswered

REQUEST = framed(bytes((17, 4, 0, 0, 0, 1)))
ANSWER = framed(bytes((17, 4, 2, 0x12, 0x34)))


@pytest.mark.parametrize(
    ("received", "outcome"),
    [
        (b"", Outcome.SILENCE),
        (b"\0", Outcome.SILENCE),
        (b"\0\0\0", Outcome.SILENCE),
        (REQUEST, Outcome.ECHO),
        (REQUEST + b"\0", Outcome.ECHO),
        (ANSWER[:-1], Outcome.DAMAGED),
        (ANSWER[:-1] + b"\x99", Outcome.DAMAGED),
        (REQUEST + ANSWER[:4], Outcome.DAMAGED),
        (bytes((17, 0x84, 2, 1, 1)), Outcome.DAMAGED),
        (framed(bytes((3, 4, 2, 9, 9))), Outcome.FOREIGN),
        (b"\0" + framed(bytes((17, 3, 2, 9, 9))), Outcome.FOREIGN),
        (b"\x55\xaa\x55", Outcome.GARBAGE),
        (b"\xff", Outcome.GARBAGE),
        (REQUEST + b"\xfe\xfe", Outcome.GARBAGE),
    ],
)
def test_each_kind_of_failure_by_its_bytes(received: bytes, outcome: Outcome) -> None:
    assert unanswered(Expected.to(REQUEST), received) is outcome
