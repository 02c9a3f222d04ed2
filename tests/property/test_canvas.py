"""The board's canvas against the definition, pixel by pixel, and its core against noise."""

from __future__ import annotations

import binascii

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.firmware.ports import board

from ward_firmware.board.canvas import Placed, Strip, compose
from ward_protocol.portable import board as b
from ward_protocol.portable import link

WIDTH, HEIGHT = 32, 16


@st.composite
def placements(draw: st.DrawFn) -> tuple[Strip, b.Window]:
    strip = Strip(draw(st.integers(1, 70)), draw(st.integers(1, 8)))
    strip.data[:] = draw(st.binary(min_size=len(strip.data), max_size=len(strip.data)))
    x, y = draw(st.integers(0, WIDTH - 1)), draw(st.integers(0, HEIGHT - 1))
    w, h = draw(st.integers(1, WIDTH - x)), draw(st.integers(1, HEIGHT - y))
    speed = draw(st.integers(0, 500))
    return strip, b.Window(0, 0, x, y, w, h, b.MODE_SCROLL if speed else b.MODE_STATIC, speed)


def pixel(strip: Strip, column: int, row: int) -> bool:
    if not (0 <= column < strip.width and row < strip.height):
        return False
    return bool(strip.data[row * strip.stride + column // 8] & 0x80 >> column % 8)


def defined(placed: list[tuple[Strip, b.Window]], elapsed_us: int) -> bytes:
    """The picture straight from the text of `ward_protocol.portable.board`."""
    lit = [[False] * WIDTH for _ in range(HEIGHT)]
    for strip, window in placed:
        offset = elapsed_us * window.speed // 1_000_000 % (strip.width + window.w)
        start = offset - window.w if window.mode == b.MODE_SCROLL else 0
        for r in range(window.h):
            for c in range(window.w):
                lit[window.y + r][window.x + c] = pixel(strip, c + start, r)
    return b"".join(int("".join("01"[dot] for dot in row), 2).to_bytes(WIDTH // 8, "big") for row in lit)


@given(st.lists(placements(), max_size=4), st.lists(st.integers(0, 700_000), max_size=5))
def test_canvas_is_the_definition(placed: list[tuple[Strip, b.Window]], steps: list[int]) -> None:
    shown = [Placed(strip, window) for strip, window in placed]
    elapsed = 0
    for step in [0, *steps]:
        elapsed += step
        for one in shown:
            one.advance(step)
        assert compose(shown, WIDTH, HEIGHT) == defined(placed, elapsed)


@given(placements(), st.lists(st.integers(0, 300_000), min_size=1, max_size=6))
def test_core_shows_what_its_status_says(placement: tuple[Strip, b.Window], steps: list[int]) -> None:
    strip, window = placement
    core = board(modules_wide=1)
    window = window._replace(crc32=binascii.crc32(strip.data))
    for op, body in (
        (b.STRIP, b.pack_strip(b.Strip(0, strip.width, strip.height))),
        (b.DATA, b.pack_data(b.Data(0, 0, bytes(strip.data)))),
        (b.SHOW, b.pack_show(b.Show(1, 60_000, (window,)))),
    ):
        assert link.decode(core.rx(link.encode(1, op, body), 0)[:-1]).body[0] == b.OK
    now_us = 0
    for step in steps:
        now_us += step
        core.tick(now_us)
        status = b.unpack_status(link.decode(core.rx(link.encode(2, b.STATUS), now_us)[:-1]).body[1:])
        exact = now_us * window.speed // 1_000_000 % (strip.width + window.w)
        behind = (exact - status.offsets[0]) % (strip.width + window.w)
        assert behind <= window.speed // 50 + 1  # at most one picture late
        first = status.offsets[0] * 1_000_000 // window.speed + 1 if window.speed else 0
        at_offset = first if window.speed else 0
        assert core.frame == defined([(strip, window)], at_offset)


@given(st.lists(st.binary(max_size=60), max_size=10))
def test_noise_lights_nothing(noise: list[bytes]) -> None:
    core = board(modules_wide=1)
    for at, data in enumerate(noise):
        core.rx(data, at * 1000)
    assert core.frame == bytes(WIDTH // 8 * HEIGHT)
    assert core.rx(b"\0" + link.encode(9, b.STATUS), 20_000)
