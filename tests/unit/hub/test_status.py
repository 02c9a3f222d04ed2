"""`wardhub status` in words: what the hub knows of the time and why, in both languages, from the agent's own answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from tests.clocks import Machine
from tests.journals import journal
from tests.statements import BEAT, GRANTS, MINIMAL, NOW, ROOT

from ward_hub.alarm_words import Code, Detail, detail
from ward_hub.alarms import ALARMS, Alarms
from ward_hub.cli import queue
from ward_hub.cli.status import age, alarm, lines
from ward_hub.clock import Clock, FloorFrom
from ward_hub.desk import Desk
from ward_hub.holds import Hold
from ward_hub.i18n import LANGUAGES, translator
from ward_hub.keeper import Keeper
from ward_hub.links import LinkState, SourceLink
from ward_hub.outputs import Outputs
from ward_hub.playout.director import Director
from ward_hub.programme import Candidate
from ward_hub.trust import Trust
from ward_protocol.reasons import Reason
from ward_protocol.statements import Bulletin

BUNDLE = {"path": "/media/stick/a.bundle", "accepted": 3, "refused": 1, "recordings": 2, "trouble": ""}
HELD = Candidate(b"\x0a" * 32, MINIMAL)


class Parts:
    """The parts that a desk asks, as it sees them."""

    def __init__(self) -> None:
        self.trust = Trust(ROOT, GRANTS, BEAT)
        self.on_air: Candidate | None = None
        self.queue = [HELD]
        self.state = LinkState.OBSERVING
        self.receipts = "protected"
        self.amplifiers: list[object] = []
        self.boards: list[object] = []
        self.lines: list[object] = []
        self.standing: list[Hold] = []

    def held_by(self, _: Bulletin) -> list[Hold]:
        return self.standing

    def is_shut_out(self, _: Bulletin) -> bool:
        return False


async def answered(folder: Path, clock: Clock, parts: Parts, act: str = "status", alarm: Detail | None = None) -> Any:  # noqa: ANN401 - JSON
    """What the agent answers, as the command gets it."""
    with journal(folder) as opened:
        alarms = Alarms(opened, clock)
        if alarm:
            alarms.sound(Reason.SOURCE_SILENT, alarm)
        desk = Desk(
            director=cast("Director", parts),
            keeper=cast("Keeper", parts),
            journal=opened,
            outputs=cast("Outputs", parts),
            link=cast("SourceLink", parts),
            clock=clock,
            ways=lambda: {"lan": None, "bundle": BUNDLE},
            alarms=alarms,
        )
        return json.loads(json.dumps(await {"status": desk.status, "queue": desk.queue}[act]({})))


def known(folder: Path, clock: Clock, parts: Parts, act: str = "status", alarm: Detail | None = None) -> Any:  # noqa: ANN401 - JSON
    return asyncio.run(answered(folder, clock, parts, act, alarm))


def words(answer: Mapping[str, Any], language: str = "en") -> str:
    return "\n".join(lines(answer, language))


def started(machine: Machine) -> Clock:
    clock = machine.clock()
    clock.restore(None, NOW)
    return clock


def test_a_hub_that_knows_nothing_says_why(tmp_path: Path) -> None:
    answer = known(tmp_path, started(Machine(ntp=None)), Parts())
    assert (answer["time_trust"], answer["clock"]["floor_from"]) == ("none", "kept")
    first, *others = words(answer).splitlines()
    assert first.startswith("Time: 2027-01-15 08:00:00 UTC. Trust: none: nothing since the start says what time it is")
    assert others == [
        "  - The source has not proven its time since the start, or since this machine slept.",
        "  - No beat that counts has come since the start.",
        "  - Nobody says whether NTP keeps this machine's clock, so that does not count.",
        "  - It is certainly later than 2027-01-15 08:00:00 UTC: the journal kept it from the last run.",
        "Alarms: 0",
        "Source: answers",
        "Root: 1. Grants: 1",
        "On air: -",
        "To air or on air: 1. Receipts that wait: 0",
        "Receipts: protected",
        "Local network: -",
        "Last bundle from a stick: /media/stick/a.bundle, 3 accepted, 1 refused, 2 recordings",
        "Amplifiers: -",
        "Boards: -",
    ]


def test_a_proof_is_told_with_its_age_and_an_alarm_with_its_beginning(tmp_path: Path) -> None:
    machine = Machine(ntp=True, rtc=True)
    clock = started(machine)
    clock.heard(NOW, clock.ask())
    machine.wait(1800)
    clock.look()
    parts = Parts()
    parts.on_air = HELD
    said = words(known(tmp_path, clock, parts, alarm=detail(Code.NO_BEAT, over_s=3600)))
    assert "Trust: good" in said
    assert "The source proved its time with this hub's nonce, 30 min ago." in said
    assert "The last beat came 30 min ago; the newest is 30 min behind this time." in said
    assert "NTP keeps this machine's clock, and it agrees." in said
    assert "The clock with a battery does not count." in said  # NTP did, at the first look
    assert "the newest beat shows it" in said
    assert "Alarms: 1\n  - The source is silent, since 2027-01-15 08:30:00 UTC (source-silent: no beat for over" in said
    assert "On air: 0a0a0a0a0a0a0a0a Cảnh báo lũ quét" in said


@pytest.mark.parametrize(
    ("machine", "sentence"),
    [
        (Machine(ntp=True, system=NOW + 9e8), "that is +900000000 s from what is known, so it does not count."),
        (Machine(ntp=False), "NTP does not keep this machine's clock, so that does not count."),
        (Machine(rtc=True, system=NOW + 9e6), "The clock with a battery was taken 0 s ago."),
        (Machine(rtc=True, system=0.0), "The clock with a battery does not count."),
    ],
)
def test_each_witness_is_told(tmp_path: Path, machine: Machine, sentence: str) -> None:
    assert sentence in words(known(tmp_path, started(machine), Parts()))


def test_a_clock_that_stands_and_a_beat_not_believed_are_told(tmp_path: Path) -> None:
    machine = Machine(ntp=True, system=NOW + 36_000.0)
    clock = started(machine)
    clock.now()
    clock.heard(NOW, clock.ask())
    with pytest.raises(Exception, match="time-step-too-large"):
        clock.heard(NOW + 10 * 86_400)
    said = words(known(tmp_path, clock, Parts()))
    assert "It stands still for 10 h, until the proven time has reached it." in said
    assert "The last beat was 10 days ahead and was not believed." in said


def test_the_queue_says_what_waits_for_the_time(tmp_path: Path) -> None:
    machine = Machine()
    clock = started(machine)
    (one,) = known(tmp_path, clock, Parts(), "queue")
    assert one["waits"] == ["clock"]
    assert "waits until the time is known" in queue._line(one, "en")
    assert "chờ đến khi biết giờ" in queue._line(one, "vi")
    clock.heard(NOW)
    (one,) = known(tmp_path, clock, Parts(), "queue")
    assert one["waits"] == ["turn"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_alarm_and_every_floor_has_words(tmp_path: Path, language: str) -> None:
    _ = translator(language)
    for kind in ALARMS:
        assert alarm(kind.word, _) != kind.word
    assert alarm("of a later version", _) == "of a later version"
    answer = known(tmp_path, started(Machine()), Parts())
    for one in FloorFrom:
        answer["clock"]["floor_from"] = one.value
        assert "2027-01-15 08:00:00 UTC" in words(answer, language)
    for state in LinkState:
        answer["source"] = state.value
        assert words(answer, language)


@pytest.mark.parametrize(
    ("receipts", "said"),
    [("protected", "được bảo vệ"), ("open", "không mã hoá"), ("kept here: no key", "giữ lại tại đây: no key")],
)
def test_how_receipts_go_is_told(tmp_path: Path, receipts: str, said: str) -> None:
    parts = Parts()
    parts.receipts = receipts
    answer = known(tmp_path, started(Machine()), parts)
    assert f"Receipts: {receipts}\n" in words(answer)
    assert f"Biên nhận: {said}\n" in words(answer, "vi")


def test_vietnamese_is_vietnamese(tmp_path: Path) -> None:
    said = words(known(tmp_path, started(Machine()), Parts()), "vi")
    assert "Độ tin cậy: không có" in said
    assert "Chắc chắn đã quá" in said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (172_799, "47 h"), (86_400 * 2, "2 days")],
)
def test_a_span_is_told_in_the_unit_that_fits(seconds: int, said: str) -> None:
    assert age(seconds, translator("en")) == said


def test_a_bulletin_that_never_ends_can_be_listed(tmp_path: Path) -> None:
    parts = Parts()
    parts.queue = [replace(HELD, bulletin=replace(MINIMAL, expires=2**53))]
    (one,) = known(tmp_path, started(Machine()), parts, "queue")
    assert one["expires"] == "9999-01-01T00:00:00+00:00"
