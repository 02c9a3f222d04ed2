"""The simulator ended from outside, in the middle: nothing of it goes on running."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import psutil
import pytest


@pytest.mark.capability("espeak-ng")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_nothing_is_left_running(tmp_path: Path, number: signal.Signals) -> None:
    sim = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ward_sim", "--port", "0", stdout=asyncio.subprocess.PIPE
    )
    assert sim.stdout is not None
    async with asyncio.timeout(60):
        while "http://" not in (await sim.stdout.readline()).decode():
            pass
        family = psutil.Process(sim.pid).children(recursive=True)
        assert len(family) >= 5  # the agent and four controllers
        sim.send_signal(number)
        await sim.communicate()
        _, alive = await asyncio.to_thread(psutil.wait_procs, family, 20)
    assert alive == []
    assert sim.returncode not in {None, 0}
