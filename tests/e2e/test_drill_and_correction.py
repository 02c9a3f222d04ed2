"""A drill and a false alert on the simulated ward: what residents and the source are told, down to the LEDs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.test_at_the_hub import at_the_hub
from tests.e2e.test_bad_input import until

from ward_hub.render import render_line
from ward_hub.render.pixels import inverted
from ward_protocol.envelope import Envelope
from ward_protocol.reasons import Reason
from ward_protocol.statements import Audience, Event, Priority, Receipt, Status, Text
from ward_protocol.statements.words import Category
from ward_sim.bulletins import StoryBulletin
from ward_sim.offices import PROVINCE
from ward_sim.stage import Stage
from ward_sim.ward import load

pytestmark = pytest.mark.capability("espeak-ng")
DRILL = Text("vi", "Diễn tập chữa cháy", "Bà con nghe loa, không cần làm gì.")
ALERT = Text("vi", "Lũ quét", "Người dân ven suối di chuyển lên nơi cao ngay. " * 6)


def publish(stage: Stage, name: str, text: Text, status: Status) -> Envelope:
    """Publish an emergency of that status, with all signatures that it takes."""
    words = StoryBulletin(name, Priority.EMERGENCY, status, Category.OTHER, (text,))
    data = stage.offices.issue(PROVINCE, words, Audience((stage.ward.area,)), int(time.time()))
    stage.source.publish(data)
    return Envelope.open(data)


def about(stage: Stage, digest: bytes) -> list[Receipt]:
    return [one for one in stage.source.receipts if one.statement == digest]


def flags(frame: bytes, width: int, words: Sequence[str] = ("DIỄN TẬP", "TẬP")) -> bool:
    """Whether a flag, that of an exercise if no other is named, is lit at the left of the first or only line."""
    rows = [int.from_bytes(frame[at : at + width // 8], "big") for at in range(0, len(frame), width // 8)]
    for word in words:
        flag = inverted(render_line(word, 16), 3)
        for shift in range(width - flag.width + 1):
            if all(rows[y] >> shift & (1 << flag.width) - 1 == flag.row(y) for y in range(16)):
                return True
    return False


async def on_air(stage: Stage) -> dict[str, Any]:
    found: dict[str, Any] = (await at_the_hub(stage, "status"))["on_air"]
    return found


async def test_an_exercise_is_one_throughout(tmp_path: Path) -> None:
    async with Stage(load(), tmp_path) as stage:
        seen: dict[str, set[bool]] = {}
        envelope = publish(stage, "exercise", DRILL, Status.EXERCISE)
        await until(lambda: any(any(one.frame) for one in stage.world.boards.values()), stage.hub.tail)
        assert (await on_air(stage))["status"] == "Exercise"
        assert [one["status"] for one in await at_the_hub(stage, "queue", "list")] == ["Exercise"]
        while not any(one.event is Event.AIRED for one in about(stage, envelope.digest)):
            for name, board in stage.world.boards.items():
                if any(board.frame):
                    seen.setdefault(name, set()).add(flags(board.frame, board.width))
            await asyncio.sleep(0.05)
        assert seen == {name: {True} for name in stage.world.boards}
        assert [one.status for one in about(stage, envelope.digest)] == [Status.EXERCISE] * 2
        assert f"[EXERCISE] {DRILL.title}" in stage.hub.tail()


async def test_a_false_alert_is_corrected_on_the_same_outputs(tmp_path: Path) -> None:
    async with Stage(load(), tmp_path) as stage:
        wrong = publish(stage, "false alert", ALERT, Status.ACTUAL)
        relays = stage.world.amplifiers["amp-1"]
        await until(lambda: any(relays.relays[1:]), stage.hub.tail)
        audience = Audience((stage.ward.area,))
        cancel = stage.offices.cancel(PROVINCE, wrong, audience, int(time.time()), announce=True)
        stage.source.publish(cancel)
        recall = Envelope.open(cancel).digest
        await until(lambda: len(about(stage, recall)) == 2, stage.hub.tail)
        assert [(one.event, one.reason) for one in about(stage, wrong.digest)] == [
            (Event.ACCEPTED, None),
            (Event.CANCELLED, Reason.CANCELLED),
        ]
        accepted, aired = about(stage, recall)
        assert (accepted.event, aired.event, aired.status) == (Event.ACCEPTED, Event.AIRED, Status.ACTUAL)
        assert aired.evidence is not None
        stopped = about(stage, wrong.digest)[-1].evidence
        assert stopped is not None
        assert [zone.zone for zone in aired.evidence.zones] == [zone.zone for zone in stopped.zones]
        assert [board.board for board in aired.evidence.boards] == [board.board for board in stopped.boards]
        assert "Đính chính" in stage.hub.tail()
