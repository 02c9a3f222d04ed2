"""The line of a whole ward: what the running agent says of it, and the scan beside a stopped one."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.e2e.test_bad_input import GUARD_S, until

from ward_sim.stage import Stage
from ward_sim.ward import load

UNITS = "15-26"


async def wardhub(stage: Stage, *words: str) -> tuple[int, Any, str]:
    """Run one command; return its status, its JSON and its error."""
    command = [sys.executable, "-m", "ward_hub", *words, "--config", str(stage.hub.config), "--json"]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, json.loads(done.stdout or "null"), done.stderr


async def scan(stage: Stage) -> tuple[int, dict[str, Any]]:
    status, told, error = await wardhub(stage, "bus", "scan", "--units", UNITS, "--tries", "12")
    assert error == ""
    return status, told


def answering(bus: dict[str, Any]) -> list[int]:
    return [one["unit"] for one in bus["units"] if one["answers"]]


async def test_the_agent_and_the_scan_see_the_same_line(tmp_path: Path) -> None:
    async with Stage(load(), tmp_path) as stage:
        units = sorted(one.unit for one in stage.world.ward.amplifier)

        async def bus() -> dict[str, Any]:
            status, told, error = await wardhub(stage, "status")
            assert status == os.EX_OK, error
            (only,) = told["buses"]
            assert isinstance(only, dict)
            return only

        async with asyncio.timeout(GUARD_S):
            seen = await bus()
            while answering(seen) != units:
                seen = await bus()
        assert (seen["name"], seen["open"], seen["findings"]) == ("line", True, [])

        status, _, error = await wardhub(stage, "bus", "scan", "--units", UNITS)
        assert status == os.EX_UNAVAILABLE
        assert "another program holds it; where that is the agent, stop it" in error

        await stage.hub.stop()
        status, told = await scan(stage)
        assert (status, told["findings"]) == (os.EX_OK, [])
        found = [(one["unit"], one["profiles"]) for one in told["units"]]
        assert found == [(unit, ["wardhub/amp8"]) for unit in units]
        assert not any(any(one.relays) for one in stage.world.amplifiers.values())

        gone = next(one.unit for one in stage.world.ward.amplifier if one.id == "amp-2")
        astray = stage.world.amplifiers["amp-2"].tap.bauds
        astray.append(9600)
        status, told = await scan(stage)
        assert (status, told["findings"]) == (os.EX_UNAVAILABLE, [{"cause": "baud", "units": [gone]}])
        assert [(one["unit"], one["baudrate"]) for one in told["units"] if one["answers"]] == [
            (unit, 9600 if unit == gone else 19_200) for unit in units
        ]
        astray.clear()

        await stage.world.amplifiers["amp-2"].kill()
        status, told = await scan(stage)
        assert (status, told["findings"]) == (os.EX_UNAVAILABLE, [{"cause": "dead", "units": [gone]}])

        await stage.hub.start()
        await until(lambda: f"units {gone} say nothing, others answer" in stage.hub.tail(), stage.hub.tail)
        assert (await bus())["findings"] == [{"cause": "dead", "units": [gone]}]
