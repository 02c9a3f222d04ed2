"""Lets one master do the same transactions under each fault, and judges what it believes by the slave's own state.

`python -m tests.bench.masters.judge PEER COUNT SEED [FAULT...]` prints one JSON object a fault. A process of its own,
so that the processor time is that master's alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import mmap
import os
import subprocess
import sys
import tempfile
import time
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bench.masters import slave
from tests.bench.masters.peers import PEERS, TIMEOUT_S, Master

LATE_S = 1.4 * TIMEOUT_S
START_S = 20.0


@dataclass(slots=True)
class Verdict:
    """Counts of one master under one fault: each call ends as exactly one of the five from `fresh` on."""

    fault: str
    answered: int = 0  # readings whose right answer was on the wire in time
    fresh: int = 0
    confirmed: int = 0
    stale: int = 0
    false_confirms: int = 0
    errors: int = 0
    requests: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0


class Truth:
    """What the slave says of itself, in memory that both map."""

    def __init__(self, state: mmap.mmap) -> None:
        self._state = state

    def wait(self) -> None:
        """Until the slave serves: nobody is to be judged by how long a process takes to start."""
        until = time.monotonic() + START_S
        while not slave.STATE.unpack_from(self._state)[2]:
            if time.monotonic() > until:
                raise TimeoutError(f"the slave did not start within {START_S} s")
            time.sleep(0.01)

    @property
    def received(self) -> int:
        """Requests so far."""
        return int(slave.STATE.unpack_from(self._state)[0])

    @property
    def right(self) -> int:
        """Readings that were answered rightly and in time."""
        return int(slave.STATE.unpack_from(self._state)[3])

    @property
    def coils(self) -> int:
        """Coils as they are now."""
        return int(slave.STATE.unpack_from(self._state)[1])


@contextmanager
def scripted(fault: str, seed: int) -> Iterator[tuple[str, Truth]]:
    """Run the slave on a fresh pty; gives the path of the tty and the truth."""
    ours, theirs = os.openpty()
    tty.setraw(ours)
    tty.setraw(theirs)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        stack.callback(os.close, theirs)
        path = Path(folder) / "state"
        path.write_bytes(bytes(slave.STATE.size))
        file = stack.enter_context(path.open("r+b"))
        state = stack.enter_context(mmap.mmap(file.fileno(), slave.STATE.size))
        command = [sys.executable, slave.__file__, str(ours), str(path), fault, str(seed), str(LATE_S)]
        process = stack.enter_context(subprocess.Popen(command, pass_fds=[ours]))
        os.close(ours)
        stack.callback(process.terminate)
        truth = Truth(state)
        truth.wait()
        yield os.ttyname(theirs), truth


async def judge(peer: str, fault: str, count: int, seed: int) -> Verdict:
    """Let `peer` read and write in turns, `count` calls in all."""
    verdict = Verdict(fault)
    with scripted(fault, seed) as (path, truth):
        async with PEERS[peer](path, fault == "echo") as master:
            await _warm(master)
            first, began, cpu = truth.received, time.perf_counter(), time.process_time()
            for number in range(count):
                # Neighbouring writes differ, so that the slave's state tells which of them it has obeyed.
                if number % 2:
                    await _read(master, truth, verdict)
                else:
                    await _write(master, truth, verdict, number * 37 % 256)
            verdict.cpu_s = time.process_time() - cpu
            verdict.seconds = time.perf_counter() - began
            verdict.requests = truth.received - first
    return verdict


async def _warm(master: Master) -> None:
    """One reading before the clock runs; whether it succeeds is not asked."""
    with contextlib.suppress(Exception):
        await master.read()
    await asyncio.sleep(4 * LATE_S)


async def _read(master: Master, truth: Truth, verdict: Verdict) -> None:
    before, right = truth.received, truth.right
    try:
        value = await master.read()
    except Exception:  # noqa: BLE001 - whatever a library raises is an error that the caller is told of
        verdict.errors += 1
        return
    finally:
        verdict.answered += truth.right > right
    if before < value <= truth.received:
        verdict.fresh += 1
    else:
        verdict.stale += 1


async def _write(master: Master, truth: Truth, verdict: Verdict, mask: int) -> None:
    try:
        await master.write(mask)
    except Exception:  # noqa: BLE001 - as above
        verdict.errors += 1
        return
    if truth.coils == mask:
        verdict.confirmed += 1
    else:
        verdict.false_confirms += 1


def main(arguments: Sequence[str]) -> None:
    """`PEER COUNT SEED [FAULT...]`."""
    logging.disable(logging.CRITICAL)
    peer, count, seed, *faults = arguments
    for fault in faults or slave.FAULTS:
        print(json.dumps(asdict(asyncio.run(judge(peer, fault, int(count), int(seed))))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
