"""No line of `wardhub status` and `wardhub bus scan` about a device or an alarm is the same in both languages.

What both may share is what no language changes: names, numbers, units, codes.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from tests.clocks import Machine
from tests.sim.hw.virtual import run
from tests.sim.playout.rigs import Horns, Lamps, amplifier, board, stock
from tests.unit.hub.test_bus_command import GONE, HERE
from tests.unit.hub.test_status import Parts, known, started, words

from ward_hub.alarm_words import Code, Detail, detail, detail_in_words, restored, written
from ward_hub.cli import bus
from ward_hub.device_words import READINGS, amplifier_in_words, board_in_words
from ward_hub.i18n import LANGUAGES, translator
from ward_hub.line_words import bus_in_lines, findings_in_lines
from ward_hw.diagnosis import Cause
from ward_hw.drivers.meter import Measurement
from ward_protocol.portable.amplifier_reading import LASTING, TRIP_NAMES

NAMES = {
    "amp", "board", "zone", "bus", "phuong", "hub", "language", "trust", "root", "unknown", "key", "dev", "ttyUSB0",
    "wardhub", "amp8", "0a0b", "c0ffee", "source", "silent",
}  # fmt: skip
UNITS = {"V", "W", "C", "mA", "mV", "ms", "baud", "ohm", "CRC", "A", "B", "NTP", "UTC", "PC", "PLC"}
TO_TYPE = {"baud", "all", "baudrate", "timeout_ms"}
VALUES: dict[str, Any] = {
    "over_s": 120, "old_s": 90, "ahead_s": 4000, "moved_s": -4000, "off_s": 70, "root": 1, "grants": 2,
    "last_root": 2, "last_grants": 1, "issuer": "phuong", "head": 3, "last_head": 5, "changed": ["[hub]", "trust.root"],
    "order": 3, "settings": ["hub.language = hub"], "key": "0a0b", "times": 2, "name": "1", "day": "2027-01-15",
    "days": 12, "count": 50, "reason": "unknown-key", "within_s": 30, "amplifier": "amp-1", "relays": [1, 3],
    "board": "board-1", "unit": 17, "temperature_c": 86, "current_ma": 15_350, "supply_mv": 18_000, "max_on_s": 3600,
}  # fmt: skip
CODES = [code for code in Code if code is not Code.TEXT]


def words_of(line: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]\w*|0a0b", line))


def differ(told: Callable[[str], Iterable[str]]) -> None:
    """Both languages have as many lines; none is the same, and no word of the one stands in the other."""
    english, vietnamese = list(told("en")), list(told("vi"))
    assert english
    for one, other in zip(english, vietnamese, strict=True):
        assert one != other
        assert words_of(one) & words_of(other) <= NAMES | UNITS | TO_TYPE, (one, other)


def said(in_words: Callable[[Mapping[str, Any], str], str], one: Mapping[str, Any]) -> Callable[[str], list[str]]:
    """Return what says one thing in the language that is asked for."""
    return lambda language: [in_words(one, language)]


def summaries() -> list[dict[str, object]]:
    """What amplifiers say of themselves: on air, in doubt, before any reading, and with a meter."""
    found: list[dict[str, object]] = []

    async def story() -> None:
        async with amplifier(Horns()) as output:
            found.append(output.summary())
            await output.carry(["zone-1"], urgent=False)
            await asyncio.sleep(1)
            output.measured = Measurement(39.9, "W", 0.0)
            found.append(output.summary())
        async with amplifier(stock(), "waveshare/modbus-rtu-relay-8ch") as output:
            found.append(output.summary())

    run(story())
    tripped = [
        {**found[1], "last_trip": cause, "lasting": [cause] if cause in LASTING.values() else [], "latched": [0, 1]}
        for cause in TRIP_NAMES[1:]
    ]
    return [*found, {**found[1], "in_doubt": True}, {**found[1], "another_answers": True}, *tripped]


def test_amplifiers() -> None:
    for one in summaries():
        differ(said(amplifier_in_words, one))


def test_each_number_of_an_amplifier_is_told() -> None:
    _, on_air, *_ = summaries()
    assert amplifier_in_words(on_air, "en") == (
        "amp-1: closed: zone-1; supply 24.0 V; current 0.35 A; temperature -5.5 °C; "
        "fell open by itself 0 times; measured 39.9 W"
    )
    assert set(on_air) == {"name", "closed", "in_doubt", "another_answers", "meter", *READINGS}, (
        "what is new has no words yet"
    )


def test_boards() -> None:
    found: list[dict[str, object]] = []

    async def story() -> None:
        async with board(Lamps()) as output:
            found.append(output.summary())

    run(story())
    (dark,) = found
    for one in (dark, {**dark, "size": None}, {**dark, "showing": True}):
        differ(said(board_in_words, one))


@pytest.mark.parametrize("code", CODES)
def test_each_detail_of_an_alarm(code: Code) -> None:
    differ(said(detail_in_words, {"code": code.value, **VALUES}))


def test_an_alarm_in_the_status(tmp_path: Path) -> None:
    answer = known(tmp_path, started(Machine()), Parts(), alarm=detail(Code.NO_BEAT, over_s=3600))
    assert answer["alarms"][0]["details"] == [{"code": "no-beat", "over_s": 3600}]

    def told(language: str) -> list[str]:
        return [line for line in words(answer, language).splitlines() if "source-silent" in line]

    differ(told)


def test_the_ways_in(tmp_path: Path) -> None:
    answer = known(tmp_path, started(Machine()), Parts())
    answer |= {"lan": {"host": "192.0.2.1", "port": 5683}, "receipts": "kept here: no"}
    answer["bundle"] |= {"path": "/dev", "trouble": "no"}

    def told(language: str) -> list[str]:
        lines = words(answer, language).splitlines()
        return [line for line in lines if "192.0.2.1" in line or "/dev" in line or line.endswith(": no")]

    assert len(told("en")) == 3
    for one, other in zip(told("en"), told("vi"), strict=True):
        assert words_of(one) & words_of(other) <= {"dev", "no"}, (one, other)


@pytest.mark.parametrize("cause", Cause)
def test_each_cause_of_a_line_and_what_to_do(cause: Cause) -> None:
    finding = {"cause": cause.value, "units": [3, 17]}
    differ(lambda language: findings_in_lines([finding], language))


def test_the_numbers_of_a_line() -> None:
    units = [asdict(replace(GONE, answers=4, median_ms=6.0, p95_ms=8.0))]
    differ(lambda language: bus_in_lines({"name": "bus-1", "open": False, "units": units, "findings": []}, language))


def test_a_scan_and_one_that_finds_nothing_wrong() -> None:
    found = bus.report(bus.Line("/dev/ttyUSB0", 19_200, frozenset({1, 2})), [HERE])
    differ(lambda language: bus._lines(found, language))
    found["findings"], found["units"][0]["profiles"] = [], []
    differ(lambda language: bus._lines(found, language))


def test_the_progress_of_a_scan(capsys: pytest.CaptureFixture[str]) -> None:
    def told(language: str) -> list[str]:
        bus._progress(translator(language), 19_200, 7)
        return [capsys.readouterr().err.removesuffix("\033[K")]

    differ(told)


@pytest.mark.parametrize("code", Code)
def test_what_the_journal_keeps_comes_back(code: Code) -> None:
    one = Detail(code, {"relays": [1, 3], "text": "bảng"})
    assert restored(written([one, one])) == (one, one)


@pytest.mark.parametrize("text", ["no beat for over 60 s", "", "5", "{}x", "[1]", '[{"over_s": 1}]', '[{"code": "x"}]'])
def test_what_an_earlier_version_kept_is_told_as_it_is(text: str) -> None:
    (one,) = restored(text)
    assert str(one) == text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_code_of_a_later_version_is_told_with_its_values(language: str) -> None:
    later = json.loads('{"code": "moon-full", "days": 3, "relays": [1, 2]}')
    assert detail_in_words(later, language) == "code moon-full, days 3, relays 1, 2"
