"""Why what is accepted does not air yet, as the queue says it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.statements import MINIMAL, NOW

from ward_hub.holds import Hold, What
from ward_hub.programme import Candidate
from ward_hub.waiting import held, waiting
from ward_protocol.statements import Priority

ORDER = Hold(
    b"\x07" * 32,
    What.SILENCE,
    1,
    Priority.PRIORITY,
    ("zone-1",),
    until=NOW + 60,
    issuer="province",
    sequence=7,
    since=NOW,
)
HERE = Hold.at_the_hub(What.BLANK, (), NOW)


@pytest.mark.parametrize(
    ("changes", "ready", "shut_out", "on_air", "waits"),
    [
        ({}, True, False, True, []),
        ({}, True, False, False, ["turn"]),
        ({}, False, False, False, ["recording"]),
        ({"priority": Priority.EMERGENCY}, False, False, False, ["turn"]),  # it waits for no recording
        ({"not_before": NOW + 1}, True, False, False, ["time"]),
        ({"not_before": NOW}, True, False, False, ["turn"]),
        ({}, True, True, False, ["hold"]),
        ({"not_before": NOW + 1}, False, True, False, ["time", "hold", "recording"]),
    ],
)
def test_what_it_waits_for(
    changes: dict[str, object], ready: bool, shut_out: bool, on_air: bool, waits: list[str]
) -> None:
    one = Candidate(bytes(32), replace(MINIMAL, **changes), ready=ready)  # type: ignore[arg-type]
    assert waiting(one, [], NOW, shut_out=shut_out, on_air=on_air) == {"waits": waits, "held_by": []}


def test_holds_say_what_by_whom_and_for_how_long() -> None:
    one = Candidate(bytes(32), MINIMAL)
    assert waiting(one, [ORDER, HERE], NOW, shut_out=False, on_air=True)["held_by"] == [held(ORDER), held(HERE)]
    assert held(ORDER) == {
        "what": "silence", "outlets": ["zone-1"], "order": 7, "issuer": "province",
        "since": "2027-01-15T08:00:00+00:00", "until": "2027-01-15T08:01:00+00:00",
    }  # fmt: skip
    assert held(HERE) == {"what": "blank", "outlets": [], "since": "2027-01-15T08:00:00+00:00", "until": None}
