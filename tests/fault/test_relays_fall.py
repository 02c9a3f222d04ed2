"""Each fault between hub and relays while the ward is on air: every relay falls open, and what airs is told truly."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fault.relay_faults import FAULTS, MOMENTS, all_open, fallen, until

from ward_protocol.envelope import Envelope
from ward_protocol.statements import Audience, Event, Priority, Status, Text
from ward_protocol.statements.words import Category
from ward_sim.bulletins import StoryBulletin
from ward_sim.cases import disagreements
from ward_sim.offices import PROVINCE
from ward_sim.stage import Stage
from ward_sim.ward import load

ON_AIR = MOMENTS[-1]
GUARD_S = 90.0
ENDINGS = (Event.AIRED, Event.PARTLY, Event.NOT_AIRED)


def publish(stage: Stage, name: str) -> bytes:
    text = Text("vi", "Thử", "Một bản tin trong lúc đường dây hỏng.")
    content = StoryBulletin(name, Priority.EMERGENCY, Status.ACTUAL, Category.OTHER, (text,))
    audience = Audience((stage.ward.area,), boards=("none",))
    data = stage.offices.issue(PROVINCE, content, audience, int(time.time()))
    stage.source.publish(data)
    return Envelope.open(data).digest


@pytest.mark.capability("espeak-ng")
async def test_each_fault_on_air_opens_every_relay_and_ends_in_a_true_receipt(tmp_path: Path) -> None:
    async with Stage(load(), tmp_path) as stage:
        relays = stage.world.amplifiers["amp-1"]
        for number, fault in enumerate(FAULTS):
            digest = publish(stage, f"fall-{number}")
            await until(lambda: ON_AIR.now(relays.relays), GUARD_S)
            await fault.happens(stage)
            await fallen(stage, fault.amplifiers, GUARD_S)
            await fault.mended(stage)

            def ended(digest: bytes = digest) -> bool:
                return any(one.statement == digest and one.event in ENDINGS for one in stage.source.receipts)

            await until(ended, GUARD_S)
            evidence = next(
                one.evidence for one in stage.source.receipts if one.statement == digest and one.event in ENDINGS
            )
            assert evidence is not None, fault.name
            # Where the line failed a zone is unconfirmed: that claims nothing. What is claimed, the witness saw.
            claimed = replace(evidence, zones=tuple(one for one in evidence.zones if one.confirmed))
            assert not list(disagreements(claimed, stage.world.witness)), fault.name
            await until(lambda: all_open(stage), GUARD_S)
