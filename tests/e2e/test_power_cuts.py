"""The agent is killed again and again at moments drawn from a seed: nothing accepted and no receipt is lost.

Nor does it use a number of its channel twice.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sim.links.channel_rig import Tap

from ward_protocol.envelope import Envelope
from ward_protocol.statements import Audience, Event, Priority, Receipt, Status, Text
from ward_protocol.statements.words import Category
from ward_sim.bulletins import StoryBulletin
from ward_sim.cases import Case
from ward_sim.offices import PROVINCE, WARD
from ward_sim.stage import Stage
from ward_sim.ward import load
from ward_sim.world import now_ms

SEED = 20261123
KILLS = 8
GUARD_S = 150
ENDINGS = (Event.AIRED, Event.PARTLY, Event.NOT_AIRED)


def words(number: int, priority: Priority) -> StoryBulletin:
    text = Text("vi", f"Tin số {number}", "Thử mất điện.")
    return StoryBulletin(f"cut-{number}", priority, Status.ACTUAL, Category.OTHER, (text,))


def publish(stage: Stage, number: int) -> None:
    urgent = number % 3 == 0
    content = words(number, Priority.EMERGENCY if urgent else Priority.NORMAL)
    # No boards: a board holds its text for seconds, and it is the journal that is tried here.
    audience = Audience((stage.ward.area,), boards=("none",))
    data = stage.offices.issue(PROVINCE if urgent else WARD, content, audience, int(time.time()))
    stage.cases.append(Case(content.name, Envelope.open(data), now_ms(), Event.AIRED))
    stage.source.publish(data)


async def until(true: Callable[[], bool], seconds: float = GUARD_S) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.05)


def all_open(stage: Stage) -> bool:
    return not any(any(one.relays) for one in stage.world.amplifiers.values())


@pytest.mark.capability("espeak-ng")
async def test_kill_9_in_a_loop(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    async with Stage(load(), tmp_path) as stage:
        tap = Tap()
        tap.on(stage.link)
        for number in range(KILLS):
            publish(stage, number)
            await asyncio.sleep(rng.uniform(0.0, 3.0))
            await stage.hub.kill()
            # With nobody to renew them, the leases end by themselves.
            await until(lambda: all_open(stage), 15)
            await stage.hub.start()
        await until(lambda: all(case.last(*ENDINGS) is not None for case in stage.cases))
        await until(lambda: all_open(stage), 30)
        for case in stage.cases:
            assert len([one for one in case.receipts if one.event is Event.ACCEPTED]) == 1, case.name
            assert len([one for one in case.receipts if one.event in ENDINGS]) == 1, case.name
        assert_unbroken(stage.source.receipts)
    # Each message of every life was sealed under a number of its own, and no receipt left unsealed.
    numbers = [one.piv for one in tap.sealed]
    assert len(set(numbers)) == len(numbers) >= len(stage.source.receipts)
    assert not [one for one in tap.open if (11, b"receipts") in one.options]


def assert_unbroken(receipts: list[Receipt]) -> None:
    """Each receipt came once, in order, and names the one before."""
    assert [one.sequence for one in receipts] == list(range(1, len(receipts) + 1))
