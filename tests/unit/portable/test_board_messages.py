"""Bodies of the board's messages: byte layouts worked by hand from the protocol text, and malformed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ward_protocol.portable import board

if TYPE_CHECKING:
    from collections.abc import Callable

SERIAL = bytes(range(8))
DIGEST = bytes(range(16))


def test_ident_layout() -> None:
    body = board.pack_ident(board.Ident(96, 32, 0x0100, 32768, 3, SERIAL))
    assert body == bytes.fromhex("0060 0020 0100 00008000 03") + SERIAL
    assert board.unpack_ident(body) == board.Ident(96, 32, 0x0100, 32768, 3, SERIAL)


def test_strip_layout() -> None:
    assert board.pack_strip(board.Strip(2, 300, 16)) == bytes.fromhex("02 012C 0010")
    assert board.unpack_strip(bytes.fromhex("02 012C 0010")) == board.Strip(2, 300, 16)


def test_data_layout() -> None:
    assert board.pack_data(board.Data(1, 0x10203, b"xyz")) == bytes.fromhex("01 00010203") + b"xyz"
    assert board.unpack_data(bytes.fromhex("01 00010203") + b"xyz") == board.Data(1, 0x10203, b"xyz")


def test_data_over_the_frame_is_refused() -> None:
    board.pack_data(board.Data(0, 0, bytes(board.MAX_DATA)))
    with pytest.raises(ValueError, match="bytes of data"):
        board.pack_data(board.Data(0, 0, bytes(board.MAX_DATA + 1)))


def test_show_layout() -> None:
    window = board.Window(3, 0xDEADBEEF, 5, 6, 80, 13, board.MODE_SCROLL, 40)
    show = board.Show(0x01020304, 5000, (window,))
    body = bytes.fromhex("01020304 00001388 01 03 DEADBEEF 0005 0006 0050 000D 01 0028")
    assert board.pack_show(show) == body
    assert board.unpack_show(body) == show


def test_renew_layout() -> None:
    assert board.pack_renew(board.Renew(7, 60000)) == bytes.fromhex("00000007 0000EA60")
    assert board.unpack_renew(bytes.fromhex("00000007 0000EA60")) == board.Renew(7, 60000)


def test_status_layout() -> None:
    status = board.Status(7, board.STATE_SHOWING, 4000, 61, (0, 65534), DIGEST)
    body = bytes.fromhex("00000007 01 00000FA0 0000003D 02 0000 FFFE") + DIGEST
    assert board.pack_status(status) == body
    assert board.unpack_status(body) == status


@pytest.mark.parametrize(
    ("unpack", "size"),
    [
        (board.unpack_ident, 19),
        (board.unpack_strip, 5),
        (board.unpack_renew, 8),
        (board.unpack_show, 9),
        (board.unpack_status, 30),
    ],
)
def test_every_other_length_is_refused(unpack: Callable[[bytes], object], size: int) -> None:
    unpack(bytes(size))
    for wrong in {*range(size + 20)} - {size}:
        with pytest.raises(ValueError, match="board: "):
            unpack(bytes(wrong))


def test_show_count_must_match_its_length() -> None:
    with pytest.raises(ValueError, match="3 windows"):
        board.unpack_show(bytes(8) + b"\x03" + bytes(2 * 16))


def test_rows_are_padded_to_bytes() -> None:
    assert [board.row_bytes(width) for width in (0, 1, 8, 9, 96)] == [0, 1, 1, 2, 12]
