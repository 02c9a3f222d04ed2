"""Who keeps the clock is killed with SIGKILL again and again: the next one never begins before what was kept."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.clocks import Machine
from tests.fault.clock_keeper import STEP_S
from tests.journals import journal

ROOT = Path(__file__).parents[2]
KILLS = 6


def killed_after(folder: Path, boot: str, seconds: float) -> list[int]:
    """Let a keeper run and kill it; return the floors that it said were kept."""
    command = [sys.executable, "-m", "tests.fault.clock_keeper", str(folder), boot]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as keeper:
        assert keeper.stdout is not None
        said = [int(keeper.stdout.readline())]  # it keeps from now on
        time.sleep(seconds)
        keeper.kill()
        said += [int(line) for line in keeper.stdout if line.endswith("\n")]
    return said


@pytest.mark.parametrize("seed", [1, 2])
def test_what_was_kept_is_the_least_that_the_next_start_shows(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    kept = 0
    for number in range(KILLS):
        said = killed_after(tmp_path, f"boot-{number}", rng.uniform(0, 0.05))
        assert said == sorted(said)
        assert said[0] >= kept
        with journal(tmp_path) as again:
            clock = Machine(boot="the next one", released=0).clock()
            clock.restore(again.ledger.clock())
            # One more may have been kept, and not be said yet.
            assert said[-1] <= clock.now() <= said[-1] + STEP_S
        kept = said[-1]
