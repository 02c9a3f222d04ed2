"""The journal's writer is killed with SIGKILL while it writes: what it had said is there, and all of it fits."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.journals import FILE, HUB_KEY, journal, receipts, rows, story

from ward_hub.journal import State
from ward_hub.journal.audit import verify
from ward_protocol.reasons import Reason
from ward_protocol.statements import Event

ROOT = Path(__file__).parents[2]
KILLS = 6


def killed_after(folder: Path, first: int, seconds: float) -> int:
    """Let a writer begin at number `first` and kill it; return the last number that it had said."""
    command = [sys.executable, "-m", "tests.fault.journal_writer", str(folder), str(first)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        said = int(writer.stdout.readline())  # it writes from now on
        time.sleep(seconds)
        writer.kill()
        for line in writer.stdout:
            if line.endswith("\n"):
                said = int(line)
    return said


@pytest.mark.parametrize("seed", [1, 2])
def test_a_writer_killed_in_the_middle_leaves_a_whole_journal(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    first = 1
    for _ in range(KILLS):
        said = killed_after(tmp_path, first, rng.uniform(0, 0.05))
        assert rows(tmp_path, "PRAGMA integrity_check") == [("ok",)]
        with journal(tmp_path) as again:
            first = again.ledger.missing({"ward": said + 100})[-1][1]  # the first that is not settled
            assert first in {said + 1, said + 2}  # one more may be written, and not be said yet
            unfinished = again.ledger.unfinished()
            assert [int.from_bytes(entry.digest, "big") for entry in unfinished] in ([], [first - 1])
            for entry in unfinished:
                again.ledger.end(entry.digest, State.PARTLY, Reason.INTERRUPTED)
    found = receipts(tmp_path)  # checks signatures, numbers and chain
    accepted = [one.statement for one in found if one.event is Event.ACCEPTED]
    assert len(accepted) == len(set(accepted))
    verify(tmp_path / FILE, HUB_KEY.public)
    assert [line.event for line in story(tmp_path)].count("accepted") == len(accepted) == first - 1
    endings = [one.statement for one in found if one.event in {Event.PARTLY, Event.NOT_AIRED}]
    assert sorted(endings) == sorted(accepted)
