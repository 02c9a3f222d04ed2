"""Whoever stands at the hub: status, queue, stop and purge against the running agent, then the audit trail."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from functools import partial
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


def closed(stage: Stage) -> bool:
    return any(any(one.relays) for one in stage.world.amplifiers.values())


@pytest.mark.capability("espeak-ng")
async def test_silence_stands_over_a_power_cut_until_somebody_here_resumes(tmp_path: Path) -> None:
    async with Stage(load(), tmp_path) as stage:
        stage.source.publish(sign(bulletin(stage, 1, texts=(LONG,)), [stage.offices.author(WARD)]))
        await until(partial(is_closed, stage, True), stage.hub.tail)
        assert await at_the_hub(stage, "silence") == []
        await until(partial(is_closed, stage, False), stage.hub.tail)
        (line,) = await at_the_hub(stage, "queue", "list")
        assert (line["waits"], line["on_air"]) == (["hold"], False)

        await stage.hub.kill()
        await stage.hub.start()
        await until(lambda: stage.hub.log.read_text(encoding="utf-8").count("ready: hub") == 2, stage.hub.tail)
        status = await at_the_hub(stage, "status")
        assert [(one["what"], one["outlets"]) for one in status["held"]] == [("silence", [])]
        assert not closed(stage)

        resumed = await at_the_hub(stage, "resume")
        assert [one["what"] for one in resumed["ended"]] == ["silence"]
        await until(partial(is_closed, stage, True), stage.hub.tail)
        await until(lambda: any(one.event is Event.AIRED for one in stage.source.receipts), stage.hub.tail)


@pytest.mark.capability("espeak-ng")
async def test_orders_are_signed_and_published_by_commands(tmp_path: Path) -> None:
    async with Stage(load(), tmp_path, keep=True) as stage:
        offices = stage.hub.folder / "offices"
        stage.source.publish(sign(bulletin(stage, 1, texts=(LONG,)), [stage.offices.author(WARD)]))
        await until(partial(is_closed, stage, True), stage.hub.tail)
        for sequence, action, sounds in ((2, "silence", False), (3, "stop", False), (4, "resume", True)):
            draft, signed = tmp_path / f"{action}.toml", tmp_path / f"{action}.cose"
            draft.write_text(f'order = "{action}"\npriority = "priority"\n', encoding="utf-8")
            await wardhub(
                "sign", draft, "--key", offices / f"{WARD}.key", "--issuer", WARD, "--sequence", sequence,
                "--area", stage.ward.area, "--root", offices / "root.cose", "--grants", offices / "grants.cose",
                "--out", signed,
            )  # fmt: skip
            await wardhub("publish", signed, "--to", stage.source.uri)
            await until(partial(has_carried_out, stage, sequence - 1), stage.hub.tail)
            await until(partial(is_closed, stage, sounds), stage.hub.tail)
        assert carried_out(stage) == ["silence: all", "stopped: nothing", "resumed: 1 of 1"]
    trail = await at_the_hub(stage, "audit", "verify", "--receipts", str(stage.hub.folder / "receipts"))
    assert trail["agreed"] == len(stage.source.receipts)


def is_closed(stage: Stage, wanted: bool) -> bool:
    return closed(stage) is wanted


def has_carried_out(stage: Stage, count: int) -> bool:
    return len(carried_out(stage)) == count


def carried_out(stage: Stage) -> list[str]:
    return [one.detail for one in stage.source.receipts if one.event is Event.CARRIED_OUT]


async def wardhub(*words: object) -> None:
    command = [sys.executable, "-m", "ward_hub", *map(str, words)]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
