"""The board's rules of a show: strips, atomic swap, lease, what is refused, what is reported."""

from __future__ import annotations

import binascii
import hashlib

import pytest
from tests.unit.firmware.ports import Flash, board

from ward_firmware.board.core import IDLE_WAIT_MS, STRIP_MEMORY
from ward_protocol.portable import board as b
from ward_protocol.portable import link

WIDTH, HEIGHT = 64, 16
PICTURE = bytes(range(8 * HEIGHT))
DARK = bytes(WIDTH // 8 * HEIGHT)


class Bench:
    """A board in time, and requests to it."""

    def __init__(self) -> None:
        self.now_us = 0
        self.flash = Flash()
        self.core = board(self.flash, cause=3)
        self._deframer = link.Deframer()
        self._seq = 0

    def ask(self, op: int, body: bytes = b"") -> tuple[int, bytes]:
        self._seq = (self._seq + 1) & 0xFF
        (frame,) = self._deframer.feed(self.core.rx(link.encode(self._seq, op, body), self.now_us))
        assert (frame.seq, frame.op) == (self._seq, op | b.REPLY)
        return frame.body[0], frame.body[1:]

    def after(self, ms: int) -> None:
        """Let `ms` pass in the steps that the core asks for."""
        end = self.now_us + ms * 1000
        while self.now_us < end:
            self.now_us = min(end, self.now_us + self.core.wait_ms() * 1000)
            self.core.tick(self.now_us)

    def upload(self, slot: int, width: int, height: int, data: bytes) -> list[int]:
        statuses = [self.ask(b.STRIP, b.pack_strip(b.Strip(slot, width, height)))[0]]
        for at in range(0, len(data), b.MAX_DATA):
            piece = b.Data(slot, at, data[at : at + b.MAX_DATA])
            statuses.append(self.ask(b.DATA, b.pack_data(piece))[0])
        return statuses

    def show(self, show_id: int, *windows: b.Window, lease_ms: int = 5000) -> int:
        return self.ask(b.SHOW, b.pack_show(b.Show(show_id, lease_ms, windows)))[0]

    def picture(self, show_id: int, data: bytes = PICTURE, lease_ms: int = 5000) -> None:
        assert self.upload(0, WIDTH, HEIGHT, data) == [b.OK, b.OK]
        assert self.show(show_id, whole(data), lease_ms=lease_ms) == b.OK

    def status(self) -> b.Status:
        status, body = self.ask(b.STATUS)
        assert status == b.OK
        return b.unpack_status(body)


def whole(data: bytes, slot: int = 0) -> b.Window:
    return b.Window(slot, binascii.crc32(data), 0, 0, WIDTH, HEIGHT, b.MODE_STATIC, 0)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_says_who_it_is(bench: Bench) -> None:
    status, body = bench.ask(b.IDENT)
    assert status == b.OK
    assert b.unpack_ident(body) == b.Ident(WIDTH, HEIGHT, 0x0101, STRIP_MEMORY, 3, b"serial-1")


def test_boots_blank(bench: Bench) -> None:
    assert bench.core.frame == DARK
    assert bench.status() == b.Status(0, b.STATE_BLANK, 0, 0, (), hashlib.sha256(DARK).digest()[:16])


def test_shows_a_picture_and_proves_it(bench: Bench) -> None:
    bench.picture(7)
    assert bench.core.frame == PICTURE
    bench.after(1500)
    digest = hashlib.sha256(PICTURE).digest()[:16]
    assert bench.status() == b.Status(7, b.STATE_SHOWING, 3500, 1, (0,), digest)


def test_uploading_the_next_show_does_not_disturb_this_one(bench: Bench) -> None:
    bench.picture(7)
    other = bytes(reversed(PICTURE))
    bench.upload(0, WIDTH, HEIGHT, other)
    assert bench.core.frame == PICTURE
    assert bench.show(8, whole(PICTURE)) == b.CRC_MISMATCH
    assert (bench.core.frame, bench.status().show_id) == (PICTURE, 7)
    assert bench.show(8, whole(other)) == b.OK
    assert (bench.core.frame, bench.status().show_id) == (other, 8)


def test_a_show_takes_its_strips_along(bench: Bench) -> None:
    bench.picture(7)
    assert bench.show(8, whole(PICTURE)) == b.NO_STRIP


def test_the_same_show_again_only_restarts_the_lease(bench: Bench) -> None:
    bench.picture(7)
    bench.after(4000)
    assert bench.show(7, whole(PICTURE)) == b.OK
    assert bench.status().lease_left_ms == 5000


def test_goes_blank_when_the_lease_ends(bench: Bench) -> None:
    bench.picture(7, lease_ms=1000)
    bench.after(999)
    assert bench.core.frame == PICTURE
    bench.after(1)
    assert bench.core.frame == DARK
    assert (bench.status().show_id, bench.status().state) == (7, b.STATE_LEASE_OUT)


def test_renewing_keeps_it_lit_and_only_the_show_that_is_shown(bench: Bench) -> None:
    bench.picture(7, lease_ms=1000)
    bench.after(900)
    assert bench.ask(b.RENEW, b.pack_renew(b.Renew(8, 1000))) == (b.BAD_FIELD, b"")
    assert bench.ask(b.RENEW, b.pack_renew(b.Renew(7, 1000))) == (b.OK, b"")
    bench.after(999)
    assert bench.core.frame == PICTURE
    bench.after(1)
    assert bench.ask(b.RENEW, b.pack_renew(b.Renew(7, 1000))) == (b.BAD_FIELD, b"")
    assert bench.core.frame == DARK


def test_blank_blanks_at_once(bench: Bench) -> None:
    bench.picture(7)
    assert bench.ask(b.BLANK) == (b.OK, b"")
    assert bench.core.frame == DARK
    assert (bench.status().show_id, bench.status().state) == (0, b.STATE_BLANK)


def test_scrolls_by_itself_and_reports_the_offset_that_is_lit(bench: Bench) -> None:
    text = b"\xf0\x0f" * HEIGHT
    bench.upload(1, 12, HEIGHT, text)
    scroll = b.Window(1, binascii.crc32(text), 8, 0, 20, HEIGHT, b.MODE_SCROLL, 40)
    assert bench.show(9, scroll) == b.OK
    assert bench.core.frame == DARK
    frames = {bench.core.frame}
    for _ in range(7):
        bench.after(100)
        frames.add(bench.core.frame)
        status = bench.status()
        assert status.digest == hashlib.sha256(bench.core.frame).digest()[:16]
        assert abs(status.offsets[0] - bench.now_us * 40 // 1_000_000) <= 1
    assert len(frames) == 6  # four lit pixels pass, then the dark rest of the strip


def test_a_show_without_windows_is_dark_and_has_a_lease(bench: Bench) -> None:
    assert bench.show(3) == b.OK
    assert bench.status().state == b.STATE_SHOWING


@pytest.mark.parametrize(
    "changed",
    [{"x": 1}, {"y": 1}, {"w": 0}, {"h": 0}, {"mode": 2}, {"mode": 1, "speed": 0}],
    ids=str,
)
def test_windows_that_cannot_be(bench: Bench, changed: dict[str, int]) -> None:
    bench.upload(0, WIDTH, HEIGHT, PICTURE)
    assert bench.show(1, whole(PICTURE)._replace(**changed)) == b.BAD_FIELD
    assert bench.core.frame == DARK


@pytest.mark.parametrize("lease_ms", [0, 60001])
def test_leases_that_cannot_be(bench: Bench, lease_ms: int) -> None:
    bench.picture(7)
    assert bench.show(8, lease_ms=lease_ms) == b.BAD_FIELD
    assert bench.ask(b.RENEW, b.pack_renew(b.Renew(7, lease_ms)))[0] == b.BAD_FIELD


def test_a_scroll_whose_period_cannot_be_told_is_refused(bench: Bench) -> None:
    width = 0x10000 - WIDTH
    data = bytes(b.row_bytes(width))
    assert set(bench.upload(0, width, 1, data)) == {b.OK}
    too_long = b.Window(0, binascii.crc32(data), 0, 0, WIDTH, 1, b.MODE_SCROLL, 10)
    assert bench.show(1, too_long) == b.BAD_FIELD
    assert bench.show(1, too_long._replace(w=WIDTH - 1)) == b.OK


def test_strip_memory_is_one_budget_and_can_be_freed(bench: Bench) -> None:
    assert bench.upload(0, 1024, 200, b"") == [b.OK]
    assert bench.upload(1, 1024, 57, b"") == [b.NO_MEMORY]
    assert bench.upload(0, 0, 0, b"") == [b.OK]
    assert bench.upload(1, 1024, 57, b"") == [b.OK]
    assert bench.ask(b.STRIP, b.pack_strip(b.Strip(4, 8, 8)))[0] == b.NO_STRIP


def test_data_must_lie_inside_its_strip(bench: Bench) -> None:
    assert bench.ask(b.DATA, b.pack_data(b.Data(0, 0, b"x")))[0] == b.NO_STRIP
    bench.upload(0, 8, 8, b"")
    assert bench.ask(b.DATA, b.pack_data(b.Data(0, 6, b"xy")))[0] == b.OK
    assert bench.ask(b.DATA, b.pack_data(b.Data(0, 7, b"xy")))[0] == b.BAD_FIELD


@pytest.mark.parametrize(
    ("op", "body"), [(b.IDENT, b"x"), (b.STATUS, b"x"), (b.BLANK, b"x"), (b.STRIP, b"x"), (b.INFO, b"x")]
)
def test_bodies_of_wrong_length(bench: Bench, op: int, body: bytes) -> None:
    assert bench.ask(op, body) == (b.BAD_FIELD, b"")


@pytest.mark.parametrize("op", [0, 11, 0x7F])
def test_operations_that_do_not_exist(bench: Bench, op: int) -> None:
    assert bench.ask(op) == (b.BAD_OP, b"")


def test_sleeps_long_when_nothing_moves(bench: Bench) -> None:
    assert bench.core.wait_ms() == IDLE_WAIT_MS
    bench.picture(7)
    assert bench.core.wait_ms() == IDLE_WAIT_MS


def test_tells_starts_frames_and_board(bench: Bench) -> None:
    bench.ask(b.IDENT)
    bench.core.rx(b"\x05rubbish\0", 0)
    status, body = bench.ask(b.INFO)
    assert (status, b.unpack_info(body)) == (b.OK, b.Info(7, 2, 1, b.FLAG_CONFIG_DEFAULT, b"RP2040"))


NEXT = b.Config(57600, 3, 2)


def test_a_configuration_is_kept_and_holds_after_the_next_start(bench: Bench) -> None:
    assert bench.ask(b.CONFIGURE) == (b.OK, b.pack_config(b.Config(115200, 2, 1)))
    assert bench.ask(b.CONFIGURE, b.pack_config(NEXT)) == (b.OK, b"")
    assert bench.ask(b.CONFIGURE) == (b.OK, b.pack_config(NEXT))
    assert b.unpack_info(bench.ask(b.INFO)[1]).flags == b.FLAG_CONFIG_DEFAULT | b.FLAG_CONFIG_WAITING
    assert (bench.core.width, bench.core.height) == (WIDTH, HEIGHT)
    bench.core = board(bench.flash)
    assert (bench.core.width, bench.core.height) == (96, 32)
    assert b.unpack_info(bench.ask(b.INFO)[1]).flags == 0


@pytest.mark.parametrize(
    "body",
    [
        b.pack_config(b.Config(1200, 2, 1)),
        b.pack_config(b.Config(115200, 0, 1)),
        b.pack_config(b.Config(115200, 2, 9)),
        b"\0\0" + b.pack_config(NEXT)[2:],
        b.pack_config(NEXT) + b"x",
        b"x",
    ],
    ids=["baud", "no module", "too high", "magic", "long", "short"],
)
def test_configurations_that_cannot_be(bench: Bench, body: bytes) -> None:
    assert bench.ask(b.CONFIGURE, body) == (b.BAD_FIELD, b"")
    assert bench.flash.load() is None
    assert b.unpack_config(bench.ask(b.CONFIGURE)[1]) == b.Config(115200, 2, 1)


def test_nothing_is_configured_or_restarted_while_a_show_is_lit(bench: Bench) -> None:
    bench.picture(7)
    assert bench.ask(b.CONFIGURE, b.pack_config(NEXT)) == (b.NOT_NOW, b"")
    assert bench.ask(b.RESTART, b.pack_restart()) == (b.NOT_NOW, b"")
    assert (bench.flash.load(), bench.core.restart_wanted, bench.core.frame) == (None, False, PICTURE)
    assert bench.ask(b.CONFIGURE)[0] == b.OK  # asking is no writing
    bench.ask(b.BLANK)
    assert bench.ask(b.CONFIGURE, b.pack_config(NEXT))[0] == b.OK


def test_a_flash_that_takes_nothing_is_told_and_leaves_what_was(bench: Bench) -> None:
    bench.flash.broken = True
    assert bench.ask(b.CONFIGURE, b.pack_config(NEXT)) == (b.NOT_NOW, b"")
    assert b.unpack_config(bench.ask(b.CONFIGURE)[1]) == b.Config(115200, 2, 1)


@pytest.mark.parametrize("record", [b"", bytes(12), b"\0" * 11], ids=["empty", "zeros", "short"])
def test_a_damaged_configuration_leaves_the_factory_values_and_a_flag(bench: Bench, record: bytes) -> None:
    bench.core = board(Flash(record))
    flags = b.unpack_info(bench.ask(b.INFO)[1]).flags
    assert flags == b.FLAG_CONFIG_DEFAULT | b.FLAG_CONFIG_DAMAGED
    assert (bench.core.width, bench.core.height) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("body", [b"", b"\0\0", b.pack_restart() + b"x"])
def test_restarts_only_for_the_right_number(bench: Bench, body: bytes) -> None:
    assert bench.ask(b.RESTART, body) == (b.BAD_FIELD, b"")
    assert not bench.core.restart_wanted
    assert bench.ask(b.RESTART, b.pack_restart()) == (b.OK, b"")
    assert bench.core.restart_wanted


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_damaged_frame_gets_no_answer_and_is_counted(bench: Bench, cut: int) -> None:
    frame = link.encode(1, b.STRIP, b.pack_strip(b.Strip(0, 8, 8)))
    damaged = frame[:cut] + bytes((frame[cut] ^ 0x55 or 1,)) + frame[cut + 1 :]
    assert bench.core.rx(damaged, 0) == b""
    assert b.unpack_info(bench.ask(b.INFO)[1]).frames_bad >= 1
