"""`wardhub bus scan`: finds the units on a serial line, identifies them, and names the likely cause of trouble."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ward_hub.cli import bus_lease
from ward_hub.cli.bus_lease import LAST_UNIT
from ward_hub.cli.run import DEFAULT_CONFIG
from ward_hub.config import load
from ward_hub.errors import UsageError
from ward_hub.i18n import DEFAULT_LANGUAGE, LANGUAGES, translator
from ward_hub.line_words import findings_in_lines, statistics_in_words
from ward_hub.lines import as_json
from ward_hub.printed import one_line, plain_json
from ward_hw.diagnosis import diagnose
from ward_hw.scan import Plan, Scanned, elsewhere, likely_baudrate, scan

SUMMARY = "a serial line: who answers, how well, the likely cause of trouble; does a relay board open by itself"
BAUDRATES = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)


@dataclass(frozen=True, slots=True)
class Line:
    """What is scanned: a port, its baud rate where that is known, and the units that should be there."""

    port: str
    baudrate: int | None
    expected: frozenset[int]


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the step and its arguments."""
    steps = one.add_subparsers(metavar="STEP", required=True, dest="step")
    look = steps.add_parser("scan", help="ask every unit number, while the agent is stopped; nothing is written")
    where = look.add_mutually_exclusive_group()
    where.add_argument("--bus", metavar="NAME", help="a bus of the configuration; default: its only one")
    where.add_argument("--port", metavar="PATH", help="any serial device, without a configuration")
    look.add_argument(
        "--baud", default=None, metavar="N,N|all", help="default: the bus's, others for who is missing there; or all"
    )
    look.add_argument("--units", default=f"1-{LAST_UNIT}", metavar="A-B", help=f"default: 1-{LAST_UNIT}")
    look.add_argument("--tries", type=int, default=20, metavar="N", help="requests to each unit found; default: 20")
    look.add_argument("--timeout-ms", type=int, default=150, metavar="MS", help="time for an answer; default: 150")
    look.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help=f"default: {DEFAULT_CONFIG}")
    look.add_argument("--lang", choices=LANGUAGES, default=DEFAULT_LANGUAGE)
    look.add_argument("--json", action="store_true", help="print what was found as JSON")
    bus_lease.arguments(steps.add_parser("lease", help="try whether a relay board opens by itself"), BAUDRATES)


def act(chosen: argparse.Namespace) -> int:
    """Scan, print, and return 69 where a cause of trouble was found."""
    if chosen.step == "lease":
        return bus_lease.act(chosen)
    line = _line(chosen)
    bauds = _bauds(chosen.baud, line.baudrate)
    if not 2 <= chosen.tries <= 1000 or not 10 <= chosen.timeout_ms <= 5000:
        raise UsageError("--tries is 2 to 1000, --timeout-ms 10 to 5000")
    plan = Plan(_units(chosen.units), line.expected, chosen.tries, chosen.timeout_ms / 1000)
    elsewhere_too = BAUDRATES if chosen.baud is None else ()
    answer = report(line, asyncio.run(_scan(line.port, bauds, plan, elsewhere_too, chosen.lang)))
    if chosen.json:
        sys.stdout.write(plain_json(answer) + "\n")
    else:
        sys.stdout.writelines(one_line(one) + "\n" for one in _lines(answer, chosen.lang))
    return os.EX_UNAVAILABLE if answer["findings"] else os.EX_OK


def report(line: Line, scans: list[Scanned]) -> dict[str, Any]:
    """Return what scans at one or more baud rates amount to, as JSON has it."""
    baudrate = line.baudrate or likely_baudrate(scans)
    strangers = elsewhere(scans, baudrate)
    # Where the bus's own rate was not tried and nobody was found, what was tried tells as much.
    here = next((one for one in scans if one.baudrate == baudrate), None if strangers else scans[0])
    statistics = () if here is None else here.statistics
    units = [
        {
            "baudrate": each.baudrate,
            "profiles": found.profiles if found else (),
            "identification": found.texts if found else (),
            "serial": found.serial if found else None,
            **asdict(one),
        }
        for each in scans
        for one in each.statistics
        for found in [next((got for got in each.found if got.unit == one.unit), None)]
        if one.answers or (each.baudrate == baudrate and (one.dirty or one.unit in line.expected))
    ]
    findings = diagnose(statistics, line.expected, strangers)
    return {
        "port": line.port,
        "baudrate": baudrate,
        "scanned": [one.baudrate for one in scans],
        "units": units,
        "findings": [as_json(one) for one in findings],
    }


