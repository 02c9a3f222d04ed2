"""COBS against the examples of its paper, and what it refuses."""

from __future__ import annotations

import pytest

from ward_protocol.portable import cobs

ONES = bytes(range(1, 255))

# Ref: Cheshire and Baker 1999, section III and figure 3; the long ones are worked by hand from the
# rule that code 0xFF stands for 254 bytes without a zero behind them.
VECTORS = [
    (b"", b"\x01"),
    (b"\x00", b"\x01\x01"),
    (b"\x00\x00", b"\x01\x01\x01"),
    (b"\x11\x22\x00\x33", b"\x03\x11\x22\x02\x33"),
    (b"\x11\x22\x33\x44", b"\x05\x11\x22\x33\x44"),
    (b"\x11\x00\x00\x00", b"\x02\x11\x01\x01\x01"),
    (ONES, b"\xff" + ONES),
    (b"\x00" + ONES, b"\x01\xff" + ONES),
    (ONES + b"\xff", b"\xff" + ONES + b"\x02\xff"),
    (ONES + b"\x00", b"\xff" + ONES + b"\x01\x01"),
]


@pytest.mark.parametrize(("plain", "stuffed"), VECTORS)
def test_vectors(plain: bytes, stuffed: bytes) -> None:
    assert cobs.encode(plain) == stuffed
    assert cobs.decode(stuffed) == plain


@pytest.mark.parametrize(
    "stuffed",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x00", id="zero code"),
        pytest.param(b"\x02", id="no data"),
        pytest.param(b"\x03\x11", id="short block"),
        pytest.param(b"\x02\x00", id="zero inside"),
        pytest.param(b"\x02\x11\x05\x22", id="short last block"),
        pytest.param(b"\x01\x00\x01", id="zero in the middle"),
    ],
)
def test_refuses(stuffed: bytes) -> None:
    with pytest.raises(ValueError, match="cobs"):
        cobs.decode(stuffed)
