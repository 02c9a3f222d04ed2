"""Drafts of orders that start a stream: its key from a file, locked to each hub whose request is given."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest
from tests.srtp_peer import MASTER
from tests.statements import (
    AREA,
    AUTHORITY,
    ENROLMENT,
    GRANTS,
    HUB_CHANNEL,
    NOW,
    ROOT,
    SIGNER,
    STRANGER,
    channel_key,
)

from ward_hub.drafts import Issue
from ward_hub.errors import StateError
from ward_hub.publisher.errors import CeremonyError
from ward_hub.publisher.issue import check
from ward_hub.publisher.orders import order_of
from ward_hub.streams import unlocked
from ward_protocol.cbor import encode
from ward_protocol.channel import ChannelKey
from ward_protocol.envelope import sign
from ward_protocol.errors import StatementError
from ward_protocol.schema import from_map, to_map
from ward_protocol.statements import Action, Kind, Order, Status, StreamCodec

ISSUE = Issue("ward", 7, NOW, (AREA,))
OTHER = channel_key(9)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """An office's folder: a key, and the requests of two hubs."""
    key = tmp_path / "stream.key"
    key.write_bytes(base64.b64encode(MASTER) + b"\n")
    key.chmod(0o600)
    (tmp_path / "hub-1.cose").write_bytes(sign(ENROLMENT, [SIGNER]))
    two = replace(ENROLMENT, hub="hub-2", public=STRANGER.public.raw, channel=OTHER.public)
    (tmp_path / "hub-2.cose").write_bytes(sign(two, [STRANGER]))
    return tmp_path


def drafted(
    folder: Path, *, status: str = 'status = "Actual"', head: str = "", requests: str = '"hub-1.cose"', more: str = ""
) -> Order:
    table = f'[stream]\nport = 5004\nkey = "stream.key"\nrequests = [{requests}]\nmax_s = 600\n{more}'
    return order_of(f'order = "stream_start"\n{status}\n{head}\n{table}'.encode(), ISSUE, folder)


def key_of(order: Order, hub: str, own: ChannelKey) -> bytes:
    return unlocked(bytes(32), order, hub, lambda: own).master


def test_each_hub_unlocks_the_key_with_its_own(desk: Path) -> None:
    order = drafted(desk, requests='"hub-1.cose", "hub-2.cose"')
    assert key_of(order, "hub-1", HUB_CHANNEL) == key_of(order, "hub-2", OTHER) == MASTER
    with pytest.raises(StatementError):
        key_of(order, "hub-1", OTHER)
    assert order.audience.hubs == ("hub-1", "hub-2")
    assert MASTER not in encode(to_map(order))


def test_what_is_not_said_has_sensible_values(desk: Path) -> None:
    order = drafted(desk)
    stream = order.stream
    assert stream is not None
    assert (order.action, order.status, order.expires) == (Action.STREAM_START, Status.ACTUAL, NOW + 300)
    assert (stream.codec, stream.payload_type, stream.clock_rate, stream.channels) == (StreamCodec.OPUS, 96, 48_000, 1)
    assert (stream.max_s, stream.silence_s, stream.address, stream.ssrc) == (600, 10, "", None)
    assert from_map(Order, to_map(order)) == order
    check(order, ROOT, replace(GRANTS, authorities=(replace(AUTHORITY, kinds=tuple(Kind)),)), NOW)


def test_all_can_be_said(desk: Path) -> None:
    more = 'codec = "PCMA"\npayload_type = 8\naddress = "239.192.7.7"\nssrc = 7\nsilence_s = 3'
    order = drafted(desk, status='status = "Test"', head='hubs = ["hub-1"]\nzones = ["zone-1"]', more=more)
    stream = order.stream
    assert stream is not None
    assert (order.status, order.audience.zones, stream.clock_rate) == (Status.TEST, ("zone-1",), 8000)
    assert (stream.address, stream.ssrc, stream.silence_s) == ("239.192.7.7", 7, 3)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"status": ""}, "needs status"),
        ({"more": "silence_s = 99\ncolour = 1"}, "unknown field `colour`"),
        ({"more": "payload_type = 8"}, "payload type 8 means something else"),
        ({"requests": '"hub-1.cose", "hub-1.cose"'}, "hub hub-1 is there twice"),
        ({"requests": '"absent.cose"'}, r"absent\.cose cannot be read"),
        ({"requests": '"stream.key"'}, r"stream\.requests: .*stream\.key: "),
        ({"requests": '"forged.cose"'}, "not signed with the key that it names"),
        ({"requests": '"grants.cose"'}, "an enrolment is needed, not a grants"),
    ],
)
def test_what_is_wrong_is_named(desk: Path, given: dict[str, str], words: str) -> None:
    (desk / "forged.cose").write_bytes(sign(ENROLMENT, [STRANGER]))
    (desk / "grants.cose").write_bytes(sign(GRANTS, [SIGNER]))
    with pytest.raises(CeremonyError, match=words):
        drafted(desk, **given)


def test_a_value_out_of_its_limits_cannot_be_signed(desk: Path) -> None:
    with pytest.raises(CeremonyError, match=r"order: Stream\.silence_s: an integer from 1 to 30 is needed"):
        drafted(desk, more="silence_s = 99")


def test_a_key_that_others_could_read_is_refused(desk: Path) -> None:
    (desk / "stream.key").chmod(0o640)
    with pytest.raises(StateError, match="others could read this key"):
        drafted(desk)
