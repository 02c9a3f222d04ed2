"""RTP headers, padding and durations, on packets made by hand."""

from __future__ import annotations

import struct

import pytest

from ward_hw.audio_worker.rtp import BadPacket, Header, duration, header, unpadded

FIXED = struct.Struct(">BBHII")
PLAIN = FIXED.pack(0x80, 0x80 | 96, 65_535, 7, 0xDEADBEEF)


def test_a_fixed_header() -> None:
    """Ref: RFC 3550 §5.1; the marker is no part of the payload type."""
    assert header(PLAIN + b"x") == Header(96, 65_535, 7, 0xDEADBEEF, 12, padded=False)


def test_contributors_and_extension_belong_to_the_header() -> None:
    """Ref: RFC 3550 §5.1 (CC), §5.3.1."""
    packet = FIXED.pack(0xB2, 8, 1, 2, 3) + bytes(8) + b"\xbe\xde\0\x01" + bytes(4) + b"x"
    assert header(packet) == Header(8, 1, 2, 3, 12 + 8 + 8, padded=True)


@pytest.mark.parametrize("length", range(12))
def test_half_a_header_is_none(length: int) -> None:
    with pytest.raises(BadPacket, match="shorter"):
        header(PLAIN[:length])


@pytest.mark.parametrize("version", [0, 1, 3])
def test_other_versions_are_refused(version: int) -> None:
    with pytest.raises(BadPacket, match="version"):
        header(bytes([version << 6]) + PLAIN[1:])


@pytest.mark.parametrize(
    ("first", "rest"),
    [(0x8F, bytes(59)), (0x90, b""), (0x90, b"\xbe\xde\0"), (0x90, b"\xbe\xde\0\x02" + bytes(7)), (0x91, bytes(7))],
)
def test_a_header_that_is_cut_off_is_refused(first: int, rest: bytes) -> None:
    with pytest.raises(BadPacket, match="cut off"):
        header(bytes([first]) + PLAIN[1:] + rest)


def test_padding_is_counted_by_its_last_byte() -> None:
    assert unpadded(b"sound\0\0\x03") == b"sound"
    assert unpadded(b"\x01") == b""


@pytest.mark.parametrize("payload", [b"", b"sound\0", b"\x02", b"abc\x05"])
def test_more_padding_than_payload_is_refused(payload: bytes) -> None:
    with pytest.raises(BadPacket, match="padding"):
        unpadded(payload)


# Configuration numbers of RFC 6716 table 2 with the frame size in ticks of 48 kHz.
OPUS = [
    *((number, size) for first in (0, 4, 8) for number, size in enumerate((480, 960, 1920, 2880), first)),
    *((number, size) for first in (12, 14) for number, size in enumerate((480, 960), first)),
    *((number, size) for first in (16, 20, 24, 28) for number, size in enumerate((120, 240, 480, 960), first)),
]


@pytest.mark.parametrize(("number", "ticks"), OPUS)
def test_one_opus_frame_of_each_configuration(number: int, ticks: int) -> None:
    assert duration("opus", 1, bytes([number << 3])) == ticks
    assert duration("opus", 2, bytes([number << 3 | 4, 1, 2])) == ticks


def test_opus_packets_of_several_frames() -> None:
    """Ref: RFC 6716 §3.2.3 (codes 1 and 2: two frames), §3.2.5 (code 3: a count)."""
    assert duration("opus", 1, b"\xf9") == duration("opus", 1, b"\xfa\x01") == 1920
    assert duration("opus", 1, bytes([0xFB, 0xC0 | 6])) == 5760


@pytest.mark.parametrize("payload", [b"", b"\xfb", bytes([0xFB, 0]), bytes([0xFB, 7]), bytes([0x1B, 3])])
def test_opus_packets_of_no_or_too_many_frames_are_refused(payload: bytes) -> None:
    with pytest.raises(BadPacket, match="Opus"):
        duration("opus", 1, payload)


def test_linear_codecs_count_their_samples() -> None:
    assert duration("PCMA", 1, bytes(160)) == 160
    assert duration("L16", 1, bytes(160)) == 80
    assert duration("L16", 2, bytes(160)) == 40


@pytest.mark.parametrize(("codec", "channels", "size"), [("PCMA", 1, 0), ("L16", 1, 3), ("L16", 2, 6), ("L16", 2, 0)])
def test_what_is_not_whole_samples_is_refused(codec: str, channels: int, size: int) -> None:
    with pytest.raises(BadPacket, match="whole samples"):
        duration(codec, channels, bytes(size))
