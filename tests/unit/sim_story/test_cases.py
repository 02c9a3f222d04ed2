"""What page and terminal say of a bulletin of the story: a drill is called one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.statements import BULLETIN, SIGNER

from ward_protocol.envelope import Envelope, sign
from ward_protocol.statements import Event, Status
from ward_sim.cases import Case, row, state


@pytest.mark.parametrize(
    ("status", "said"),
    [(Status.ACTUAL, ""), (Status.TEST, "[THỬ NGHIỆM] "), (Status.EXERCISE, "[DIỄN TẬP] ")],
)
def test_a_drill_is_called_one(status: Status, said: str) -> None:
    envelope = Envelope.open(sign(replace(BULLETIN, status=status), [SIGNER]))
    case = Case("alert", envelope, 0, Event.AIRED)
    assert state(case, 0)["status"] == status
    assert row(case, 0, []).bulletin == f"alert\n{said}{BULLETIN.title}"
