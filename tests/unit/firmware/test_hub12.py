"""The HUB12 driver against bytes worked by hand for one module, and its pins in time."""

from __future__ import annotations

import pytest

from ward_firmware.board.hub12 import Hub12, scan_hz


class Recorder:
    """SPI and four pins that write down what is done to them."""

    def __init__(self) -> None:
        self.log: list[object] = []

    def write(self, data: bytes | bytearray) -> None:
        self.log.append(bytes(data))

    def pin(self, name: str) -> RecordedPin:
        return RecordedPin(self, name)


class RecordedPin:
    """One of the pins."""

    def __init__(self, recorder: Recorder, name: str) -> None:
        self._recorder = recorder
        self._name = name

    def value(self, level: int) -> None:
        self._recorder.log.append((self._name, level))


def panel(recorder: Recorder, wide: int = 1, high: int = 1) -> Hub12:
    pins = (recorder.pin("A"), recorder.pin("B"), recorder.pin("LAT"), recorder.pin("OE"))
    return Hub12(recorder, pins, wide, high)


def test_one_phase_shifts_then_latches_in_the_dark() -> None:
    recorder = Recorder()
    driver = panel(recorder)
    driver.scan()
    driver.scan()
    dark = b"\xff" * 16
    assert recorder.log == [
        dark, ("OE", 0), ("LAT", 1), ("LAT", 0), ("A", 0), ("B", 0), ("OE", 1),
        dark, ("OE", 0), ("LAT", 1), ("LAT", 0), ("A", 1), ("B", 0), ("OE", 1),
    ]  # fmt: skip


def test_order_of_rows_and_columns_in_one_module() -> None:
    recorder = Recorder()
    driver = panel(recorder)
    # Byte value = 4 * row + column, so that the order can be read off.
    driver.show(bytes(range(64)))
    for _ in range(4):
        driver.scan()
    shifted = [entry for entry in recorder.log if isinstance(entry, bytes)]
    first = [48, 32, 16, 0, 49, 33, 17, 1, 50, 34, 18, 2, 51, 35, 19, 3]
    assert [[byte ^ 0xFF for byte in phase] for phase in shifted] == [
        [byte + 4 * row for byte in first] for row in range(4)
    ]


def test_a_new_picture_waits_for_the_next_whole_scan() -> None:
    recorder = Recorder()
    driver = panel(recorder)
    driver.scan()
    driver.show(bytes(64 * [0xFF]))
    for _ in range(4):
        driver.scan()
    shifted = [entry for entry in recorder.log if isinstance(entry, bytes)]
    assert [phase[0] for phase in shifted] == [0xFF, 0xFF, 0xFF, 0xFF, 0x00]


@pytest.mark.parametrize(
    ("wide", "high", "hz"), [(1, 1, 800), (2, 1, 800), (19, 1, 800), (10, 2, 781), (13, 3, 400), (16, 8, 122)]
)
def test_a_large_panel_is_scanned_slower(wide: int, high: int, hz: int) -> None:
    assert scan_hz(wide, high, 4_000_000, 800) == hz  # 128 bits a module and phase
