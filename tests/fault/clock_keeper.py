"""Hears beats and keeps the clock in the journal of a folder (argument 1), in a boot (2), until killed; says it."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.clocks import Machine
from tests.journals import journal

STEP_S = 3600


def keep(folder: Path, boot: str) -> None:
    """Keep it for ever."""
    with journal(folder) as opened:
        machine = Machine(boot=boot)
        clock = machine.clock()
        clock.restore(opened.ledger.clock())
        machine.true = clock.now()
        for _ in range(10**6):
            machine.wait(STEP_S)
            clock.heard(int(machine.true), clock.ask())
            kept = clock.keep()
            opened.ledger.keep_clock(kept)
            print(kept.floor, flush=True)


if __name__ == "__main__":
    keep(Path(sys.argv[1]), sys.argv[2])
