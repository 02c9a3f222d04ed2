"""What a hub asks its source for, and what it keeps in mind of that: no more than a beat names."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest
from tests.intakes import Desk, desk
from tests.statements import BEAT, BEAT_KEY, GRANT_KEY, GRANTS, NOW, ROOT

from ward_hub.clock import LONGEST_TRIP_S
from ward_hub.feeds import Feeds
from ward_hub.journal.ledger import WINDOW
from ward_hub.links import NotFound, SourceLink
from ward_hub.trust import Trust
from ward_protocol.envelope import sign
from ward_protocol.reasons import Reason
from ward_protocol.statements import Event

BEATS, LEAP = 20, 1000


@dataclass
class Empty:
    """A source that names what it does not have: with each beat other heads, far apart."""

    asked: list[str] = field(default_factory=list)

    async def beats(self) -> AsyncIterator[bytes]:
        for number in range(BEATS):
            heads = {"ward": LEAP * (number + 1), f"nobody-{number}": 5}
            yield sign(replace(BEAT, time=NOW + number, heads=heads, grants_version=1), [BEAT_KEY])
            while f"feed/ward/{heads['ward']}" not in self.asked:
                await asyncio.sleep(0)
        await asyncio.Event().wait()

    async def fetch(self, path: str, *, deadline: float, max_size: int) -> bytes:
        assert deadline > 0 < max_size
        self.asked.append(path)
        raise NotFound(f"there is no {path}", "4.04")


async def proven() -> None:
    """The time was proven before."""


def following(source: object, at: Desk, meet: Callable[[], Awaitable[None]]) -> Feeds:
    return Feeds(
        link=cast("SourceLink", source),
        meet=meet,
        deliver=at.deliver,
        refuse_unread=at.intake.refuse_unread,
        journal=at.journal,
        keeper=at.keeper,
    )


async def test_places_that_no_beat_names_any_more_are_forgotten(tmp_path: Path) -> None:
    source = Empty()
    with desk(tmp_path) as at:
        feeds = following(source, at, proven)
        running = asyncio.create_task(feeds.run())
        async with asyncio.timeout(60):
            while f"feed/nobody-{BEATS - 1}/1" not in source.asked:
                await asyncio.sleep(0.01)
        head = LEAP * BEATS
        named = {("ward", one) for one in range(head - WINDOW + 1, head + 1)}
        assert feeds._retries
        assert set(feeds._retries) <= named | {(f"nobody-{BEATS - 1}", one) for one in range(1, 6)}
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


class Overtaken:
    """A source whose first beat is older than its answer to the hub's nonce; it has grants, and one statement."""

    def __init__(self, by_s: int) -> None:
        self.asked: list[str] = []
        self.newer = self.beat(NOW + by_s)

    def beat(self, time: int) -> bytes:
        return sign(replace(BEAT, time=time, heads={"ward": 1}, grants_version=1), [BEAT_KEY])

    async def beats(self) -> AsyncIterator[bytes]:
        yield self.beat(NOW)
        await asyncio.Event().wait()

    async def fetch(self, path: str, *, deadline: float, max_size: int) -> bytes:
        assert deadline > 0 < max_size
        self.asked.append(path)
        if path == "grants/1":
            return sign(GRANTS, [GRANT_KEY])
        raise NotFound(f"there is no {path}", "4.04")


@pytest.mark.parametrize(("by_s", "refused"), [(5, []), (LONGEST_TRIP_S + 1, [Reason.TIME_WENT_BACK])])
async def test_grants_are_fetched_first_also_where_the_answer_to_a_nonce_overtook_the_beat(
    tmp_path: Path, by_s: float, refused: list[Reason]
) -> None:
    source = Overtaken(int(by_s))
    with desk(tmp_path, trust=Trust(ROOT)) as at:

        async def met() -> None:
            await at.deliver(source.newer)

        feeds = following(source, at, met)
        running = asyncio.create_task(feeds.run())
        async with asyncio.timeout(60):
            while len(source.asked) < 2:
                await asyncio.sleep(0.01)
        assert source.asked[:2] == ["grants/1", "feed/ward/1"]
        assert [one.reason for one in at.receipts() if one.event is Event.REFUSED] == refused
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
