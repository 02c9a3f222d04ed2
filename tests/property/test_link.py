"""COBS and link frames: round trips, any chunking, garbage around frames, no frame out of noise."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from ward_protocol.portable import cobs, link

BODIES = st.binary(max_size=600)
FRAMES = st.lists(st.builds(link.Frame, st.integers(0, 255), st.integers(0, 255), BODIES), max_size=6)
NOISE = st.binary(max_size=80)


@given(st.one_of(st.binary(max_size=1200), st.integers(0, 1100).map(lambda size: b"\x55" * size)))
def test_cobs_round_trip_without_zeros_and_within_its_size(data: bytes) -> None:
    stuffed = cobs.encode(data)
    assert b"\0" not in stuffed
    assert len(stuffed) <= cobs.encoded_size(len(data))
    assert cobs.decode(stuffed) == data


@given(st.binary(max_size=300))
def test_cobs_decoding_inverts_or_refuses(stuffed: bytes) -> None:
    try:
        plain = cobs.decode(stuffed)
    except ValueError:
        return
    # A full last block may be followed by an empty one or not: both say the same.
    assert cobs.decode(cobs.encode(plain)) == plain


@given(FRAMES, st.lists(st.integers(1, 300)))
def test_frames_come_back_whatever_the_chunks(frames: list[link.Frame], sizes: list[int]) -> None:
    wire = b"".join(link.encode(*frame) for frame in frames)
    deframer = link.Deframer()
    assert [found for piece in chunks(wire, sizes) for found in deframer.feed(piece)] == frames
    assert (deframer.good, deframer.bad) == (len(frames), 0)


@given(FRAMES, st.lists(NOISE, min_size=7, max_size=7), st.lists(st.integers(1, 300)))
def test_noise_between_delimited_frames_costs_none(
    frames: list[link.Frame], noise: list[bytes], sizes: list[int]
) -> None:
    wire = b"".join(b"\0" + link.encode(*frame) + garbage for frame, garbage in zip(frames, noise, strict=False))
    deframer = link.Deframer()
    assert [found for piece in chunks(wire, sizes) for found in deframer.feed(piece)] == frames


@given(st.builds(link.Frame, st.integers(0, 255), st.integers(0, 255), BODIES), st.data())
def test_one_flipped_bit_is_always_seen(frame: link.Frame, data: st.DataObject) -> None:
    wire = bytearray(link.encode(*frame))
    wire[data.draw(st.integers(0, len(wire) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    deframer = link.Deframer()
    assert [found for found in deframer.feed(bytes(wire) + b"\0") if found == frame] == []


def chunks(data: bytes, sizes: list[int]) -> list[bytes]:
    """`data` cut at the given sizes, over and over."""
    cuts = list(itertools.takewhile(lambda cut: cut < len(data), itertools.accumulate(itertools.cycle(sizes or [7]))))
    return [data[begin:end] for begin, end in itertools.pairwise([0, *cuts, len(data)])]
