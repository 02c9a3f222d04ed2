"""SRTP against published values."""

from __future__ import annotations

from ward_hw.audio_sender import SrtpSender
from ward_hw.audio_worker.srtp import Packet, SessionKeys, SrtpReceiver, keystream

MASTER = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139" + "0EC675AD498AFEEBB6960B3AABE6")
PAYLOAD = bytes([0xAB]) * 16
PROTECTED = bytes.fromhex("800f1234decafbadcafebabe" + "4e55dc4ce79978d88ca4d215949d2402" + "b78d6acc99ea179b8dbb")


def test_aes_in_counter_mode() -> None:
    """Ref: RFC 3711 appendix B.2."""
    key, start = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C"), 0xF0F1F2F3F4F5F6F7F8F9FAFBFCFD0000
    blocks = "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0"
    assert keystream(key, start, bytes(48)) == bytes.fromhex(blocks)
    last = "EC8CDF7398607CB0F2D21675EA9EA1E4"
    assert keystream(key, start + 0xFEFF, bytes(16)) == bytes.fromhex(last)


def test_key_derivation() -> None:
    """Ref: RFC 3711 appendix B.3."""
    assert SessionKeys.of(MASTER) == SessionKeys(
        cipher=bytes.fromhex("C61E7A93744F39EE10734AFE3FF7A087"),
        auth=bytes.fromhex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"),
        salt=bytes.fromhex("30CBBC08863D8C85D49DB34A9AE1"),
    )


def test_a_whole_packet_is_opened() -> None:
    """Ref: libsrtp, test/srtp_driver.c, srtp_validate."""
    assert SrtpReceiver(MASTER, payload_type=15).open(PROTECTED) == Packet(0x1234, PAYLOAD)


def test_a_whole_packet_is_made() -> None:
    """Ref: as above."""
    sender = SrtpSender(MASTER, payload_type=15, ssrc=0xCAFEBABE, first=0x1234)
    assert sender.packet(PAYLOAD, 0xDECAFBAD) == PROTECTED
