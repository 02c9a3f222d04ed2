"""The receiving end of SRTP, against packets of libsrtp: what counts, what does not, and each once."""

from __future__ import annotations

import struct

import pytest
from pylibsrtp import Policy, Session
from tests.srtp_peer import MASTER, OTHER_MASTER, PAYLOAD_TYPE, SSRC, Peer, flipped, rtp

from ward_hw.audio_sender import SrtpSender
from ward_hw.audio_worker.srtp import TAG_SIZE, WINDOW, Packet, Refusal, Refused, SrtpReceiver
from ward_hw.audio_worker.stream_order import Position


def receiver(ssrc: int | None = None, after: Position | None = None) -> SrtpReceiver:
    return SrtpReceiver(MASTER, payload_type=PAYLOAD_TYPE, ssrc=ssrc, after=after)


def refusal(one: SrtpReceiver, packet: bytes) -> Refusal:
    with pytest.raises(Refused) as caught:
        one.open(packet)
    return caught.value.refusal


def test_packets_of_libsrtp_are_opened_in_any_order() -> None:
    packets = Peer().many([b"one", b"two", b"three", b"four"], first=7)
    one = receiver()
    opened = [one.open(packets[index]) for index in (1, 0, 3, 2)]
    assert opened == [Packet(8, b"two"), Packet(7, b"one"), Packet(10, b"four"), Packet(9, b"three")]
    assert one.position == Position(SSRC, 10)


def test_contributors_extension_and_padding_are_left_behind() -> None:
    header = struct.pack(">BBHII", 0xB1, PAYLOAD_TYPE, 5, 0, SSRC) + bytes(4) + b"\xbe\xde\0\x01" + bytes(4)
    assert receiver().open(Peer().protect(header + b"sound\0\0\x03")) == Packet(5, b"sound")
    assert refusal(receiver(), Peer().protect(header + b"sound\x09")) is Refusal.MALFORMED


@pytest.mark.parametrize("bit", range(0, 8 * (12 + 5 + TAG_SIZE), 3))
def test_a_packet_with_a_bit_changed_is_refused(bit: int) -> None:
    (good,) = Peer().many([b"sound"])
    one = receiver(SSRC)
    refusal(one, flipped(good, bit))
    assert one.open(good) == Packet(1, b"sound")
    refusal(one, flipped(good, bit))


def test_plain_rtp_and_another_key_are_forged() -> None:
    one = receiver()
    for joined in (False, True):
        assert refusal(one, rtp(2, bytes(160))) is Refusal.FORGED
        assert refusal(one, Peer(OTHER_MASTER).many([bytes(160)], first=2)[0]) is Refusal.FORGED
        assert one.position == (Position(SSRC, 1) if joined else None)
        if not joined:
            one.open(Peer().many([b"genuine"])[0])


def test_a_tag_of_another_length_is_refused() -> None:
    short = Policy(key=MASTER, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=Policy.SRTP_PROFILE_AES128_CM_SHA1_32)
    assert refusal(receiver(), Session(short).protect(rtp(1, bytes(160)))) is Refusal.FORGED
    (good,) = Peer().many([bytes(160)])
    assert refusal(receiver(), good[:-1]) is Refusal.FORGED
    assert refusal(receiver(), good + b"\0") is Refusal.FORGED


def test_too_short_is_malformed() -> None:
    (good,) = Peer().many([b""])
    assert len(good) == 12 + TAG_SIZE
    assert refusal(receiver(), good[:-1]) is Refusal.MALFORMED
    assert refusal(receiver(), b"") is Refusal.MALFORMED
    assert receiver().open(good) == Packet(1, b"")


def test_another_payload_type_is_not_heard_although_it_authenticates() -> None:
    assert refusal(receiver(), Peer().many([b"sound"], payload_type=97)[0]) is Refusal.OTHER


@pytest.mark.parametrize("ssrc", [SSRC, 0])
def test_a_source_that_was_named_is_the_only_one(ssrc: int) -> None:
    one = receiver(ssrc)
    assert refusal(one, Peer().many([b"sound"], ssrc=77)[0]) is Refusal.OTHER
    assert one.open(Peer().many([b"sound"], ssrc=ssrc)[0]).payload == b"sound"


