"""The P10 panel model against modules wired by hand, and against the firmware's driver pixel by pixel."""

from __future__ import annotations

import pytest

from ward_firmware.board.hub12 import Hub12
from ward_sim.devices.panel import ENABLE, LATCH, A, B, P10Panel


class Pin:
    """A wire from a driver to the panel."""

    def __init__(self, panel: P10Panel, number: int) -> None:
        self._panel = panel
        self._number = number

    def value(self, level: int) -> None:
        self._panel.pin(self._number, level)


class Spi:
    """The data wire."""

    def __init__(self, panel: P10Panel) -> None:
        self._panel = panel

    def write(self, data: bytes | bytearray) -> None:
        self._panel.spi(bytes(data))


def light(panel: P10Panel, phase: int, data: bytes) -> None:
    panel.spi(data)
    panel.pin(ENABLE, 0)
    panel.pin(LATCH, 1)
    panel.pin(LATCH, 0)
    panel.pin(A, phase & 1)
    panel.pin(B, phase >> 1)
    panel.pin(ENABLE, 1)


def seen(frames: list[bytes]) -> P10Panel:
    return P10Panel(1, 1, on_frame=frames.append)


# Ref: quarter scan of the P10 module: in each phase 16 bytes, leftmost column first, of each column rows 12, 8, 4, 0 of
# the phase; a 0 lights. The first byte shifted ends in the driver furthest from the cable.
@pytest.mark.parametrize(
    ("phase", "index", "row", "column"),
    [(0, 0, 12, 0), (0, 3, 0, 0), (1, 3, 1, 0), (0, 15, 0, 3), (3, 12, 15, 3), (2, 6, 6, 1)],
)
def test_which_pixels_a_byte_lights(phase: int, index: int, row: int, column: int) -> None:
    frames: list[bytes] = []
    panel = seen(frames)
    data = bytearray(b"\xff" * 16)
    data[index] = 0x7F
    for each in range(4):
        light(panel, each, bytes(data) if each == phase else b"\xff" * 16)
    expected = bytearray(64)
    expected[row * 4 + column] = 0x80
    assert frames == [bytes(expected)]


def test_nothing_shines_before_a_whole_scan_nor_without_enable() -> None:
    frames: list[bytes] = []
    panel = seen(frames)
    for phase in range(3):
        light(panel, phase, bytes(16))
    assert frames == []
    light(panel, 3, bytes(16))
    assert frames == [b"\xff" * 64]


def test_shifting_without_latch_changes_nothing() -> None:
    frames: list[bytes] = []
    panel = seen(frames)
    for phase in range(4):
        light(panel, phase, b"\xff" * 16)
    panel.spi(bytes(16))
    for phase in range(4):
        panel.pin(A, phase & 1)
        panel.pin(B, phase >> 1)
    assert frames == []


def test_a_controller_in_reset_leaves_it_dark() -> None:
    frames: list[bytes] = []
    panel = seen(frames)
    for phase in range(4):
        light(panel, phase, bytes(16))
    panel.floating()
    assert frames[-1] == panel.frame == bytes(64)


def test_the_same_picture_again_is_no_news() -> None:
    frames: list[bytes] = []
    panel = seen(frames)
    for phase in (*range(4), *range(4)):
        light(panel, phase, bytes(16))
    assert len(frames) == 1


@pytest.mark.parametrize(("wide", "high"), [(1, 1), (3, 1), (1, 2), (4, 2)])
def test_every_pixel_that_the_driver_sends_lights_where_it_belongs(wide: int, high: int) -> None:
    panel = P10Panel(wide, high, on_frame=lambda _: None)
    driver = Hub12(Spi(panel), (Pin(panel, A), Pin(panel, B), Pin(panel, LATCH), Pin(panel, ENABLE)), wide, high)
    size = panel.width * panel.height
    for pixel in range(0, size, 13):
        frame = (1 << (size - 1 - pixel)).to_bytes(size // 8, "big")
        driver.show(frame)
        for _ in range(4):
            driver.scan()
        assert panel.frame == frame
