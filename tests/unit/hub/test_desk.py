"""Stop and purge at the hub: what was chosen ends, whatever the journal says, and whoever asked is told the truth."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import pytest
from tests.sim.hw.virtual import run
from tests.unit.hub.test_director import EMERGENCY, Studio, on_air

from ward_hub.alarms import Alarms
from ward_hub.desk import Desk
from ward_hub.errors import HubError
from ward_hub.keeper import Keeper
from ward_hub.links import SourceLink
from ward_hub.outputs import Outputs
from ward_hub.supervisor import supervise
from ward_protocol.reasons import Reason
from ward_protocol.statements import Event


def desk(studio: Studio) -> Desk:
    """A desk that is asked for nothing but the queue."""
    nothing = object()
    return Desk(
        director=studio.director,
        keeper=cast("Keeper", nothing),
        journal=studio.journal,
        outputs=cast("Outputs", nothing),
        link=cast("SourceLink", nothing),
        clock=studio.clock,
        ways=dict,
        alarms=Alarms(studio.journal, studio.clock),
    )


def test_a_full_card_keeps_nothing_on_air_and_nothing_queued(tmp_path: Path) -> None:
    async def play() -> None:
        studio = Studio(tmp_path)
        async with asyncio.TaskGroup() as group:
            director = group.create_task(supervise("programme", studio.director.run))
            for title in "abc":
                studio.hold(title)
            await asyncio.sleep(3)
            studio.journal.broken = frozenset({"withdraw", "end"})
            with pytest.raises(HubError, match=r"purge: it is so now, but the journal cannot be written .*full"):
                await desk(studio).purge({"all": True})
            await asyncio.sleep(1)
            assert studio.director.queue == []
            assert studio.said() == ["air a", "cut a"]
            studio.journal.broken = frozenset()
            await asyncio.sleep(60)
            assert sorted(number for number, _, reason in studio.endings() if reason is Reason.PURGED) == [1, 2, 3]
            director.cancel()
        studio.journal.close()

    run(play())


def test_a_stop_with_a_full_card_stops_and_says_what_is_missing(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.hold("a")
            await asyncio.sleep(3)
            studio.journal.broken = frozenset({"withdraw"})
            with pytest.raises(HubError, match=r"stop: it is so now, .* make room on the card"):
                await desk(studio).stop({})
            await asyncio.sleep(1)
            assert studio.player.told[1] == (3.0, "cut a")
            assert studio.endings() == [(1, Event.PARTLY, Reason.STOPPED)]

    run(play())


def test_what_was_heard_before_it_was_purged_was_aired_partly(tmp_path: Path) -> None:
    async def play() -> None:
        async with on_air(tmp_path) as studio:
            studio.hold("a")
            await asyncio.sleep(3)
            studio.hold("e", EMERGENCY)
            studio.hold("b", begins=100)
            await asyncio.sleep(3)
            await desk(studio).purge({"all": True})
            await asyncio.sleep(20)
            assert sorted(studio.endings()) == [
                (1, Event.PARTLY, Reason.PURGED),
                (2, Event.PARTLY, Reason.PURGED),
                (3, Event.NOT_AIRED, Reason.PURGED),
            ]

    run(play())
