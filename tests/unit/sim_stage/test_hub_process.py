"""The agent as a process of the simulator: there is one, whoever starts and ends it at the same time."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import psutil
import pytest

from ward_sim import hub_process
from ward_sim.hub_process import HubProcess

STAYS = (sys.executable, "-c", "import time; time.sleep(600)")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HubProcess:
    monkeypatch.setattr(hub_process, "COMMAND", STAYS)
    return HubProcess(tmp_path)


def running() -> int:
    return sum(child.status() != psutil.STATUS_ZOMBIE for child in psutil.Process().children())


async def test_who_starts_it_while_it_is_being_started_starts_no_second_one(hub: HubProcess) -> None:
    """The one of the two that nobody knew of went on for ever."""
    before = running()
    await asyncio.gather(hub.start(), hub.start())
    assert running() == before + 1
    assert hub.restarts == 0
    await hub.kill()
    await asyncio.gather(hub.start(), hub.start())
    assert (running(), hub.restarts) == (before + 1, 1)
    await hub.stop()
    assert running() == before


async def test_who_ends_it_while_it_is_being_started_ends_it(hub: HubProcess) -> None:
    before = running()
    await asyncio.gather(hub.start(), hub.kill())
    assert not hub.up
    assert running() == before


async def test_who_waits_for_its_end_waits_for_the_one_that_is_being_started(hub: HubProcess) -> None:
    await hub.start()
    await hub.kill()
    starting = asyncio.create_task(hub.start())
    await asyncio.sleep(0)
    ended = asyncio.create_task(hub.ended())
    await starting
    assert not ended.done()
    await hub.kill()
    await ended
