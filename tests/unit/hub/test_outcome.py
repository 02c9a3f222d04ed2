"""What came of an airing, judged from evidence: aired only where every outlet carried it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.statements import NOW

from ward_hub.journal import State
from ward_hub.playout.outcome import judge
from ward_protocol.reasons import Reason
from ward_protocol.statements import BoardEvidence, Evidence, ZoneEvidence

ZONE = ZoneEvidence("zone-1", NOW * 1000, NOW * 1000 + 10_000, confirmed=True, heard_ms=9000)
BOARD = BoardEvidence("board-1", NOW * 1000, NOW * 1000 + 10_000, compared=10, agreed=10, digest=b"x" * 16)
GOOD = Evidence((ZONE,), (BOARD,), played_ms=10_000, requested_ms=10_000, attempts=1)

UNCONFIRMED = replace(ZONE, confirmed=False)
SILENT = replace(ZONE, heard_ms=0)
UNSEEN = replace(BOARD, compared=0, agreed=0)
WRONG = replace(BOARD, agreed=9)


def test_everything_carried_it() -> None:
    outcome = judge(GOOD)
    assert (outcome.state, outcome.reason, outcome.detail) == (State.AIRED, None, "")
    assert outcome.evidence is GOOD


@pytest.mark.parametrize(
    ("zones", "boards", "state", "reason"),
    [
        ((ZONE,), (), State.AIRED, None),
        ((), (BOARD,), State.AIRED, None),
        ((replace(ZONE, heard_ms=None),), (), State.AIRED, None),  # nobody measures there
        ((), (), State.NOT_AIRED, Reason.NO_OUTPUT),
        ((UNCONFIRMED,), (), State.NOT_AIRED, Reason.RELAY_UNCONFIRMED),
        ((SILENT,), (), State.NOT_AIRED, Reason.NOTHING_HEARD),
        ((), (UNSEEN,), State.NOT_AIRED, Reason.BOARD_UNCONFIRMED),
        ((), (WRONG,), State.NOT_AIRED, Reason.BOARD_UNCONFIRMED),
        ((UNCONFIRMED,), (BOARD,), State.PARTLY, Reason.RELAY_UNCONFIRMED),
        ((ZONE, SILENT), (), State.PARTLY, Reason.NOTHING_HEARD),
        ((ZONE,), (UNSEEN,), State.PARTLY, Reason.BOARD_UNCONFIRMED),
        ((SILENT,), (WRONG,), State.NOT_AIRED, Reason.NOTHING_HEARD),
    ],
)
def test_each_outlet_counts(
    zones: tuple[ZoneEvidence, ...], boards: tuple[BoardEvidence, ...], state: State, reason: Reason | None
) -> None:
    outcome = judge(replace(GOOD, zones=zones, boards=boards))
    assert (outcome.state, outcome.reason) == (state, reason)


@pytest.mark.parametrize(("heard", "state"), [(5000, State.AIRED), (4999, State.NOT_AIRED)])
def test_heard_means_half_of_what_was_asked_for(heard: int, state: State) -> None:
    outcome = judge(replace(GOOD, zones=(replace(ZONE, heard_ms=heard),), boards=()))
    assert outcome.state is state


def test_sound_that_never_was_is_not_heard() -> None:
    silent = replace(GOOD, zones=(replace(ZONE, heard_ms=None),), boards=(), played_ms=0, requested_ms=0)
    assert judge(silent).reason is Reason.NOTHING_HEARD


def test_sound_that_did_not_leave_the_hub_is_not_carried_where_nobody_measures() -> None:
    silent = replace(GOOD, zones=(replace(ZONE, heard_ms=None),), boards=(), played_ms=4999)
    outcome = judge(silent, (Reason.AUDIO_OUTPUT_FAILED, "no device"))
    assert (outcome.state, outcome.reason) == (State.NOT_AIRED, Reason.AUDIO_OUTPUT_FAILED)
    assert "zone zone-1: 4999 of 10000 ms were played" in outcome.detail


def test_a_zone_that_closed_late_is_not_carried_where_nobody_measures() -> None:
    late = replace(ZONE, heard_ms=None, closed_ms=ZONE.opened_ms - 4999)
    outcome = judge(replace(GOOD, zones=(late,), boards=()))
    assert (outcome.state, outcome.reason) == (State.NOT_AIRED, Reason.NOTHING_HEARD)
    assert outcome.detail == "zone zone-1: closed for 4999 of 10000 ms"


def test_a_clock_that_was_set_back_meanwhile_makes_no_zone_late() -> None:
    turned = replace(ZONE, heard_ms=None, closed_ms=ZONE.opened_ms + 3_600_000)
    assert judge(replace(GOOD, zones=(turned,), boards=())).state is State.AIRED


def test_trouble_with_the_sound_comes_first_and_boards_still_count() -> None:
    outcome = judge(GOOD, (Reason.AUDIO_OUTPUT_FAILED, "no device"))
    assert (outcome.state, outcome.reason, outcome.detail) == (State.PARTLY, Reason.AUDIO_OUTPUT_FAILED, "no device")


def test_every_failure_is_named() -> None:
    outcome = judge(replace(GOOD, zones=(SILENT, replace(UNCONFIRMED, zone="zone-2")), boards=(WRONG,)))
    for words in ("zone zone-1: heard 0 of 10000 ms", "zone zone-2: relay", "board board-1: agreed 9 times of 10"):
        assert words in outcome.detail