def test_without_a_name_the_first_that_authenticates_is_the_source() -> None:
    one = receiver()
    refusal(one, rtp(1, b"sound", ssrc=77))
    one.open(Peer().many([b"sound"], ssrc=0)[0])
    assert refusal(one, Peer().many([b"sound"], ssrc=77)[0]) is Refusal.OTHER
    assert one.open(Peer().many([b"sound"], first=2, ssrc=0)[0]).index == 2


def test_everything_that_came_once_is_refused_ever_after() -> None:
    packets = Peer().many([bytes([number]) for number in range(200)])
    one = receiver()
    for packet in packets:
        one.open(packet)
        assert refusal(one, packet) is Refusal.REPLAYED
    assert {refusal(one, packet) for packet in packets} == {Refusal.REPLAYED}


def test_a_late_packet_counts_within_the_window_only() -> None:
    packets = Peer().many([b"x"] * (WINDOW + 2))
    one = receiver()
    one.open(packets[1])
    one.open(packets[-1])  # WINDOW packets later
    assert refusal(one, packets[1]) is Refusal.REPLAYED
    assert one.open(packets[2]).index == 3


def test_the_sequence_number_rolls_over() -> None:
    peer, one = Peer(), receiver()
    before, behind = (peer.many([b"x"] * 4, first=first) for first in (65_532, 65_536))
    order = [before[0], before[1], before[3], behind[0], before[2], behind[3], behind[1]]
    assert [one.open(packet).index for packet in order] == [65_532, 65_533, 65_535, 65_536, 65_534, 65_539, 65_537]
    assert refusal(one, before[2]) is Refusal.REPLAYED


@pytest.mark.parametrize("rollovers", [1, 2, 63])
def test_a_stream_that_runs_for_long_can_be_joined(rollovers: int) -> None:
    sender = SrtpSender(MASTER, payload_type=PAYLOAD_TYPE, ssrc=SSRC, first=rollovers << 16 | 9)
    one = receiver()
    assert one.open(sender.packet(b"x", 0)).index == rollovers << 16 | 9
    assert one.open(sender.packet(b"x", 0)).index == rollovers << 16 | 10


def test_libsrtp_and_we_count_rollovers_alike() -> None:
    peer = Peer()
    late = peer.many([b"x"] * 70_000, first=30_000)[-1]
    assert receiver().open(late).index == 99_999


def test_packets_of_ours_are_opened_by_libsrtp_over_a_rollover() -> None:
    sender = SrtpSender(MASTER, payload_type=PAYLOAD_TYPE, ssrc=SSRC, first=65_534)
    session = Session(Policy(key=MASTER, ssrc_type=Policy.SSRC_SPECIFIC, ssrc_value=SSRC))
    for number in range(65_534, 65_540):
        assert session.unprotect(sender.packet(b"sound", number * 960)) == rtp(number, b"sound")


def test_who_begins_again_hears_nothing_a_second_time() -> None:
    packets = Peer().many([bytes([number]) for number in range(60)])
    one = receiver()
    for packet in packets[:40]:
        one.open(packet)
    again = receiver(after=one.position)
    assert again.position == one.position
    assert {refusal(again, packet) for packet in packets[:40]} == {Refusal.REPLAYED}
    assert again.open(packets[45]).index == 46
    assert {refusal(again, packet) for packet in packets[:40]} == {Refusal.REPLAYED}
    assert again.open(packets[41]).index == 42
    assert refusal(again, Peer().many([b"x"], first=50, ssrc=77)[0]) is Refusal.OTHER


def test_who_begins_again_after_a_long_pause_finds_the_stream() -> None:
    sender = SrtpSender(MASTER, payload_type=PAYLOAD_TYPE, ssrc=SSRC, first=200_000)
    assert receiver(after=Position(SSRC, 60_000)).open(sender.packet(b"x", 0)).index == 200_000
