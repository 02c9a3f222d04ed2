"""Recordings: one that does not come holds up no other and ends nothing, an emergency's waits in no queue.

On a virtual clock; but what comes by another way is moved by a thread, so these tests are in real time.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest
from tests.sim.hw.virtual import run
from tests.statements import MINIMAL

from ward_hub.links import LinkDown, NotFound, SourceLink, WrongDigest
from ward_hub.media import MediaStore
from ward_hub.programme import Candidate
from ward_hub.recordings import EMERGENCY_WAIT_S, Recordings
from ward_protocol.reasons import Reason
from ward_protocol.statements import Audio, Bulletin, Priority

NORMAL, PRIORITY, EMERGENCY = Priority
SIZE = 100


@dataclass
class FakeSource:
    """Gives recordings after a while, or what `errors` has for them, used up one by one."""

    seconds: float = 1.0
    errors: dict[bytes, list[Exception]] = field(default_factory=dict)
    asked: list[tuple[bytes, bool]] = field(default_factory=list)
    cancelled: list[bytes] = field(default_factory=list)

    async def fetch_media(self, sha256: bytes, size: int, into: Path, *, deadline: float, urgent: bool) -> None:
        self.asked.append((sha256, urgent))
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled.append(sha256)
            raise
        if self.errors.get(sha256):
            raise self.errors[sha256].pop(0)
        into.write_bytes(b"x" * size)


class Archive:
    """Recordings from a fake source, with what came of each."""

    def __init__(self, folder: Path, most: int) -> None:
        self.source = FakeSource()
        self.unwanted: set[bytes] = set()
        self.wrong: dict[str, str] = {}
        self.held: list[Bulletin] = []
        self.ready: list[bytes] = []
        self.bad: list[tuple[bytes, Reason]] = []
        self.recordings = Recordings(
            link=cast("SourceLink", self.source),
            store=MediaStore(folder, most=most),
            language="vi",
            probe=self.probe,
            wanted=lambda digest: digest not in self.unwanted,
            held=lambda: self.held,
            on_ready=self.ready.append,
            on_bad=self.on_bad,
        )

    async def probe(self, path: Path) -> str | None:
        return self.wrong.get(path.name)

    async def on_bad(self, candidate: Candidate, reason: Reason, detail: str) -> None:
        self.bad.append((candidate.digest, reason))

    def want(self, number: int, priority: Priority = NORMAL) -> Candidate:
        audio = Audio(bytes([number]) * 32, SIZE, "audio/ogg", 1000)
        bulletin = replace(MINIMAL, sequence=number, audio=(audio,), priority=priority)
        return self.recordings.want(Candidate(bytes([number]) * 32, bulletin))


@asynccontextmanager
async def archive(folder: Path, most: int = 2**30) -> AsyncIterator[Archive]:
    one = Archive(folder, most)
    task = asyncio.create_task(one.recordings.run())
    try:
        yield one
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def sha(number: int) -> bytes:
    return bytes([number]) * 32


def test_without_a_recording_it_is_ready(tmp_path: Path) -> None:
    async def story() -> None:
        async with archive(tmp_path) as one:
            candidate = Candidate(sha(1), MINIMAL)
            assert one.recordings.want(candidate) == candidate
            assert await one.recordings.path(candidate) is None

    run(story())


def test_it_is_ready_once_it_is_here_and_decodes(tmp_path: Path) -> None:
    async def story() -> None:
        async with archive(tmp_path) as one:
            candidate = one.want(1)
            assert not candidate.ready
            await asyncio.sleep(5)
            assert one.ready == [sha(1)]
            path = await one.recordings.path(candidate)
            assert path is not None
            assert path.read_bytes() == b"x" * SIZE

    run(story())


def test_what_is_here_is_not_fetched_again(tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / sha(1).hex()).write_bytes(b"x" * SIZE)
        async with archive(tmp_path) as one:
            one.want(1)
            await asyncio.sleep(5)
            assert one.ready == [sha(1)]
            assert one.source.asked == []

    run(story())


def test_a_recording_that_is_not_there_holds_up_no_other(tmp_path: Path) -> None:
    async def story() -> None:
        async with archive(tmp_path) as one:
            one.source.errors[sha(1)] = [NotFound("no such recording", "4.04") for _ in range(1000)]
            one.want(1)
            one.want(2)
            await asyncio.sleep(10)
            assert one.ready == [sha(2)]
            assert one.bad == []

    run(story())


@pytest.mark.parametrize("error", [LinkDown("down"), NotFound("not yet", "4.04"), OSError("disk"), RuntimeError("bug")])
def test_it_is_asked_for_until_it_comes(tmp_path: Path, error: Exception) -> None:
    async def story() -> None:
        async with archive(tmp_path) as one:
            one.source.errors[sha(1)] = [error] * 3
            one.want(1)
            await asyncio.sleep(60)
            assert one.ready == [sha(1)]
            assert len(one.source.asked) == 4

    run(story())


def test_nobody_asks_for_what_is_not_wanted_any_more(tmp_path: Path) -> None:
    async def story() -> None:
        async with archive(tmp_path) as one:
            one.source.errors[sha(1)] = [LinkDown("down") for _ in range(1000)]
            one.want(1, EMERGENCY)
            await asyncio.sleep(30)
            one.unwanted.add(sha(1))
            await asyncio.sleep(10)
            asked = len(one.source.asked)
            await asyncio.sleep(1000)
            assert len(one.source.asked) == asked

    run(story())


def test_precedence_among_what_waits(tmp_path: Path) -> None:
    async def story() -> None:
        async with archive(tmp_path) as one:
            for number, priority in ((1, NORMAL), (2, NORMAL), (3, PRIORITY), (4, EMERGENCY)):
                one.want(number, priority)
            await asyncio.sleep(0.5)
            assert (sha(4), True) in one.source.asked  # at once, beside whatever is on its way
            await asyncio.sleep(20)
            assert [sha256 for sha256, urgent in one.source.asked if not urgent] == [sha(3), sha(1), sha(2)]

    run(story())


def test_an_emergency_is_fetched_beside_a_slow_one(tmp_path: Path) -> None:
    async def story() -> None:
        async with archive(tmp_path) as one:
            one.source.seconds = 100
            one.want(1)
            await asyncio.sleep(1)
            one.source.seconds = 1
            one.want(2, EMERGENCY)
            await asyncio.sleep(3)
            assert one.ready == [sha(2)]

    run(story())


def test_wrong_bytes_and_bytes_that_do_not_decode_are_bad_for_good(tmp_path: Path) -> None:
    async def story() -> None:
        async with archive(tmp_path) as one:
            one.source.errors[sha(1)] = [WrongDigest("other bytes")]
            one.wrong[sha(2).hex()] = "not audio"
            candidates = [one.want(number) for number in (1, 2)]
            await asyncio.sleep(30)
            assert one.bad == [(sha(1), Reason.AUDIO_DIGEST_MISMATCH), (sha(2), Reason.AUDIO_NOT_DECODABLE)]
            assert one.ready == []
            assert [await one.recordings.path(candidate) for candidate in candidates] == [None, None]

    run(story())


def test_who_names_another_size_does_not_keep_an_emergency_from_its_recording(tmp_path: Path) -> None:
    async def story() -> None:
        async with archive(tmp_path) as one:
            one.source.errors[sha(1)] = [WrongDigest("not of that size")]
            audio = Audio(sha(1), SIZE + 1, "audio/ogg", 1000)
            one.recordings.want(Candidate(sha(7), replace(MINIMAL, audio=(audio,))))
            await asyncio.sleep(5)
            assert one.bad == [(sha(7), Reason.AUDIO_DIGEST_MISMATCH)]
            assert await one.recordings.path(one.want(1, EMERGENCY)) is not None

    run(story())


def test_an_airing_waits_for_an_emergencys_recording_within_reason(tmp_path: Path) -> None:
    async def story() -> None:
        async with archive(tmp_path) as one:
            now = asyncio.get_running_loop().time
            one.source.seconds = 5
            assert await one.recordings.path(one.want(1, EMERGENCY)) is not None
            assert now() == pytest.approx(5, abs=0.5)
            one.source.errors[sha(2)] = [LinkDown("down") for _ in range(1000)]
            begun = now()
            assert await one.recordings.path(one.want(2, EMERGENCY)) is None
            assert now() - begun == pytest.approx(EMERGENCY_WAIT_S, abs=0.5)

    run(story())


# Recordings that come by another way


def draft(folder: Path, size: int = SIZE) -> Path:
    path = folder / "draft"
    path.write_bytes(b"y" * size)
    return path


async def test_one_that_comes_by_another_way_ends_the_fetching_of_it(tmp_path: Path) -> None:
    """Whatever the link is waiting for: it may be down for hours."""
    async with archive(tmp_path / "media") as one:
        one.source.seconds = 10_000
        one.want(1)
        await asyncio.sleep(0.05)
        assert one.source.asked == [(sha(1), False)]
        assert one.recordings.named(sha(1)) == {SIZE}
        await one.recordings.offer(draft(tmp_path), sha(1))
        await until(lambda: one.ready == [sha(1)])
        assert (tmp_path / "media" / sha(1).hex()).read_bytes() == b"y" * SIZE
        assert one.recordings.named(sha(1)) == frozenset()
        assert one.source.cancelled == [sha(1)]


async def test_one_in_the_queue_overtakes_what_is_being_fetched(tmp_path: Path) -> None:
    async with archive(tmp_path / "media") as one:
        one.source.seconds = 10_000
        one.want(1)
        one.want(2)
        await asyncio.sleep(0.05)
        await one.recordings.offer(draft(tmp_path), sha(2))
        await until(lambda: one.ready == [sha(2)])
        assert one.source.asked == [(sha(1), False)]


async def test_one_that_waits_for_its_next_try_is_taken_at_once(tmp_path: Path) -> None:
    async with archive(tmp_path / "media") as one:
        one.source.seconds = 0
        one.source.errors[sha(1)] = [LinkDown("down")]
        one.want(1)
        await until(lambda: len(one.source.asked) == 1)
        await asyncio.sleep(0.05)
        await one.recordings.offer(draft(tmp_path), sha(1))
        await until(lambda: one.ready == [sha(1)])
        assert len(one.source.asked) == 1


async def test_one_that_came_ahead_is_there_when_it_is_named(tmp_path: Path) -> None:
    async with archive(tmp_path / "media") as one:
        one.source.seconds = 10_000
        await one.recordings.offer(draft(tmp_path), sha(2))
        assert one.recordings.holds(sha(2))
        one.want(1)
        await asyncio.sleep(0.05)
        one.want(2)
        await until(lambda: one.ready == [sha(2)])
        assert one.source.asked == [(sha(1), False)]


async def test_one_of_another_size_is_not_the_one_that_is_named(tmp_path: Path) -> None:
    async with archive(tmp_path / "media") as one:
        one.source.seconds = 10_000
        one.want(1)
        await asyncio.sleep(0.05)
        await one.recordings.offer(draft(tmp_path, SIZE + 1), sha(1))
        await asyncio.sleep(0.05)
        assert one.ready == []
        assert one.recordings.named(sha(1)) == {SIZE}


async def test_two_bulletins_have_one_recording(tmp_path: Path) -> None:
    async with archive(tmp_path / "media") as one:
        one.source.seconds = 10_000
        audio = Audio(sha(1), SIZE, "audio/ogg", 1000)
        for number in (7, 8):
            one.recordings.want(Candidate(sha(number), replace(MINIMAL, sequence=number, audio=(audio,))))
        await asyncio.sleep(0.05)
        await one.recordings.offer(draft(tmp_path), sha(1))
        await until(lambda: sorted(one.ready) == [sha(7), sha(8)])


async def test_one_that_does_not_decode_is_bad_by_whichever_way_it_came(tmp_path: Path) -> None:
    async with archive(tmp_path / "media") as one:
        one.source.seconds = 10_000
        one.wrong[sha(1).hex()] = "not audio"
        one.want(1)
        await one.recordings.offer(draft(tmp_path), sha(1))
        await until(lambda: one.bad == [(sha(1), Reason.AUDIO_NOT_DECODABLE)])


async def test_what_no_bulletin_waits_for_any_more_is_not_named(tmp_path: Path) -> None:
    async with archive(tmp_path / "media") as one:
        one.source.seconds = 10_000
        one.want(1)
        one.unwanted.add(sha(1))
        assert one.recordings.named(sha(1)) == frozenset()


async def test_what_nothing_needs_makes_room_and_is_fetched_again_when_it_is_named_again(tmp_path: Path) -> None:
    async with archive(tmp_path / "media", most=2 * SIZE) as one:
        one.source.seconds = 0
        for number in (1, 2, 3):
            candidate = one.want(number)
            one.held.append(candidate.bulletin)
            await until(lambda number=number: len(one.ready) == number)  # type: ignore[misc]
            if number == 2:
                del one.held[0]
            await asyncio.sleep(0.02)  # so that their ages differ
        assert not one.recordings.holds(sha(1))
        assert [one.recordings.holds(sha(number)) for number in (2, 3)] == [True, True]
        again = replace(candidate, digest=sha(9), bulletin=replace(candidate.bulletin, audio=(audio_of(1),)))
        one.recordings.want(again)
        one.held.append(again.bulletin)
        assert await one.recordings.path(again) is not None
        assert [sha256 for sha256, _ in one.source.asked].count(sha(1)) == 2


def audio_of(number: int) -> Audio:
    return Audio(sha(number), SIZE, "audio/ogg", 1000)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.01)
