"""The amplifier's status block and the ranges of its settings."""

from __future__ import annotations

import struct

import pytest

from ward_protocol.portable import amplifier
from ward_protocol.portable.amplifier_reading import Status, unpack_status

STATUS = Status(
    0xBEEF, 0x1DE7, 0b1011, 12345, 2400, -55, 2976, 70, 3, 2, 100, 1, 0x0101, 1500, 0x0403, 4, 0, 0, 1, 1, 0, 19, 5
)  # fmt: skip


def test_status_block_layout() -> None:
    block = amplifier.pack_status(STATUS)
    assert block == bytes.fromhex(
        "BEEF 1DE7 000B 3039 0960 FFC9 0BA0 0046 0003 0002 0064 0001 0101 05DC"
        "0403 0004 0000 0000 0001 0001 0000 0013 0005"
    )
    assert unpack_status(struct.unpack(">23H", block)) == STATUS


def test_counters_wrap_at_16_bits() -> None:
    wrapped = STATUS._replace(uptime_s=0x12345, frames_ok=0x1FFFF)
    values = struct.unpack(">23H", amplifier.pack_status(wrapped))
    assert (values[7], values[10]) == (0x2345, 0xFFFF)


@pytest.mark.parametrize("size", [0, 13, 22, 24])
def test_status_block_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"{size} registers"):
        unpack_status([0] * size)


@pytest.mark.parametrize(
    ("register", "good", "bad"),
    [
        (amplifier.LEASE_MS, (500, 3000, 10000), (0, 499, 10001)),
        (amplifier.MAX_ON_S, (1, 3600, 7200), (0, 7201)),
        (amplifier.NONCE, (0, 0xFFFF), (0x10000,)),
        (amplifier.SUPPLY, (0, 1, 0xFF), (0x100,)),
        (amplifier.ZONES, (0, 0xFE), (0x100,)),
        (amplifier.WARM_UP_MS, (0, 800, 60_000), (60_001,)),
        (amplifier.TEMPERATURE_LIMIT_DC, (0, 850, 1250), (1251,)),
        (amplifier.CURRENT_LIMIT_MA, (0, 65_000), (65_001,)),
        (amplifier.SUPPLY_MIN_CV, (0, 6000), (6001,)),
        (9, (), (0, 500, 3000)),
    ],
)
def test_ranges_of_settings(register: int, good: tuple[int, ...], bad: tuple[int, ...]) -> None:
    assert all(amplifier.setting_valid(register, value) for value in good)
    assert not any(amplifier.setting_valid(register, value) for value in bad)
