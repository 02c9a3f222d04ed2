"""Drafts of orders that start a stream: its key from a file, locked to each hub whose request is given."""

from __future__ import annotations

import base64
import os
import re
import time
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
    ORDER,
    ROOT,
    SIGNER,
    STRANGER,
    channel_key,
)
from tests.unit.project.tables import text

from ward_hub.cli.main import main
from ward_hub.drafts import Issue
from ward_hub.errors import StateError
from ward_hub.publisher.errors import CeremonyError
from ward_hub.publisher.issue import check
from ward_hub.publisher.orders import order_of
from ward_hub.publisher.streams import stream_key
from ward_hub.streams import unlocked
from ward_protocol.cbor import encode
from ward_protocol.channel import ChannelKey
from ward_protocol.envelope import Envelope, sign
from ward_protocol.errors import StatementError
from ward_protocol.schema import from_map, to_map
from ward_protocol.statements import Action, Cancel, Kind, Order, Status, StreamCodec

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


def chapter() -> str:
    """What operations.md says of live streams."""
    return text("docs/operations.md").partition("\n## A live stream\n")[2].partition("\n## ")[0]


def test_the_documented_steps_make_an_order_that_says_what_it_is(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(desk)
    (desk / "stream.key").unlink()
    (desk / "hub-1.request.cose").write_bytes(sign(ENROLMENT, [SIGNER]))
    (new_key,) = re.findall(r"^wardhub (speak --new-key .*)$", chapter(), re.MULTILINE)
    assert main(new_key.split()) == 0
    (draft,) = re.findall(r"^```toml\n(.*?)^```$", chapter(), re.MULTILINE | re.DOTALL)
    (desk / "live.toml").write_text(draft, encoding="utf-8")
    assert main(["keygen", "ward.pem", "--public", "ward.pub"]) == 0
    capsys.readouterr()
    rest = f"--issuer ward --sequence 7 --area {AREA} --key ward.pem --out live.cose"
    assert main(["sign", "live.toml", *rest.split()]) == 0
    assert "Actual, priority: a live stream of at most 600 s" in capsys.readouterr().out
    order = Envelope.open((desk / "live.cose").read_bytes()).statement
    assert isinstance(order, Order)
    assert key_of(order, "hub-1", HUB_CHANNEL) == stream_key(desk / "stream.key")


@pytest.mark.parametrize(("status", "said"), [("Test", True), ("Exercise", True), ("Actual", False)])
def test_inspect_says_of_a_drill_that_it_is_one(
    desk: Path, capsys: pytest.CaptureFixture[str], status: str, said: bool
) -> None:
    order = drafted(desk, status=f'status = "{status}"')
    (desk / "live.cose").write_bytes(sign(order, [SIGNER]))
    main(["inspect", str(desk / "live.cose"), "--lang", "en"])
    out = capsys.readouterr().out
    assert ("it is shown and announced as one." in out) is said
    assert "hub-1: " in out
    assert MASTER.hex() not in out


def test_a_stream_is_taken_back_by_the_file_that_was_published(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(desk)
    now = int(time.time())
    order = replace(drafted(desk), issued=now, expires=now + 60)
    (desk / "live.cose").write_bytes(sign(order, [SIGNER]))
    (desk / "stop.cose").write_bytes(sign(ORDER, [SIGNER]))
    assert main(["keygen", "ward.pem", "--public", "ward.pub"]) == 0
    rest = ["--cancel", "--sequence", "8", "--key", "ward.pem", "--out", "cancel.cose"]
    assert main(["sign", "live.cose", *rest]) == 0
    cancel = Envelope.open((desk / "cancel.cose").read_bytes()).statement
    assert isinstance(cancel, Cancel)
    assert (cancel.target, cancel.audience) == (Envelope.open((desk / "live.cose").read_bytes()).digest, order.audience)
    assert now + 600 <= cancel.expires <= now + 610  # as long as it may be on air
    capsys.readouterr()
    assert main(["sign", "live.cose", "--announce", *rest]) == os.EX_USAGE
    assert "cannot be corrected by --announce" in capsys.readouterr().err
    assert main(["sign", "stop.cose", *rest]) != 0
    assert "a bulletin is needed, not a order" in capsys.readouterr().err
