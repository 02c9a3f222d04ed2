"""What is likely wrong with a serial line, and what to do about it, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ward_hub.i18n import translator
from ward_hw.diagnosis import Cause


def cause_in_words(finding: Mapping[str, Any], language: str) -> tuple[str, str]:
    """Return the likely cause of a finding (`cause`, `units`), and what to do."""
    _ = translator(language)
    what, remedy = _words(_)[Cause(finding["cause"])]
    units = ", ".join(map(str, finding["units"]))
    return (what % units if "%s" in what else what), remedy


def findings_in_lines(findings: Sequence[Mapping[str, Any]], language: str) -> Iterator[str]:
    """Return likely causes and remedies, a line for each."""
    _ = translator(language)
    for finding in findings:
        what, remedy = cause_in_words(finding, language)
        yield _("Likely cause: %s") % what
        yield f"  {remedy}"


def statistics_in_words(unit: Mapping[str, Any], language: str) -> str:
    """Return the numbers of one unit as a line."""
    _ = translator(language)
    told = [
        _("%(answers)d of %(tries)d answered, %(exceptions)d of them with exceptions"),
        _("%(damaged)d with CRC errors, %(other)d with other bytes, %(silent)d silent"),
    ]
    counts = {**unit, "other": unit["foreign"] + unit["garbage"], "silent": unit["silent"] + unit["echoes"]}
    if unit["median_ms"] is not None:
        told.append(_("%(median_ms).0f ms, 95 %% within %(p95_ms).0f ms"))
    return ", ".join(one % counts for one in told)


def bus_in_lines(bus: Mapping[str, Any], language: str) -> Iterator[str]:
    """Return what the agent says of a bus: all units together, those that lose answers by themselves, and why."""
    _ = translator(language)
    units = bus["units"]
    told = {"name": bus["name"], "count": len(units), "answers": 0, "tries": 0}
    told |= {key: sum(one[key] for one in units) for key in ("answers", "tries")}
    yield _("bus %(name)s: %(count)d units, %(answers)d of the last %(tries)d requests answered") % told
    if not bus["open"]:
        yield "  " + _("its serial port is not open")
    for unit in units:
        if unit["answers"] < unit["tries"]:
            yield "  " + _("unit %d: ") % unit["unit"] + statistics_in_words(unit, language)
    yield from (f"  {line}" for line in findings_in_lines(bus["findings"], language))


def _words(_: Callable[[str], str]) -> dict[Cause, tuple[str, str]]:
    return {
        Cause.BAUD: (
            _("wrong baud rate: units %s answer at another one than the line's"),
            _("Set these units to the line's baud rate, or `baudrate` of the bus to theirs."),
        ),
        Cause.POLARITY: (
            _("nobody answers, and only garbage comes: A and B exchanged, or a wrong baud rate"),
            _("Exchange A and B at the adapter. If that is no help, scan with --baud all."),
        ),
        Cause.ECHO_ONLY: (
            _("nobody answers, and only our own requests come back: the adapter works, the line behind it does not"),
            _("Check the cable from the adapter to the first unit, A to A and B to B, and the power of the units."),
        ),
        Cause.SILENT_LINE: (
            _("nobody answers, and nothing comes"),
            _(
                "Check the power of the units, the cable, A to A and B to B, and the unit numbers; "
                "then scan with --baud all."
            ),
        ),
        Cause.COLLISION: (
            _("two units with one number: %s"),
            _("Take one unit after the other off the line until this number answers well; renumber the other."),
        ),
        Cause.NOISE: (
            _("noise on the line: units all along it lose answers"),
            _("Check for 120 ohm at both ends and nowhere else, the shield, mains cables beside the line, its length."),
        ),
        Cause.NOISY_UNIT: (
            _("noise or a bad connection at units %s only"),
            _("Check the terminals, the stub and the supply of these units."),
        ),
        Cause.SECOND_MASTER: (
            _("somebody else talks on the line: whole frames come that nobody here asked for"),
            _("Look for a second master: another hub, a PC, a PLC. Take it off the line."),
        ),
        Cause.SLOW: (
            _("units %s answer too late"),
            _("Set `timeout_ms` of the bus higher."),
        ),
        Cause.DEAD: (
            _("units %s say nothing, others answer"),
            _("Check their power, their unit number and their terminals; then exchange the unit."),
        ),
        Cause.LOOSE: (
            _("units %s say nothing now and then, others always answer"),
            _("Check for a loose terminal, and the supply of these units while relays switch."),
        ),
    }
