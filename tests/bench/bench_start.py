"""How long the second start of each command takes before its program runs, against the limit of 3 s.

The same program started without `ward` is taken off in each row, so that only what `ward` adds is left.
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

from tests.bench.harness import FOLDER, Row
from tests.bench.timing import medians_s

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TOP = FOLDER.parents[1]
LIMIT_S = 3.0

# What is asked of ./ward, and the environment and program that answer it.
STARTS = {
    "./ward test tests/unit/bench -k ratio": (
        f"py{sys.version_info.major}{sys.version_info.minor}",
        ["-m", "pytest", "tests/unit/bench", "-k", "ratio"],
    ),
    "./ward sim --help": ("sim", ["-m", "ward_sim", "--help"]),
}


def rows() -> Iterator[Row]:
    """Yield two rows for each command; a first start makes its environment where there is none."""
    for command, (environment, program) in STARTS.items():
        words = command.split()
        _run(words)
        python = TOP / ".tox" / environment / "bin" / "python"
        through, alone = medians_s(partial(_run, words), partial(_run, [str(python), *program]), repeats=7)
        yield Row(f"{command}: added by ward", "s", through - alone, LIMIT_S, "limit")
        yield Row(f"{command}: all of it", "s", through, alone, "the program alone")


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, cwd=TOP, check=True, capture_output=True, timeout=600)
