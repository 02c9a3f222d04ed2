"""Whoever makes a hub's key is killed at random moments: it is whole or not there, and what was said of it holds."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from ward_hub.identity import hub_key, read_key

ROOT = Path(__file__).parents[2]
SEED, KILLS = 20261125, 12


def killed_after(folder: Path, seconds: float) -> dict[str, str]:
    """Let keys be made in `folder` and end that with SIGKILL; return what was said, the public key by state."""
    command = [sys.executable, "-m", "tests.fault.key_maker", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as maker:
        assert maker.stdout is not None
        assert maker.stdout.readline() == "begun\n"
        time.sleep(seconds)
        maker.kill()
        lines = [line.split() for line in maker.stdout if line.endswith("\n")]
    return {number: public for number, public in lines}  # noqa: C416 - pairs, and not lists


def test_a_key_is_whole_or_not_there(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    print(f"seed {SEED}")
    made = 0
    for kill in range(KILLS):
        folder = tmp_path / str(kill)
        said = killed_after(folder, rng.uniform(0, 0.03))
        for state in sorted(folder.iterdir()) if folder.exists() else ():
            there = (state / "hub.key").exists()
            before = read_key(state / "hub.key").public if there else None  # whole
            assert there or state.name not in said
            with hub_key(state) as key:  # the next start
                assert before in {None, key.public}
                assert said.get(state.name, key.public.raw.hex()) == key.public.raw.hex()
            assert len(list(state.glob(".key-*"))) <= 1  # a draft of nobody
            made += there
    assert made > KILLS  # it was killed while it worked
