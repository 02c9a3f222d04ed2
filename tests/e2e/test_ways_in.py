"""A hub whose network is down airs what is pushed to it on its own network, and what comes on a stick."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.e2e.test_bad_input import bulletin, until
from tests.e2e.walks import free_port
from tests.sim.hw.sounds import tone

from ward_protocol.envelope import Envelope, sign
from ward_protocol.statements import Audience, Audio, Event, Priority, Status, Text
from ward_protocol.statements.words import Category
from ward_sim.bulletins import StoryBulletin
from ward_sim.offices import PROVINCE, WARD
from ward_sim.stage import Stage
from ward_sim.ward import load


async def wardhub(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ward_hub", *map(str, words)]
    return await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)


async def open_ways(stage: Stage, stick: Path) -> str:
    """Let the hub listen and watch, and start it again with its network down; return where it listens."""
    await stage.hub.wait_for_log("grants 1 are in force")
    stage.link.up = False
    await stage.hub.stop()
    port = free_port()
    ways = f'[lan]\nlisten = "127.0.0.1:{port}"\n[usb]\nmount = "{stick}"\n'
    stage.hub.config.write_text(stage.hub.config.read_text(encoding="utf-8") + ways, encoding="utf-8")
    await stage.hub.start()
    await stage.hub.wait_for_log(f"lan: listening at 127.0.0.1, port {port}")
    return f"coap://127.0.0.1:{port}"


def state_of(stage: Stage, data: bytes) -> Callable[[], str | None]:
    """Return what says where that statement stands at the hub."""

    def look() -> str | None:
        with closing(sqlite3.connect(stage.hub.folder / "state" / "journal.sqlite")) as db:
            digest = Envelope.open(data).digest
            row = db.execute("SELECT state FROM statement WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else str(row[0])

    return look


@pytest.mark.capability("espeak-ng")
async def test_by_lan_and_by_usb_with_the_network_down(tmp_path: Path) -> None:
    stick, recording = tmp_path / "stick", tone(tmp_path / "speech.wav", 2.0)
    stick.mkdir()
    sound = recording.read_bytes()
    audio = Audio(hashlib.sha256(sound).digest(), len(sound), "audio/wav", 2000)
    async with Stage(load(), tmp_path / "hub") as stage:
        to = await open_ways(stage, stick)
        audience = Audience((stage.ward.area,), boards=("none",))
        pushed = sign(bulletin(stage, 1, audio=(audio,)), [stage.offices.author(WARD)])
        text = Text("vi", "Lũ về", "Di chuyển lên nơi cao ngay.")
        alert = StoryBulletin("alert", Priority.EMERGENCY, Status.ACTUAL, Category.MET, (text,))
        carried = stage.offices.issue(PROVINCE, alert, audience, int(time.time()))
        (tmp_path / "pushed.cose").write_bytes(pushed)
        (tmp_path / "carried.cose").write_bytes(carried)
        relays = stage.world.amplifiers["amp-1"]

        made = await wardhub("push", tmp_path / "pushed.cose", "--to", to, "--media", recording, "--json")
        assert made.returncode == 0, made.stdout + made.stderr
        assert [json.loads(line)["taken"] for line in made.stdout.splitlines()] == [True, True]
        await until(lambda: any(relays.relays[1:]), stage.hub.tail)
        await until(lambda: state_of(stage, pushed)() == "aired", stage.hub.tail)

        put = await wardhub("bundle", "create", tmp_path / "carried.cose", "--out", stick, "--json")
        assert put.returncode == 0, put.stderr
        await until(lambda: any(relays.relays[1:]), stage.hub.tail)
        await until(lambda: state_of(stage, carried)() == "aired", stage.hub.tail)

        again = await wardhub("bundle", "import", stick, "--config", stage.hub.config, "--json")
        assert again.returncode == 77, again.stderr
        assert [one["reason"] for one in json.loads(again.stdout)["items"]] == ["replayed"]
        status = json.loads((await wardhub("status", "--config", stage.hub.config, "--json")).stdout)
        assert status["source"] == "down"
        assert status["lan"]["host"] == "127.0.0.1"
        assert status["bundle"]["refused"] == 1

        stage.link.up = True

        def aired() -> set[bytes]:
            return {one.statement for one in stage.source.receipts if one.event is Event.AIRED}

        wanted = {Envelope.open(one).digest for one in (pushed, carried)}
        await until(lambda: aired() == wanted, stage.hub.tail)
        assert "Traceback" not in stage.hub.log.read_text(encoding="utf-8")
