"""`wardhub bus scan` as it is typed: which line is meant, what is refused, and the report in both languages."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.hub.test_config import AMPLIFIER, GOOD, METER

from ward_hub.cli import bus
from ward_hub.cli.bus import BAUDRATES, Line, report
from ward_hub.cli.main import main
from ward_hw.errors import LinkError
from ward_hw.link_log import UnitStatistics
from ward_hw.scan import Found, Plan, Scanned

GONE = UnitStatistics(2, tries=20, silent=20, silent_run=20)
FINE = UnitStatistics(1, tries=20, answers=20, exceptions=20, median_ms=6.2, p95_ms=7.9)
HERE = Scanned(19_200, (Found(1, ("wardhub/amp8",), ("wardhub", "amp8", "1.0"), "00c0ffee"),), (FINE, GONE))


class Asked:
    """What the scanner was asked to do; it answers with set results, or fails."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int, Plan]] = []
        self.error: LinkError | None = None
        self.others: dict[int, Scanned] = {}

    async def __call__(self, port: str, baudrate: int, plan: Plan) -> Scanned:
        self.calls.append((port, baudrate, plan))
        if self.error is not None:
            raise self.error
        return HERE if baudrate == HERE.baudrate else self.others.get(baudrate, Scanned(baudrate, (), ()))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    scanner = Asked()
    monkeypatch.setattr(bus, "scan", scanner)  # ports are for tests/sim and tests/e2e
    return scanner


def config(folder: Path, content: str = GOOD + AMPLIFIER + METER) -> list[str]:
    path = folder / "hub.toml"
    path.write_text(content, encoding="utf-8")
    return ["--config", str(path)]


def test_the_only_bus_of_the_configuration_is_meant(asked: Asked, tmp_path: Path) -> None:
    assert main(["bus", "scan", *config(tmp_path)]) == os.EX_UNAVAILABLE  # unit 2 is dead
    port, baudrate, plan = asked.calls[0]
    assert (port, baudrate) == ("/dev/ttyUSB0", 19_200)
    assert plan == Plan(tuple(range(1, 248)), frozenset({1, 2, 30}), 20, 0.15)


