"""An emergency from its last datagram to the relays' confirmed closing: what the hub adds to the serial wire time.

The agent runs as a process against the simulated ward. The time begins when the last datagram before the order leaves
for the hub, and ends with the last character of the answer that confirms the relays; both are seen on the simulated
network and line, outside the hub. Wire time is every character of the order and of its answers at the line's rate.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.harness import Row

from ward_protocol.envelope import Envelope
from ward_protocol.statements import Audience, Priority, Status, Text
from ward_protocol.statements.words import Category
from ward_sim.bulletins import StoryBulletin
from ward_sim.line import medium
from ward_sim.offices import PROVINCE
from ward_sim.stage import Stage
from ward_sim.ward import load

TRIALS = 15
LIMIT_MS = 20.0
QUIET_S = 0.4
WARD = """
seed = 1
name = "Bench"
area = "vn/01/00268"
hub = "hub-bench"
[line]
baudrate = 19200
[link]
delay_ms = 0
loss = 0.0
[[amplifier]]
id = "amp-1"
name = "amp-1"
unit = 17
warm_up_ms = 0
zones = [{ id = "zone-1", name = "zone-1" }, { id = "zone-2", name = "zone-2" }]
[[board]]
id = "board-1"
name = "board-1"
modules_wide = 1
modules_high = 1
"""


@dataclass(frozen=True, slots=True)
class Trial:
    """One emergency, ms: from the last datagram to the confirmation, and what of it the wire took."""

    total: float
    wire: float


class Tap:
    """Notes every burst on the line and every datagram towards the hub."""

    def __init__(self, stage: Stage) -> None:
        self.bursts: list[tuple[float, int]] = []
        self.datagrams: list[float] = []
        line = stage.world.lines["line"]
        self.character_s = line.character_s
        self._carry = line.carry
        self._send_down = stage.link.send_down
        line.carry = self._burst  # type: ignore[method-assign]
        stage.link.send_down = self._datagram  # type: ignore[method-assign]

    def clear(self) -> None:
        self.bursts.clear()
        self.datagrams.clear()

    def trial(self) -> Trial:
        first = self.bursts[0][0] - self.bursts[0][1] * self.character_s
        asked = max(one for one in self.datagrams if one <= first)
        wire = sum(count for _, count in self.bursts) * self.character_s
        return Trial((self.bursts[-1][0] - asked) * 1000, wire * 1000)

    def _burst(self, sender: medium.Tap, burst: list[medium.Character]) -> None:
        self._carry(sender, burst)
        self.bursts.append((time.monotonic(), len(burst)))

    def _datagram(self, data: bytes, hub: tuple[str, int]) -> None:
        self.datagrams.append(time.monotonic())
        self._send_down(data, hub)


async def rows() -> AsyncIterator[Row]:
    """Yield the medians of TRIALS emergencies, each cancelled once it is confirmed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ward.toml").write_text(WARD, encoding="utf-8")
        ward = load(folder / "ward.toml")
        async with Stage(ward, folder, airing={"poll_ms": 1000}) as stage:
            tap = Tap(stage)
            await asyncio.sleep(3)
            trials = [await _one(stage, tap, number) for number in range(TRIALS)]
    wire = statistics.median(one.wire for one in trials)
    added = sorted(one.total - one.wire for one in trials)
    yield Row("serial wire time of order and confirmation, 19,200 baud", "ms", wire)
    total = statistics.median(one.total for one in trials)
    yield Row("last datagram to confirmed closing, median", "ms", total, wire, "wire time")
    yield Row("added by the hub and the controller, median", "ms", statistics.median(added), LIMIT_MS, "limit")
    yield Row("added by the hub and the controller, worst", "ms", added[-1])


async def _one(stage: Stage, tap: Tap, number: int) -> Trial:
    text = Text("vi", f"Khẩn {number}", "Thử.")
    content = StoryBulletin(f"bench-{number}", Priority.EMERGENCY, Status.ACTUAL, Category.OTHER, (text,))
    audience = Audience((stage.ward.area,), boards=("none",))
    data = stage.offices.issue(PROVINCE, content, audience, int(time.time()))
    tap.clear()
    stage.source.publish(data)
    async with asyncio.timeout(20):
        while not tap.bursts or time.monotonic() - tap.bursts[-1][0] < QUIET_S:
            await asyncio.sleep(0.01)
    trial = tap.trial()
    stage.source.publish(stage.offices.cancel(PROVINCE, Envelope.open(data), audience, int(time.time())))
    async with asyncio.timeout(20):
        while any(stage.world.amplifiers["amp-1"].relays):
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    return trial
