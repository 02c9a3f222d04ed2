"""What Modbus masters believe on a faulted line: fresh, stale, error, false confirms, time; ours and its peers.

Each reads and writes in turns, 1,000 calls a fault, against one scripted slave on a pty with one seed. A reading is
`answered` when its right answer was on the wire in time, and fresh when the register had that value since the call
began; a write is confirmed falsely when it returns and the slave's coils are others. Ours proves each write by a
reading, which is two requests and therefore two chances for the fault; time is what all calls took, with a time-out of
50 ms.
"""

from __future__ import annotations

import asyncio
import ctypes.util
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from typing import Any

from tests.bench.harness import Row, aligned
from tests.bench.masters.peers import PEERS
from tests.bench.masters.slave import FAULTS

COUNT = int(os.environ.get("WARD_BENCH_CALLS", "1000"))
SEED = 20261123
AT_ONCE = 2  # they mostly wait
COLUMNS = (
    "fault",
    "master",
    "answered",
    "fresh",
    "confirmed",
    "stale",
    "false confirms",
    "error",
    "s",
    "CPU µs a request",
)

Verdicts = Mapping[str, Mapping[str, Any]]
"""By fault."""


async def rows() -> AsyncIterator[Row | str]:
    """Yield the whole table, then ours beside the worst liar and the answers that there were."""
    turn = asyncio.Semaphore(AT_ONCE)
    peers = [name for name in PEERS if not name.startswith("libmodbus") or ctypes.util.find_library("modbus")]
    verdicts = dict(zip(peers, await asyncio.gather(*(_judged(peer, turn) for peer in peers)), strict=True))
    yield _table(verdicts)
    mine = verdicts.pop("ours")
    for fault in FAULTS:
        lies = {name: _lies(each[fault]) for name, each in verdicts.items()}
        liar = max(lies, key=lies.__getitem__)
        yield Row(f"{fault}: stale and false confirms", f"of {COUNT}", _lies(mine[fault]), lies[liar], f"worst: {liar}")
        one, limit = mine[fault], "limit: right answers on the wire"
        yield Row(f"{fault}: fresh readings", f"of {COUNT // 2}", one["fresh"], one["answered"], limit)
    cpu = _cpu_us(verdicts["pymodbus async"]["none"])
    yield Row(
        "processor time a request, no fault; ours with silence and proof",
        "µs",
        _cpu_us(mine["none"]),
        cpu,
        "pymodbus async",
    )


async def _judged(peer: str, turn: asyncio.Semaphore) -> Verdicts:
    """Run one master in a process of its own."""
    async with turn:
        command = (sys.executable, "-m", "tests.bench.masters.judge", peer, str(COUNT), str(SEED))
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{peer}: the judge ended with {process.returncode}; its words are above")
    return {verdict["fault"]: verdict for verdict in map(json.loads, output.splitlines())}


def _lies(verdict: Mapping[str, Any]) -> int:
    return int(verdict["stale"]) + int(verdict["false_confirms"])


def _cpu_us(verdict: Mapping[str, Any]) -> float:
    return float(verdict["cpu_s"]) / int(verdict["requests"]) * 1e6


def _table(verdicts: Mapping[str, Verdicts]) -> str:
    lines: list[tuple[str, ...]] = [COLUMNS]
    for fault in FAULTS:
        for name, each in verdicts.items():
            one = each[fault]
            counts = [str(one[key]) for key in ("answered", "fresh", "confirmed", "stale", "false_confirms", "errors")]
            lines.append((fault, name, *counts, f"{one['seconds']:.1f}", f"{_cpu_us(one):.0f}"))
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    return "\n".join(aligned(line, widths, numbers=range(2, len(COLUMNS))) for line in lines)
