"""What an order says of a live stream: closed sets, limits, and a key that each hub unlocks for itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cbor2
import pytest
from tests.statements import ORDER, SIGNER

from ward_protocol import cbor
from ward_protocol.envelope import MAX_SIZE, sign
from ward_protocol.errors import MisuseError, StatementError
from ward_protocol.reasons import Reason
from ward_protocol.schema import from_map, to_map
from ward_protocol.statements import Action, Order, Status, Stream, StreamCodec, Suite
from ward_protocol.statements.stream import MOST_HUBS

BOX = bytes(range(78))
MINIMAL = Stream(
    port=5004,
    suite=Suite.AES_CM_128_HMAC_SHA1_80,
    keys={"hub-1": BOX},
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


def changed(number: int, value: object) -> dict[int, Any]:
    return dict(sorted({**to_map(FULL), number: value}.items()))


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (1, 1023),
        (1, 65_536),
        (2, 0),
        (2, 2),
        (3, bytes(30)),
        (3, {}),
        (3, {"hub-1": bytes(30)}),
        (3, {"hub-1": bytes(77)}),
        (3, {"hub-1": bytes(79)}),
        (3, {"hub-1": "0" * 78}),
        (3, {1: BOX}),
        (3, {f"hub-{number:02}": BOX for number in range(65)}),
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


def test_a_key_in_the_clear_cannot_be_written() -> None:
    with pytest.raises(MisuseError, match="78 bytes"):
        to_map(replace(FULL, keys={"hub-1": bytes(30)}))
    with pytest.raises(ValueError, match="no hub can have"):
        replace(FULL, keys={})


def test_an_order_for_as_many_hubs_as_there_may_be_fits_an_envelope() -> None:
    stream = replace(FULL, keys={f"hub-{number:060}": BOX for number in range(MOST_HUBS)})
    order = replace(ORDER, action=Action.STREAM_START, targets=(), stream=stream, status=Status.TEST)
    assert len(sign(order, [SIGNER])) < MAX_SIZE // 4


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stream": None}, "needs stream"),
        ({"status": None}, "needs status"),
        ({"targets": (bytes(32),)}, "takes no targets"),
        ({"action": Action.STREAM_STOP}, "takes no status, stream"),
        ({"action": Action.STOP, "stream": None}, "takes no status"),
    ],
)
def test_a_stream_and_its_status_stand_in_the_order_that_starts_it(changes: dict[str, Any], words: str) -> None:
    start = replace(ORDER, action=Action.STREAM_START, targets=(), stream=FULL, status=Status.ACTUAL)
    with pytest.raises(ValueError, match=words):
        replace(start, **changes)


@pytest.mark.parametrize("action", [Action.STREAM_START, Action.STREAM_STOP])
def test_both_orders_may_be_for_some_zones_and_boards(action: Action) -> None:
    narrow = replace(ORDER.audience, zones=("zone-1",), boards=("board-1",))
    start: dict[str, Any] = (
        {"stream": FULL, "status": Status.ACTUAL, "targets": ()} if action is Action.STREAM_START else {}
    )
    order = replace(ORDER, action=action, audience=narrow, **start)
    assert from_map(Order, to_map(order)) == order


def test_the_name_of_a_drill_says_so() -> None:
    start = replace(ORDER, action=Action.STREAM_START, targets=(), stream=FULL, status=Status.TEST)
    assert start.title == "stream-start (Test)"
    assert replace(start, status=Status.ACTUAL).title == "stream-start"


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
