"""Tier C: the board's unchanged main.py on a simulated line, seen through the panel's shift registers."""

from __future__ import annotations

import binascii
import contextlib
import hashlib
import os
from typing import TYPE_CHECKING

import pytest
from tests.firmware.clients import BoardClient, until

from ward_protocol.portable import board as b
from ward_protocol.portable import reset_cause
from ward_sim.devices.board import SimBoard
from ward_sim.line import Line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.usefixtures("micropython")

BAUD = 115200
WIDE, HIGH = 3, 2
WIDTH, HEIGHT = 32 * WIDE, 16 * HIGH
PICTURE = bytes((at * 37 + at // 12) & 0xFF for at in range(WIDTH // 8 * HEIGHT))
DARK = bytes(len(PICTURE))


class Site:
    """One board, its line, a client, and every picture that shone."""

    def __init__(self, line: Line, client: BoardClient, board: SimBoard, frames: list[bytes]) -> None:
        self.line = line
        self.client = client
        self.board = board
        self.frames = frames

    async def show(self, show_id: int, lease_ms: int = 30_000) -> None:
        """The picture over the whole board."""
        await self.client.upload(0, WIDTH, HEIGHT, PICTURE)
        whole = b.Window(0, binascii.crc32(PICTURE), 0, 0, WIDTH, HEIGHT, b.MODE_STATIC, 0)
        await self.client.ask(b.SHOW, b.pack_show(b.Show(show_id, lease_ms, (whole,))))


@contextlib.asynccontextmanager
async def started() -> AsyncIterator[Site]:
    frames: list[bytes] = []
    async with (
        Line(BAUD, seed=3) as line,
        SimBoard("board", WIDE, HIGH, line, on_frame=lambda _, frame: frames.append(frame)) as board,
    ):
        with BoardClient(line) as client:
            yield Site(line, client, board, frames)


async def test_says_what_it_is() -> None:
    async with started() as site:
        ident = b.unpack_ident(await site.client.ask(b.IDENT))
        assert (ident.width, ident.height) == (site.board.width, site.board.height) == (WIDTH, HEIGHT)
        assert (ident.serial, ident.reset_cause) == (site.board.serial, reset_cause.POWER_ON)


async def test_what_shines_is_what_was_sent_and_what_the_digest_says() -> None:
    async with started() as site:
        await site.show(7)
        await until(lambda: site.board.frame == PICTURE, "the picture shines")
        assert site.frames == [PICTURE]
        status = await site.client.status()
        assert (status.show_id, status.state) == (7, b.STATE_SHOWING)
        assert status.digest == hashlib.sha256(site.board.frame).digest()[:16]


async def test_scrolls_by_itself_through_pictures_that_all_shone() -> None:
    async with started() as site:
        text = os.urandom(b.row_bytes(60) * 16)
        await site.client.upload(2, 60, 16, text)
        scroll = b.Window(2, binascii.crc32(text), 10, 8, 80, 16, b.MODE_SCROLL, 100)
        await site.client.ask(b.SHOW, b.pack_show(b.Show(8, 30_000, (scroll,))))
        await until(lambda: len(site.frames) > 20, "it moves")
        status = await site.client.status()
        seen = {hashlib.sha256(frame).digest()[:16] for frame in [DARK, *site.frames]}
        if status.digest not in seen:  # the picture of this very moment may still be on its way to the panel
            count = len(site.frames)
            await until(lambda: len(site.frames) > count, "it moves on")
            seen |= {hashlib.sha256(frame).digest()[:16] for frame in site.frames[count:]}
        assert status.digest in seen


async def test_goes_dark_when_nobody_renews() -> None:
    async with started() as site:
        await site.show(7, lease_ms=400)
        await until(lambda: PICTURE in site.frames, "the picture shines")
        await until(lambda: site.board.frame == DARK, "the lease ends")
        assert (await site.client.status()).state == b.STATE_LEASE_OUT


async def test_blank_is_dark() -> None:
    async with started() as site:
        await site.show(7)
        await until(lambda: site.board.frame == PICTURE, "the picture shines")
        await site.client.ask(b.BLANK)
        await until(lambda: site.board.frame == DARK, "dark")


async def test_a_hang_ends_dark_and_restarted() -> None:
    async with started() as site:
        await site.show(7)
        await until(lambda: site.board.frame == PICTURE, "the picture shines")
        site.board.hang()
        await until(lambda: site.board.restarts == 1, "the watchdog bites")
        assert site.board.frame == DARK
        ident = b.unpack_ident(await site.client.ask(b.IDENT))
        assert ident.reset_cause == reset_cause.WATCHDOG


async def test_a_power_cut_is_dark_and_power_brings_it_back_blank() -> None:
    async with started() as site:
        await site.show(7)
        await until(lambda: site.board.frame == PICTURE, "the picture shines")
        await site.board.kill()
        assert (site.board.frame, site.board.alive) == (DARK, False)
        await site.board.start()
        assert (await site.client.status()).state == b.STATE_BLANK


async def test_pictures_get_through_a_noisy_line() -> None:
    async with started() as site:
        site.line.ber, site.line.drop = 0.0003, 0.0003
        show_id = 0
        while site.line.stats.flipped + site.line.stats.dropped < 3:
            show_id += 1
            await site.show(show_id)
        await until(lambda: site.board.frame == PICTURE, "the picture shines")
        assert (await site.client.status()).show_id == show_id
