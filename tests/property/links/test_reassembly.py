"""Blocks over any channel become the recording: any order, duplication and loss, also when killed in between."""

from __future__ import annotations

import hashlib
import heapq
import random
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ward_hub.links.partial import PartialFile
from ward_hub.links.schedule import Schedule
from ward_hub.links.trip import RoundTrip
from ward_hub.links.window import LARGEST, Window

BLOCK = 1024
ENDLESS = 50_000


@dataclass
class Channel:
    """Delivers answers in virtual time; what happens to each is drawn from `rng`."""

    rng: random.Random
    loss: float
    twice: float
    slowest_s: float
    arrivals: list[tuple[float, float, int]] = field(default_factory=list)

    def ask(self, block: int, now: float) -> None:
        for _ in range(2 if self.rng.random() < self.twice else 1):
            if self.rng.random() >= self.loss:
                heapq.heappush(self.arrivals, (now + self.rng.uniform(0.001, self.slowest_s), now, block))


def fetch(part: PartialFile, data: bytes, channel: Channel, stop_after: int) -> bool:
    """Run a transfer in virtual time; True when it finished, False when it was killed after so many answers."""
    wanted = set(part.missing)
    schedule = Schedule(part.missing, Window(), RoundTrip(), random.Random(1))
    now, answers = 0.0, 0
    for _ in range(ENDLESS):
        if schedule.finished:
            return True
        due = schedule.due(now)
        assert len(set(due)) == len(due) <= LARGEST
        assert set(due) <= wanted
        for block in due:
            channel.ask(block, now)
        wake_at = schedule.wake_at()
        assert wake_at is not None
        if not channel.arrivals or channel.arrivals[0][0] > wake_at:
            now = wake_at
            continue
        now, sent_at, block = heapq.heappop(channel.arrivals)
        if schedule.came(block, now - sent_at, now):
            assert block in wanted
            wanted.discard(block)
            part.put(block, data[block * BLOCK : (block + 1) * BLOCK])
            part.hash_some()
            answers += 1
            if answers >= stop_after:
                return schedule.finished
    raise AssertionError("the transfer does not end")


@given(
    size=st.integers(1, 60 * BLOCK),
    seed=st.integers(0, 2**32),
    loss=st.floats(0, 0.6),
    twice=st.floats(0, 0.5),
    slowest_s=st.floats(0.002, 3.0),
    kills=st.lists(st.integers(1, 30), max_size=4),
)
def test_any_channel_gives_the_recording(
    *, size: int, seed: int, loss: float, twice: float, slowest_s: float, kills: list[int]
) -> None:
    rng = random.Random(seed)
    data = rng.randbytes(size)
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder) / "a"
        for stop_after in [*kills, ENDLESS]:
            with PartialFile(into, hashlib.sha256(data).digest(), size) as part:
                if fetch(part, data, Channel(rng, loss, twice, slowest_s), stop_after):
                    while part.hash_some():
                        pass
                    assert part.matches
                    part.finish()
                    break
        assert into.read_bytes() == data


@given(st.data(), st.integers(1, 40))
def test_every_order_of_blocks_gives_the_digest(draw: st.DataObject, count: int) -> None:
    data = random.Random(count).randbytes(count * BLOCK - 7)
    order = draw.draw(st.permutations(range(count)))
    repeated = draw.draw(st.lists(st.sampled_from(order), max_size=10))
    with (
        tempfile.TemporaryDirectory() as folder,
        PartialFile(Path(folder) / "a", hashlib.sha256(data).digest(), len(data)) as part,
    ):
        for block in [*repeated, *order, *repeated]:
            part.put(block, data[block * BLOCK : (block + 1) * BLOCK])
            part.hash_some(limit=3 * BLOCK)
        while part.hash_some():
            pass
        assert part.missing == []
        assert part.matches
