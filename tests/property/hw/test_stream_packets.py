"""Whatever comes to the port of a stream: read or refused, never anything else; only what was protected is opened."""

from __future__ import annotations

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.srtp_peer import MASTER, PAYLOAD_TYPE, SSRC, Peer, flipped, rtp

from ward_hw.audio_worker.rtp import BadPacket, duration, header, unpadded
from ward_hw.audio_worker.srtp import Packet, Refused, SrtpReceiver

UINT16, UINT32 = st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)


@given(st.binary(max_size=300))
@example(b"\xbf" + bytes(75))
@example(b"\x90" + bytes(11) + b"\0\0\xff\xff")
def test_any_bytes_are_a_header_within_them_or_refused(data: bytes) -> None:
    try:
        read = header(data)
    except BadPacket:
        return
    assert 12 <= read.size <= len(data)
    assert struct.unpack_from(">HII", data, 2) == (read.sequence, read.timestamp, read.ssrc)


@given(
    sequence=UINT16,
    timestamp=UINT32,
    ssrc=UINT32,
    payload_type=st.integers(0, 127),
    marker=st.booleans(),
    sources=st.lists(UINT32, max_size=15),
    words=st.none() | st.integers(0, 20),
    payload=st.binary(max_size=200),
    padding=st.integers(0, 255),
)
def test_what_is_packed_is_read(
    *,
    sequence: int,
    timestamp: int,
    ssrc: int,
    payload_type: int,
    marker: bool,
    sources: list[int],
    words: int | None,
    payload: bytes,
    padding: int,
) -> None:
    first = 0x80 | (padding > 0) << 5 | (words is not None) << 4 | len(sources)
    packet = struct.pack(">BBHII", first, marker << 7 | payload_type, sequence, timestamp, ssrc)
    packet += b"".join(struct.pack(">I", one) for one in sources)
    if words is not None:
        packet += struct.pack(">HH", 0xBEDE, words) + bytes(4 * words)
    packet += payload + (bytes(padding - 1) + bytes([padding]) if padding else b"")
    read = header(packet)
    assert (read.payload_type, read.sequence, read.timestamp, read.ssrc) == (payload_type, sequence, timestamp, ssrc)
    rest = packet[read.size :]
    assert (unpadded(rest) if read.padded else rest) == payload


@given(st.sampled_from(["opus", "PCMA", "L16"]), st.integers(1, 2), st.binary(max_size=60))
def test_any_payload_has_a_duration_or_is_refused(codec: str, channels: int, payload: bytes) -> None:
    try:
        ticks = duration(codec, channels, payload)
    except BadPacket:
        return
    assert 0 < ticks <= 5760


@given(st.binary(max_size=200))
@example(rtp(1, bytes(30)))
def test_what_nobody_protected_is_never_opened(data: bytes) -> None:
    with pytest.raises(Refused):
        SrtpReceiver(MASTER, payload_type=PAYLOAD_TYPE).open(data)


@given(st.binary(min_size=1, max_size=100), st.data())
def test_no_changed_packet_is_opened(payload: bytes, data: st.DataObject) -> None:
    (good,) = Peer().many([payload])
    how = data.draw(st.sampled_from(["bit", "cut", "more", "head"]))
    if how == "bit":
        bad = flipped(good, data.draw(st.integers(0, 8 * len(good) - 1)))
    elif how == "cut":
        bad = good[: data.draw(st.integers(0, len(good) - 1))]
    elif how == "more":
        bad = good + data.draw(st.binary(min_size=1, max_size=20))
    else:
        bad = data.draw(st.binary(min_size=1, max_size=20)) + good
    with pytest.raises(Refused):
        SrtpReceiver(MASTER, payload_type=PAYLOAD_TYPE).open(bad)


@given(
    st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=120),
    st.integers(0, 65_535),
)
@example([(3, False), (0, False), (40, True), (3, False), (0, True)], 65_500)
def test_each_packet_counts_once_in_any_order(order: list[tuple[int, bool]], first: int) -> None:
    """All within the window: a packet counts the first time it comes, whatever forgeries come between."""
    packets = Peer().many([bytes([number]) for number in range(41)], first=first)
    one, opened = SrtpReceiver(MASTER, payload_type=PAYLOAD_TYPE, ssrc=SSRC), set[int]()
    for number, forged in order:
        packet = flipped(packets[number], 100) if forged else packets[number]
        if forged or number in opened:
            with pytest.raises(Refused):
                one.open(packet)
        else:
            assert one.open(packet) == Packet(first + number, bytes([number]))
            opened.add(number)
