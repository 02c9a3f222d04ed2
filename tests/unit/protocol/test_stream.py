"""What an order says of a live stream: closed sets, limits, and a key that is shown to nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cbor2
import pytest

from ward_protocol import cbor
from ward_protocol.errors import MisuseError, StatementError
from ward_protocol.reasons import Reason
from ward_protocol.schema import from_map, to_map
from ward_protocol.statements import Stream, StreamCodec, Suite

MASTER = bytes(range(100, 130))
MINIMAL = Stream(
    port=5004,
    suite=Suite.AES_CM_128_HMAC_SHA1_80,
    master=MASTER,
    codec=StreamCodec.OPUS,
    payload_type=96,
    clock_rate=48_000,
    channels=1,
    max_s=600,
)
FULL = replace(MINIMAL, address="239.1.2.3", ssrc=0, silence_s=3)


@pytest.mark.parametrize("stream", [MINIMAL, FULL, replace(FULL, address="ff15::7", ssrc=2**32 - 1)])
def test_what_is_written_is_read(stream: Stream) -> None:
    assert from_map(Stream, cbor2.loads(cbor.encode(to_map(stream)))) == stream


def test_what_has_its_default_is_not_sent() -> None:
    assert sorted(to_map(MINIMAL)) == list(range(1, 9))
    assert (MINIMAL.address, MINIMAL.ssrc, MINIMAL.silence_s) == ("", None, 10)


def test_the_key_is_not_shown() -> None:
    shown = f"{FULL!r} {FULL}"
    assert "master" not in shown
    assert repr(MASTER) not in shown
    assert MASTER.hex() not in shown


def changed(number: int, value: object) -> dict[int, Any]:
    return dict(sorted({**to_map(FULL), number: value}.items()))


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (1, 1023),
        (1, 65_536),
        (2, 0),
        (2, 2),
        (3, bytes(29)),
        (3, bytes(31)),
        (3, "0" * 30),
        (4, "Opus"),
        (4, "PCMU"),
        (5, 128),
        (5, 0),
        (5, 8),
        (5, 95),
        (6, 44_100),
        (6, 8000),
        (7, 0),
        (7, 3),
        (8, 0),
        (8, 3601),
        (9, "192.0.2.7"),
        (9, "239.001.002.003"),
        (9, "FF15::7"),
        (9, "ff15:0::7"),
        (9, "ff02::1%eth0"),
        (9, "::ffff:239.1.2.3"),
        (9, "studio.example"),
        (9, 4_009_820_675),
        (10, 2**32),
        (10, -1),
        (11, 0),
        (11, 31),
    ],
)
def test_what_is_out_of_its_limits_is_refused(number: int, value: object) -> None:
    with pytest.raises(StatementError) as caught:
        from_map(Stream, changed(number, value))
    assert caught.value.reason is Reason.MALFORMED_STATEMENT


@pytest.mark.parametrize(("number", "default"), [(9, ""), (10, None), (11, 10)])
def test_a_default_that_is_sent_is_refused(number: int, default: object) -> None:
    with pytest.raises(StatementError):
        from_map(Stream, changed(number, default))


def test_a_refusal_does_not_show_the_key() -> None:
    with pytest.raises(StatementError) as caught:
        from_map(Stream, changed(3, MASTER + b"!"))
    assert MASTER.hex() not in str(caught.value)
    assert repr(MASTER)[2:-1] not in str(caught.value)
    with pytest.raises(MisuseError) as misused:
        to_map(replace(FULL, master=MASTER + b"!"))
    assert repr(MASTER)[2:-1] not in str(misused.value)


@pytest.mark.parametrize(
    ("codec", "payload_type", "clock_rate", "channels", "good"),
    [
        (StreamCodec.OPUS, 96, 48_000, 2, True),
        (StreamCodec.OPUS, 127, 48_000, 1, True),
        (StreamCodec.OPUS, 96, 24_000, 1, False),
        (StreamCodec.PCMA, 8, 8000, 1, True),
        (StreamCodec.PCMA, 96, 8000, 1, True),
        (StreamCodec.PCMA, 8, 8000, 2, False),
        (StreamCodec.PCMA, 96, 16_000, 1, False),
        (StreamCodec.L16, 11, 44_100, 1, True),
        (StreamCodec.L16, 10, 44_100, 2, True),
        (StreamCodec.L16, 10, 44_100, 1, False),
        (StreamCodec.L16, 96, 48_000, 2, True),
        (StreamCodec.L16, 96, 11_025, 1, False),
        (StreamCodec.L16, 8, 8000, 1, False),
    ],
)
def test_codec_clock_channels_and_payload_type_fit_together(
    codec: StreamCodec, payload_type: int, clock_rate: int, channels: int, *, good: bool
) -> None:
    def made() -> Stream:
        return replace(MINIMAL, codec=codec, payload_type=payload_type, clock_rate=clock_rate, channels=channels)

    if good:
        assert from_map(Stream, to_map(made())) == made()
    else:
        with pytest.raises(ValueError, match=r"channels at a clock|means something else"):
            made()
