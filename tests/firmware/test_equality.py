"""Tier B: the cores give the same answers in CPython, in MicroPython, and in MicroPython compiled to .mpy.

The steps are random; the seed is printed, and WARD_SEED repeats it.
"""

from __future__ import annotations

import os
import random
import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.firmware.steps import amplifier_request, board_request, steps

from ward_sim.devices.flash import stage

if TYPE_CHECKING:
    from collections.abc import Mapping

LOCKSTEP = Path(__file__).with_name("lockstep.py")
REQUESTS = {"amplifier": amplifier_request, "board": board_request}
STEPS = 600
DEADLINE_S = 120


def _run(command: list[str], environment: Mapping[str, str], script: str) -> list[str]:
    done = subprocess.run(
        [*command, str(LOCKSTEP)],
        input=script, env=environment, capture_output=True, text=True, timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-2000:]
    return done.stdout.splitlines()


def _compile(library: Path, mpy_cross: str) -> None:
    for source in library.rglob("*.py"):
        subprocess.run([mpy_cross, str(source)], check=True, timeout=DEADLINE_S)
        source.unlink()


@pytest.mark.parametrize("kind", REQUESTS)
def test_all_three_agree(kind: str, tmp_path: Path, micropython: str, mpy_cross: str) -> None:
    seed = int(os.environ.get("WARD_SEED") or secrets.randbits(32))
    print(f"WARD_SEED={seed}")
    script = f"{kind}\n" + "\n".join(steps(random.Random(seed), REQUESTS[kind], STEPS)) + "\n"
    stage(kind, tmp_path, {})
    library = tmp_path / "lib"
    expected = _run([sys.executable], {"PYTHONPATH": str(library), "PYTHONDONTWRITEBYTECODE": "1"}, script)
    assert len(expected) == 3 * STEPS
    assert sum(not line.startswith(" ") for line in expected) > STEPS / 5, "hardly any request was answered"
    path = {"MICROPYPATH": f"{library}:.frozen"}
    assert _run([micropython], path, script) == expected
    _compile(library, mpy_cross)
    assert not list(library.rglob("*.py"))
    assert _run([micropython], path, script) == expected
