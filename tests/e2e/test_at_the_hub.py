"""Whoever stands at the hub: status, queue, stop and purge against the running agent, then the audit trail."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.test_bad_input import bulletin, until

from ward_protocol.envelope import sign
from ward_protocol.reasons import Reason
from ward_protocol.statements import Event, Text
from ward_sim.offices import WARD
from ward_sim.stage import Stage
from ward_sim.ward import load

LONG = Text("vi", "Bản tin dài", "Một hai ba bốn năm sáu bảy tám chín mười. " * 12)


async def at_the_hub(stage: Stage, *words: str) -> Any:  # noqa: ANN401 - JSON is anything
    command = [sys.executable, "-m", "ward_hub", *words, "--config", str(stage.hub.config), "--json"]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.capability("espeak-ng")
async def test_status_queue_stop_and_purge(tmp_path: Path) -> None:
    async with Stage(load(), tmp_path) as stage:
        later = int(time.time()) + 300
        plans: list[dict[str, Any]] = [{"texts": (LONG,)}, {"not_before": later}, {"not_before": later + 1}]
        for sequence, changes in enumerate(plans, 1):
            data = sign(bulletin(stage, sequence, **changes), [stage.offices.author(WARD)])
            stage.source.publish(data)
        relays = stage.world.amplifiers["amp-1"]
        await until(lambda: any(relays.relays[1:]), stage.hub.tail)

        status = await at_the_hub(stage, "status")
        assert status["time_trust"] == "good"
        assert status["source"] == "observing"
        assert status["receipts"] == "protected"
        assert status["on_air"]["title"] == "Bản tin dài"
        queue = await at_the_hub(stage, "queue", "list")
        assert sorted(one["on_air"] for one in queue) == [False, False, True]

        stopped = await at_the_hub(stage, "stop")
        assert stopped == status["on_air"]["id"]
        await until(lambda: not any(relays.relays), stage.hub.tail)
        assert await at_the_hub(stage, "stop") is None

        waiting = [one["id"] for one in queue if not one["on_air"]]
        assert await at_the_hub(stage, "queue", "purge", waiting[0][:8]) == [waiting[0]]
        assert await at_the_hub(stage, "queue", "purge", "--all") == [waiting[1]]
        assert await at_the_hub(stage, "queue", "list") == []

        def ended() -> list[Reason | None]:
            return [one.reason for one in stage.source.receipts if one.event in {Event.PARTLY, Event.NOT_AIRED}]

        await until(lambda: len(ended()) == 3, stage.hub.tail)
        assert ended() == [Reason.STOPPED, Reason.PURGED, Reason.PURGED]
        trail = await at_the_hub(stage, "audit", "verify")
        assert trail["entries"] >= 7
