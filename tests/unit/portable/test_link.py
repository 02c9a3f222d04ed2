"""Frames of the board link: one worked vector, damage, resynchronisation, bounded memory."""

from __future__ import annotations

import pytest

from ward_protocol.portable import cobs, link

# seq 1, op 5, no body; CRC-32 of 01 05 computed with `printf '\x01\x05' | gzip -c | tail -c8 | head -c4`.
STATUS_REQUEST = b"\x01\x05"


def test_frame_is_cobs_of_content_and_little_endian_crc() -> None:
    wire = link.encode(1, 5)
    content = cobs.decode(wire[:-1])
    assert wire[-1] == 0
    assert content[:2] == STATUS_REQUEST
    assert content[2:] == bytes.fromhex("31 D7 A8 28")


def test_sequence_number_wraps() -> None:
    assert link.Deframer().feed(link.encode(0x1FF, 5)) == [link.Frame(0xFF, 5, b"")]


def test_largest_body_fits_and_one_more_is_refused() -> None:
    body = bytes(link.MAX_BODY)
    wire = link.encode(0, 3, body)
    assert len(wire) - 1 <= link.MAX_WIRE
    assert link.Deframer().feed(wire) == [link.Frame(0, 3, body)]
    with pytest.raises(ValueError, match="body over"):
        link.encode(0, 3, body + b"x")


@pytest.mark.parametrize("chunk", [1, 2, 7, 1000])
def test_any_chunking(chunk: int) -> None:
    wire = link.encode(1, 2, b"a\0b") + link.encode(2, 3, b"") + link.encode(3, 4, b"tail")
    deframer = link.Deframer()
    frames = [frame for at in range(0, len(wire), chunk) for frame in deframer.feed(wire[at : at + chunk])]
    assert [frame.seq for frame in frames] == [1, 2, 3]
    assert (deframer.good, deframer.bad) == (3, 0)


def test_damage_costs_only_its_own_frame() -> None:
    damaged = bytearray(link.encode(1, 2, b"first"))
    damaged[3] ^= 0x10
    deframer = link.Deframer()
    assert deframer.feed(bytes(damaged) + link.encode(2, 2, b"second")) == [link.Frame(2, 2, b"second")]
    assert (deframer.good, deframer.bad) == (1, 1)


def test_empty_frames_are_ignored() -> None:
    deframer = link.Deframer()
    assert len(deframer.feed(b"\0\0" + link.encode(9, 1) + b"\0")) == 1
    assert deframer.bad == 0


def test_endless_noise_is_held_in_bounded_memory_and_counted_once() -> None:
    deframer = link.Deframer()
    for _ in range(50):
        assert deframer.feed(b"\x55" * 500) == []
        assert len(deframer._held) <= link.MAX_WIRE + 500
    assert deframer.bad == 1
    assert deframer.feed(b"\0" + link.encode(1, 1)) == [link.Frame(1, 1, b"")]


def test_frame_too_short_for_a_crc_is_bad() -> None:
    deframer = link.Deframer()
    assert deframer.feed(cobs.encode(b"abc") + b"\0") == []
    assert deframer.bad == 1
