"""The agent's eyes on its lines: numbers in the status, and a line in the log once per change of diagnosis."""

from __future__ import annotations

import asyncio
import logging

import pytest
from pymodbus.pdu.register_message import ReadInputRegistersRequest
from tests.sim.hw.units import Amp8
from tests.sim.hw.virtual import Line, run

from ward_hub.line_words import bus_in_lines, cause_in_words
from ward_hub.lines import LOOK_S, WatchedLine, as_json, watch
from ward_hw.bus import ModbusBus
from ward_hw.diagnosis import Cause, Finding
from ward_hw.errors import HardwareError


async def ask(bus: ModbusBus, unit: int, times: int) -> None:
    for _ in range(times):
        try:
            deadline = asyncio.get_running_loop().time() + 2
            await bus.request(ReadInputRegistersRequest(address=0, count=2), unit=unit, deadline=deadline)
        except HardwareError:
            pass


def test_a_change_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ward_hub.lines")

    async def story() -> None:
        one, two = Amp8(unit=1), Amp8(unit=2)
        line = Line(19_200, units=[one, two])
        watched = WatchedLine("bus-1", frozenset({1, 2}))
        async with ModbusBus("virtual", 19_200, timeout=0.1, opener=line.open, observer=watched.log.observe) as bus:
            watched.bus = bus
            watching = asyncio.create_task(watch([watched]))
            for deaf in (False, True, True, True, False, False):
                two.deaf = [deaf] * 10
                await ask(bus, 1, 10)
                await ask(bus, 2, 10)
                await asyncio.sleep(LOOK_S)
                two.deaf.clear()
            line.unplug()
            await ask(bus, 1, 3)
            await asyncio.sleep(LOOK_S)
            assert watched.summary()["open"] is False
            watching.cancel()

    run(story())
    assert caplog.messages == [
        f"bus bus-1: likely cause of trouble: {what}. {remedy}"
        for what, remedy in (
            cause_in_words({"cause": "dead", "units": [2]}, "en"),
            cause_in_words({"cause": "loose", "units": [2]}, "en"),
        )
    ]


def test_the_status_has_the_numbers_and_words_for_them() -> None:
    async def story() -> None:
        line = Line(19_200, units=[Amp8(unit=1)])
        watched = WatchedLine("bus-1", frozenset({1, 2}))
        async with ModbusBus("virtual", 19_200, timeout=0.1, opener=line.open, observer=watched.log.observe) as bus:
            watched.bus = bus
            await ask(bus, 1, 12)
            await ask(bus, 2, 5)
            summary = watched.summary()
            assert summary["findings"] == [{"cause": "dead", "units": [2]}]
            assert list(bus_in_lines(summary, "en")) == [
                "bus bus-1: 2 units, 12 of the last 17 requests answered",
                "  unit 2: 0 of 5 answered, 0 of them with exceptions, 0 with CRC errors, 0 with other bytes, 5 silent",
                "  Likely cause: units 2 say nothing, others answer",
                "    Check their power, their unit number and their terminals; then exchange the unit.",
            ]

    run(story())


def test_a_port_that_is_not_there_is_said() -> None:
    summary = WatchedLine("bus-1", frozenset()).summary()
    assert list(bus_in_lines(summary, "en"))[1] == "  its serial port is not open"


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_words_and_something_to_do(cause: Cause, language: str) -> None:
    what, remedy = cause_in_words(as_json(Finding(cause, (3, 17))), language)
    assert what
    assert remedy.endswith(".")
    assert "%" not in what
    english, _ = cause_in_words(as_json(Finding(cause, (3, 17))), "en")
    assert ("3, 17" in what) == ("3, 17" in english)
    assert language == "en" or what != english
