"""The eyes on the serial lines: how the units answer, what is likely wrong, told once whenever that changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ward_hub.line_words import cause_in_words
from ward_hw.bus import ModbusBus
from ward_hw.diagnosis import Finding, diagnose
from ward_hw.link_log import LinkLog

log = logging.getLogger(__name__)
LOOK_S = 10.0


class WatchedLine:
    """One bus with the log of what it observes; `expected` are the units that the configuration has on it."""

    def __init__(self, name: str, expected: frozenset[int]) -> None:
        self.name = name
        self.log = LinkLog()
        self.bus: ModbusBus | None = None
        self._expected = expected
        self._told: tuple[Finding, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether its serial port is open now."""
        return self.bus is not None and self.bus.open

    def findings(self) -> tuple[Finding, ...]:
        """Return what is likely wrong, by the last requests."""
        return diagnose(self.log.statistics(), self._expected)

    def look(self) -> None:
        """Say in the log what is likely wrong, if that has changed since the last look."""
        findings = self.findings()
        if findings == self._told:
            return
        self._told = findings
        for one in findings:
            what, remedy = cause_in_words(as_json(one), "en")
            log.warning("bus %s: likely cause of trouble: %s. %s", self.name, what, remedy)
        if not findings:
            log.info("bus %s: in order again", self.name)

    def summary(self) -> dict[str, object]:
        """Return the numbers of its units over their last requests, and what is likely wrong."""
        return {
            "name": self.name,
            "open": self.is_open,
            "units": [asdict(one) for one in self.log.statistics()],
            "findings": [as_json(one) for one in self.findings()],
        }


def as_json(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON has it."""
    return {"cause": finding.cause.value, "units": list(finding.units)}


async def watch(lines: Sequence[WatchedLine]) -> None:
    """Look at all lines now and then, until cancelled."""
    while True:
        await asyncio.sleep(LOOK_S)
        for line in lines:
            line.look()