def test_who_is_missing_on_the_bus_is_asked_at_other_baud_rates(
    asked: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = UnitStatistics(2, tries=20, answers=20)
    asked.others[4800] = Scanned(4800, (Found(2, ("wardhub/amp8",)),), (found,))
    assert main(["bus", "scan", *config(tmp_path), "--units", "1-9", "--tries", "5", "--json"]) == os.EX_UNAVAILABLE
    others = [baud for baud in BAUDRATES if baud != 19_200]
    assert asked.calls[1:] == [("/dev/ttyUSB0", baud, Plan((2,), frozenset(), 5, 0.15)) for baud in others]
    told = json.loads(capsys.readouterr().out)
    assert told["findings"] == [{"cause": "baud", "units": [2]}]
    assert (told["baudrate"], told["scanned"]) == (19_200, [19_200, *others])


def test_a_port_alone_is_tried_at_every_baud_rate_and_expects_nobody(
    asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["bus", "scan", "--port", "/dev/ttyS9", "--units", "1-9", "--tries", "5", "--timeout-ms", "300"]
    assert main([*words, "--json"]) == os.EX_OK
    assert [(port, baud) for port, baud, _ in asked.calls] == [("/dev/ttyS9", baud) for baud in BAUDRATES]
    assert asked.calls[0][2] == Plan(tuple(range(1, 10)), frozenset(), 5, 0.3)
    told = json.loads(capsys.readouterr().out)
    assert (told["port"], told["baudrate"], told["findings"]) == ("/dev/ttyS9", 19_200, [])
    assert [(one["unit"], one["baudrate"], one["profiles"]) for one in told["units"]] == [(1, 19_200, ["wardhub/amp8"])]


@pytest.mark.parametrize(
    ("words", "bauds"),
    [
        (["--baud", "9600,4800,9600"], (9600, 4800)),
        (["--baud", "all"], BAUDRATES),
        (["--baud", "19200"], (19_200,)),
        (["--units", "7"], (19_200,)),  # where nobody should be
    ],
)
def test_baud_rates_that_are_asked_for(asked: Asked, tmp_path: Path, words: list[str], bauds: tuple[int, ...]) -> None:
    main(["bus", "scan", *config(tmp_path), *words])
    assert tuple(baud for _, baud, _ in asked.calls) == bauds


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--baud", "300"], "--baud 300: these can be scanned: 1200, "),
        (["--baud", "fast"], "--baud fast: these"),
        (["--baud", ""], "--baud : these"),
        (["--units", "0-5"], "--units 0-5: write one number"),
        (["--units", "9-5"], "--units 9-5"),
        (["--units", "1-248"], "--units 1-248"),
        (["--units", "one"], "--units one"),
        (["--tries", "1"], "--tries is 2 to 1000"),
        (["--timeout-ms", "9"], "--timeout-ms 10 to 5000"),
        (["--bus", "bus-9"], "which bus is meant? The configuration has: bus-1"),
        (["--bus", "bus-1", "--port", "/dev/ttyS9"], "not allowed with"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(
    asked: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], complaint: str
) -> None:
    try:
        status = main(["bus", "scan", *config(tmp_path), *words])
    except SystemExit as end:
        status = int(end.code or 0)
    said = capsys.readouterr().err
    assert (status, said.count("\n")) == (os.EX_USAGE, 1)
    assert complaint in said
    assert asked.calls == []


def test_a_line_that_cannot_be_scanned_is_one_line(
    asked: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked.error = LinkError("/dev/ttyUSB0", "scan", "another program holds it", remedy="stop it")
    assert main(["bus", "scan", *config(tmp_path)]) == os.EX_UNAVAILABLE
    assert capsys.readouterr().err == "wardhub: /dev/ttyUSB0: scan: another program holds it; stop it\n"


def test_the_report_in_words(asked: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    zeros = "0 with CRC errors, 0 with other bytes"
    assert main(["bus", "scan", *config(tmp_path), "--baud", "19200", "--lang", "en"]) == os.EX_UNAVAILABLE
    assert capsys.readouterr().out.splitlines() == [
        "/dev/ttyUSB0, scanned at 19200 baud",
        "unit 1 at 19200 baud: wardhub/amp8 (wardhub, amp8, 1.0)",
        "  serial number 00c0ffee",
        f"  20 of 20 answered, 20 of them with exceptions, {zeros}, 0 silent, 6 ms, 95 % within 8 ms",
        "unit 2 at 19200 baud",
        f"  0 of 20 answered, 0 of them with exceptions, {zeros}, 20 silent",
        "Likely cause: units 2 say nothing, others answer",
        "  Check their power, their unit number and their terminals; then exchange the unit.",
    ]
    main(["bus", "scan", *config(tmp_path)])
    said = capsys.readouterr().out
    assert "Nguyên nhân có thể" in said
    assert "Likely" not in said


def test_the_report_of_a_sound_line(capsys: pytest.CaptureFixture[str], asked: Asked) -> None:
    assert main(["bus", "scan", "--port", "/dev/ttyS9", "--lang", "en"]) == os.EX_OK
    assert capsys.readouterr().out.splitlines()[-1] == "Nothing is wrong with the line, as far as can be seen."


def test_nobody_at_a_baud_rate_that_is_not_the_buss_is_not_called_sound() -> None:
    nobody = tuple(UnitStatistics(unit, tries=1, silent=1, silent_run=1) for unit in range(1, 31))
    told = report(Line("/dev/ttyUSB0", 19_200, frozenset({1})), [Scanned(9600, (), nobody)])
    assert told["findings"] == [{"cause": "silent-line", "units": []}]


def test_units_at_another_baud_rate_are_in_the_report_with_theirs() -> None:
    slow = UnitStatistics(7, tries=20, answers=20, median_ms=40.0, p95_ms=41.0)
    scans = [HERE, Scanned(9600, (Found(7, ()),), (slow,))]
    told = report(Line("/dev/ttyUSB0", 19_200, frozenset({1, 7})), scans)
    assert told["findings"] == [{"cause": "baud", "units": [7]}]
    assert [(one["unit"], one["baudrate"]) for one in told["units"]] == [(1, 19_200), (7, 9600)]


def test_what_a_unit_says_of_itself_is_obeyed_by_no_terminal(
    asked: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = Found(3, (), ("Acme\x1b[2J\x9b1A", "x\nunit 4: fine\u202e"), None)
    asked.others = {9600: Scanned(9600, (evil,), (replace(FINE, unit=3),))}
    for more in (["--lang", "en"], ["--json"]):
        main(["bus", "scan", *config(tmp_path), "--baud", "9600", *more])
        said = capsys.readouterr().out
        assert "Acme" in said
        assert all(line.isprintable() for line in said.split("\n"))
        assert "\nunit 4: fine" not in said
