"""The board driver against the firmware's own core on a virtual line: atomic shows, evidence, losses, give-way."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Self

import pytest
from tests.sim.hw.virtual import Line, Reply, run
from tests.unit.firmware.ports import board as controller

from ward_hw.drivers.board import Bitmap, Board, Show, Window
from ward_hw.errors import LinkTimeout, MisuseError, PeerError, Superseded
from ward_protocol.portable import board as wire

BAUDRATE = 115_200
WIDTH, HEIGHT = 64, 32


def bitmap(width: int, height: int, seed: int = 1) -> Bitmap:
    return Bitmap(width, height, random.Random(seed).randbytes((width + 7) // 8 * height))


def scrolling(show_id: int, *, width: int = 300, seed: int = 1, lease_ms: int = 10_000) -> Show:
    still = Window(bitmap(40, 16, seed), 3, 0, 40, 16)
    moving = Window(bitmap(width, 16, seed + 1), 1, 16, 61, 16, scroll_px_s=50)
    return Show(show_id, (still, moving), lease_ms)


class Site:
    """A board on a virtual line. ``lose`` is asked for each frame, either way, whether it is lost."""

    def __init__(self, baudrate: int = BAUDRATE) -> None:
        self.core = controller(modules_wide=WIDTH // 32, modules_high=HEIGHT // 16)
        self.line = Line(baudrate, units=[self.station])
        self.board = Board("board-1", "virtual", baudrate, clock=self.now, opener=self.line.open)
        self.lose: Callable[[], bool] = lambda: False

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def now_us(self) -> int:
        return int(self.now() * 1e6)

    def station(self, data: bytes) -> list[Reply]:
        if self.lose():
            return []
        answer = self.core.rx(data, self.now_us())
        return [] if self.lose() or not answer else [Reply(answer)]

    def tick(self) -> bytes:
        self.core.tick(self.now_us())
        return self.core.frame

    async def __aenter__(self) -> Self:
        await self.board.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.board.__aexit__(None, None, None)


def test_a_board_says_what_it_is() -> None:
    async def story() -> None:
        async with Site() as site:
            ident = await site.board.ident()
            assert (ident.width, ident.height, ident.reset_cause, ident.serial) == (WIDTH, HEIGHT, 1, b"serial-1")

    run(story())


def test_what_is_shown_is_proved_while_it_scrolls() -> None:
    async def story() -> None:
        async with Site() as site:
            await site.board.show(scrolling(7, lease_ms=60_000))
            seen = set()
            for _ in range(40):
                await asyncio.sleep(0.37)
                evidence = await site.board.verify()
                assert evidence.matches
                assert (evidence.show_id, evidence.state) == (7, wire.STATE_SHOWING)
                seen.add(evidence.digest)
            assert len(seen) > 20

    run(story())


def test_a_changed_frame_buffer_is_no_match() -> None:
    async def story() -> None:
        async with Site() as site:
            await site.board.show(Show(1, (Window(bitmap(64, 32), 0, 0, 64, 32),), 10_000))
            assert (await site.board.verify()).matches
            site.core.frame = bytes([site.core.frame[0] ^ 1]) + site.core.frame[1:]
            assert not (await site.board.verify()).matches

    run(story())


def test_the_show_before_stays_until_the_next_is_complete() -> None:
    async def story() -> None:
        async with Site() as site:
            await site.board.show(Show(1, (Window(bitmap(64, 32), 0, 0, 64, 32),), 60_000))
            before = site.tick()
            upload = asyncio.create_task(site.board.show(scrolling(2, width=8000, lease_ms=60_000)))
            while not upload.done():
                await asyncio.sleep(0.05)
                if not upload.done():
                    assert site.tick() == before
            await upload
            assert (await site.board.verify()).matches

    run(story())


@pytest.mark.parametrize("seed", range(10))
def test_every_fifth_frame_lost_delays_and_spoils_nothing(seed: int) -> None:
    async def story() -> None:
        async with Site() as site:
            rng = random.Random(seed)
            site.lose = lambda: rng.random() < 0.2
            for show_id in range(1, 4):
                await site.board.show(scrolling(show_id, seed=show_id), budget_s=60)
                assert (await site.board.verify(budget_s=60)).matches

    run(story())


def test_a_blank_order_overtakes_an_upload_and_stands() -> None:
    async def story() -> None:
        async with Site(19_200) as site:
            await site.board.show(scrolling(1))
            upload = asyncio.create_task(site.board.show(scrolling(2, width=8000)))
            await asyncio.sleep(0.5)
            begin = site.now()
            await site.board.blank()
            assert site.now() - begin < 0.3
            with pytest.raises(Superseded):
                await upload
            assert not any(site.tick())
            assert (await site.board.verify()).matches

    run(story())


def test_without_renewal_the_board_goes_dark_and_says_so() -> None:
    async def story() -> None:
        async with Site() as site:
            await site.board.show(scrolling(1, lease_ms=2000))
            for _ in range(5):
                await asyncio.sleep(1)
                await site.board.renew(2000)
            assert (await site.board.verify()).matches
            await asyncio.sleep(2.1)
            evidence = await site.board.verify()
            assert (evidence.matches, evidence.state) == (False, wire.STATE_LEASE_OUT)
            with pytest.raises(PeerError) as caught:
                await site.board.renew(2000)
            assert caught.value.code == wire.BAD_FIELD

    run(story())


def test_a_restarted_board_does_not_match_until_shown_again() -> None:
    async def story() -> None:
        async with Site() as site:
            await site.board.show(scrolling(1))
            site.core = controller(cause=3, now_us=site.now_us(), modules_wide=WIDTH // 32, modules_high=HEIGHT // 16)
            evidence = await site.board.verify()
            assert (evidence.matches, evidence.show_id, evidence.state) == (False, 0, wire.STATE_BLANK)
            await site.board.show(scrolling(1))
            assert (await site.board.verify()).matches

    run(story())


def test_an_adapter_pulled_and_plugged_again_is_used_again() -> None:
    async def story() -> None:
        async with Site() as site:
            await site.board.show(scrolling(1))
            site.line.unplug()
            with pytest.raises(LinkTimeout, match="board-1: status: virtual is not open"):
                await site.board.status(budget_s=1)
            site.line.plugged = True
            assert (await site.board.verify()).matches

    run(story())


def test_a_silent_board_is_named_within_the_budget() -> None:
    async def story() -> None:
        async with Site() as site:
            site.lose = lambda: True
            with pytest.raises(LinkTimeout, match=r"board-1: ident \(attempt [2-9]\): no answer"):
                await site.board.ident(budget_s=1.0)
            assert site.now() == pytest.approx(1.0)

    run(story())


@pytest.mark.parametrize(
    ("show", "problem"),
    [
        (Show(1, (Window(bitmap(8, 8), 60, 0, 8, 8),), 1000), "outside the board"),
        (Show(1, (Window(bitmap(8, 8), 0, 0, 0, 8),), 1000), "outside the board"),
        (Show(1, (Window(bitmap(8, 8), 0, 0, 8, 8),) * 5, 1000), "5 windows"),
        (Show(1, (), 60_001), "lease"),
        (Show(1, (Window(bitmap(65_500, 1), 0, 0, 64, 1, 50),), 1000), "too long"),
        (Show(1, (Window(bitmap(8000, 40), 0, 0, 64, 32, 50),), 1000), "bytes"),
    ],
)
def test_a_show_that_does_not_fit_is_refused_before_anything_is_sent(show: Show, problem: str) -> None:
    async def story() -> None:
        async with Site() as site:
            await site.board.ident()
            sent = len(site.line.sent)
            with pytest.raises(MisuseError, match=problem):
                await site.board.show(show)
            assert len(site.line.sent) == sent

    run(story())