async def _scan(
    port: str, bauds: tuple[int, ...], plan: Plan, elsewhere_too: tuple[int, ...], language: str
) -> list[Scanned]:
    """Scan at `bauds`; who should be there and answered at none of them is asked at the others too."""
    shown = sys.stderr.isatty()
    look = partial(scan, progress=partial(_progress, translator(language))) if shown else scan
    try:
        scans = [await look(port, baud, plan) for baud in bauds]
        missing = plan.expected & set(plan.units) - {one.unit for each in scans for one in each.found}
        if missing:
            search = Plan(tuple(sorted(missing)), tries=plan.tries, timeout=plan.timeout)
            scans += [await look(port, baud, search) for baud in elsewhere_too if baud not in bauds]
        return scans
    finally:
        if shown:
            sys.stderr.write("\r\033[K")


def _progress(_: Callable[[str], str], baudrate: int, unit: int) -> None:
    sys.stderr.write("\r" + _("unit %(unit)d at %(baud)d baud") % {"unit": unit, "baud": baudrate} + "\033[K")


def _line(chosen: argparse.Namespace) -> Line:
    if chosen.port:
        return Line(chosen.port, None, frozenset())
    config = load(chosen.config)
    buses = [one for one in config.bus if chosen.bus in {None, one.name}]
    if len(buses) != 1:
        names = ", ".join(one.name for one in config.bus) or "none"
        raise UsageError(f"which bus is meant? The configuration has: {names}; say it with --bus, or give --port")
    return Line(buses[0].port, buses[0].baudrate, config.units_on(buses[0].name))


def _bauds(given: str | None, of_the_bus: int | None) -> tuple[int, ...]:
    if given == "all" or (given is None and of_the_bus is None):
        return BAUDRATES
    if given is None:
        return (of_the_bus,) if of_the_bus else BAUDRATES
    try:
        bauds = tuple(dict.fromkeys(int(one) for one in given.split(",")))
    except ValueError:
        bauds = ()
    if not bauds or not set(bauds) <= set(BAUDRATES):
        raise UsageError(f"--baud {given}: these can be scanned: {', '.join(map(str, BAUDRATES))}, or all")
    return bauds


def _units(given: str) -> tuple[int, ...]:
    first, _, last = given.partition("-")
    if first.isdecimal() and (last or first).isdecimal() and 1 <= int(first) <= int(last or first) <= LAST_UNIT:
        return tuple(range(int(first), int(last or first) + 1))
    raise UsageError(f"--units {given}: write one number, or two such as 1-{LAST_UNIT}")


def _lines(answer: dict[str, Any], language: str) -> Iterator[str]:
    _ = translator(language)
    bauds = ", ".join(map(str, answer["scanned"]))
    yield _("%(port)s, scanned at %(bauds)s baud") % {"port": answer["port"], "bauds": bauds}
    for unit in answer["units"]:
        product = _(" or ").join(unit["profiles"]) or _("unknown product")
        if unit["identification"]:
            product += f" ({', '.join(unit['identification'])})"
        told = {"unit": unit["unit"], "baud": unit["baudrate"], "product": product}
        yield (
            _("unit %(unit)d at %(baud)d baud: %(product)s") % told
            if unit["answers"]
            else (_("unit %(unit)d at %(baud)d baud") % told)
        )
        if unit["serial"]:
            yield "  " + _("serial number %s") % unit["serial"]
        yield f"  {statistics_in_words(unit, language)}"
    yield from findings_in_lines(answer["findings"], language)
    if not answer["findings"]:
        yield _("Nothing is wrong with the line, as far as can be seen.")
