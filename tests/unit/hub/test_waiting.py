"""Why what is accepted does not air yet, as the queue says it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.clocks import clock
from tests.statements import MINIMAL, NOW

from ward_hub.holds import Hold, What
from ward_hub.programme import Candidate
from ward_hub.waiting import held, waiting
from ward_protocol.statements import Priority, Status, TimeTrust

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
KNOWN = clock(lambda: NOW).known()
UNKNOWN = clock(lambda: NOW, TimeTrust.NONE).known()


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
    assert waiting(one, [], KNOWN, shut_out=shut_out, on_air=on_air) == {"waits": waits, "held_by": []}


@pytest.mark.parametrize(
    ("changes", "attempts", "waits"),
    [
        ({}, 0, ["clock"]),
        ({"not_before": NOW + 1}, 0, ["clock"]),
        ({"priority": Priority.EMERGENCY}, 0, ["turn"]),
        ({"priority": Priority.EMERGENCY}, 1, ["clock"]),  # once is all that it may
        ({"priority": Priority.EMERGENCY, "status": Status.TEST}, 0, ["clock"]),
        ({"priority": Priority.EMERGENCY, "not_before": NOW + 2, "issued": NOW + 1}, 0, ["time"]),
        ({"priority": Priority.EMERGENCY, "not_before": NOW + 1, "issued": NOW + 1}, 0, ["turn"]),
    ],
)
def test_who_waits_until_the_time_is_known(changes: dict[str, object], attempts: int, waits: list[str]) -> None:
    one = Candidate(bytes(32), replace(MINIMAL, **changes), attempts=attempts)  # type: ignore[arg-type]
    assert waiting(one, [], UNKNOWN, shut_out=False, on_air=False)["waits"] == waits


def test_holds_say_what_by_whom_and_for_how_long() -> None:
    one = Candidate(bytes(32), MINIMAL)
    assert waiting(one, [ORDER, HERE], KNOWN, shut_out=False, on_air=True)["held_by"] == [held(ORDER), held(HERE)]
    assert held(ORDER) == {
        "what": "silence", "outlets": ["zone-1"], "order": 7, "issuer": "province",
        "since": "2027-01-15T08:00:00+00:00", "until": "2027-01-15T08:01:00+00:00",
    }  # fmt: skip
    assert held(HERE) == {"what": "blank", "outlets": [], "since": "2027-01-15T08:00:00+00:00", "until": None}
