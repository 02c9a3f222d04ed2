"""Tier C: the board's unchanged main.py on a simulated line, seen through the panel's shift registers."""

from __future__ import annotations

import asyncio
import binascii
import contextlib
import hashlib
import os
import signal
import struct
import zlib
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


async def test_ctrl_c_restarts_it_dark() -> None:
    async with started() as site:
        await site.show(7)
        await until(lambda: site.board.frame == PICTURE, "the picture shines")
        pid = site.board.controller.pid
        assert pid is not None
        os.kill(pid, signal.SIGINT)
        await until(lambda: site.board.restarts >= 1, "it restarts")
        assert site.board.frame == DARK
        # It waits for a second one, which ends at the prompt: here, at the end of the process. Then it runs as ever.
        await until(lambda: site.board.alive and site.board.controller.pid not in {None, pid}, "it waits")
        await asyncio.sleep(0.3)
        assert site.board.restarts == 1
        os.kill(site.board.controller.pid or 0, signal.SIGINT)
        await until(lambda: site.board.restarts == 2 and site.board.alive, "it was at the prompt")
        assert (await site.client.status()).state == b.STATE_BLANK


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


# An independent client: COBS and CRC-32 by their definitions, bodies by docs/hardware.md, nothing of ours.


def stuffed(data: bytes) -> bytes:
    """COBS block by block. Ref: Cheshire and Baker, section III."""
    out, rest = b"", data
    while True:
        run = rest[: min(254, (rest + b"\0").index(0))]
        out += bytes((len(run) + 1,)) + run
        if len(run) == len(rest):
            return out
        rest = rest[len(run) + (len(run) < 254) :]


def unstuffed(data: bytes) -> bytes:
    out = b""
    while data:
        out += data[1 : data[0]] + (b"\0" if data[0] < 255 and len(data) > data[0] else b"")
        data = data[data[0] :]
    return out


async def asked(site: Site, frame: bytes, *, answered: bool = True) -> bytes:
    """Send these bytes before COBS, CRC appended as it is given; what comes back, without CRC, which must be right."""
    os.write(site.client.fd, stuffed(frame) + b"\0")
    received = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(10 if answered else 0.3):
            while not received.endswith(b"\0"):
                await asyncio.sleep(0.005)
                received += site.client.received()
    if not received:
        return b""
    content = unstuffed(received[:-1])
    assert zlib.crc32(content[:-4]).to_bytes(4, "little") == content[-4:]
    return content[:-4]


def framed(seq: int, op: int, body: bytes = b"") -> bytes:
    content = bytes((seq, op)) + body
    return content + zlib.crc32(content).to_bytes(4, "little")


BAD = {
    "no operation": (framed(1, 0), 1),
    "an answer's operation": (framed(1, 0x81), 1),
    "unknown operation": (framed(1, 11), 1),
    "IDENT with a body": (framed(1, 1, b"?"), 2),
    "STRIP too short": (framed(1, 2, b"\0\0\x08\0"), 2),
    "STRIP too long": (framed(1, 2, bytes(6)), 2),
    "STRIP in slot 4": (framed(1, 2, b"\x04\0\x08\0\x08"), 3),
    "STRIP too large": (framed(1, 2, b"\0\xff\xff\xff\xff"), 5),
    "DATA without a strip": (framed(1, 3, b"\x01\0\0\0\0x"), 3),
    "DATA too short": (framed(1, 3, b"\x01\0\0"), 2),
    "SHOW with a window too few": (framed(1, 4, bytes(8) + b"\x01"), 2),
    "SHOW without lease": (framed(1, 4, bytes(9)), 2),
    "SHOW of no strip": (framed(1, 4, b"\0\0\0\x01\0\0\x10\0\x01" + bytes(10) + b"\x08\0\x08\0\0\0"), 3),
    "STATUS with a body": (framed(1, 5, b"?"), 2),
    "RENEW of nothing": (framed(1, 6, b"\0\0\0\x01\0\0\x10\0"), 2),
    "BLANK with a body": (framed(1, 7, b"?"), 2),
    "INFO with a body": (framed(1, 8, b"?"), 2),
    "CONFIGURE with another number": (framed(1, 9, b"\0\0\0\x01\xc2\0\x02\x01"), 2),
    "CONFIGURE at an odd rate": (framed(1, 9, b"\x5a\xfe\0\0\x04\xb0\x02\x01"), 2),
    "RESTART with another number": (framed(1, 10, b"\0\0"), 2),
}  # fmt: skip


async def test_an_independent_client_gets_the_right_status_for_every_bad_frame() -> None:
    async with started() as site:
        for what, (frame, status) in BAD.items():
            assert await asked(site, frame) == bytes((1, frame[1] | 0x80, status)), what
        damaged = framed(1, 1)[:-1] + b"?"
        for silent in (damaged, b"", b"\x01\x01", framed(1, 1)[:4]):
            assert await asked(site, silent, answered=False) == b""
        boots, good, bad, flags = struct.unpack(">HHHB", (await asked(site, framed(9, 8)))[3:10])
        assert (boots, good, bad, flags) == (1, len(BAD) + 1, 4, 1)
        assert site.board.restarts == 0


async def test_an_independent_client_identifies_configures_and_restarts_it() -> None:
    async with started() as site:
        answer = await asked(site, framed(5, 1))
        assert answer[:3] == b"\x05\x81\0"
        width, height, version, memory, cause, serial = struct.unpack(">HHHIB8s", answer[3:])
        assert (width, height, version, memory, cause) == (WIDTH, HEIGHT, 0x0101, 32768, reset_cause.POWER_ON)
        assert serial == site.board.serial
        assert (await asked(site, framed(6, 8)))[10:] == b"RP2040"
        assert await asked(site, framed(7, 9)) == b"\x07\x89\0\x5a\xfe" + struct.pack(">IBB", BAUD, WIDE, HIGH)
        kept = b"\x5a\xfe" + struct.pack(">IBB", BAUD, 1, 1)
        await site.show(7)
        assert await asked(site, framed(8, 9, kept)) == b"\x08\x89\x06"
        await asked(site, framed(9, 7))
        assert await asked(site, framed(10, 9, kept)) == b"\x0a\x89\0"
        assert await asked(site, framed(11, 10, b"\xb0\x07")) == b"\x0b\x8a\0"
        await until(lambda: site.board.restarts == 1 and site.board.alive, "it restarts")
        ident = b.unpack_ident(await site.client.ask(b.IDENT))
        assert (ident.width, ident.height, ident.reset_cause) == (32, 16, reset_cause.SOFT)
        assert b.unpack_info(await site.client.ask(b.INFO))._replace(frames_ok=0) == b.Info(2, 0, 0, 0, b"RP2040")


@pytest.mark.parametrize("baud", b.BAUDS)
async def test_it_speaks_at_every_rate(baud: int) -> None:
    async with Line(baud, seed=3) as line, SimBoard("board", 1, 1, line, on_frame=lambda *_: None):
        with BoardClient(line) as client:
            ident = b.unpack_ident(await client.ask(b.IDENT))
            assert (ident.width, ident.height) == (32, 16)
            await client.upload(0, 32, 16, bytes(64))
