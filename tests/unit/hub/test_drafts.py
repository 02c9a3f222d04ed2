"""From drafts and CAP alerts to bulletins: what an editor writes, what is assumed, and what is refused by name."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from tests.statements import AREA, NOW

from ward_hub.drafts import LIFE_S, DraftError, Issue, from_cap, from_toml
from ward_hw.audio import Clip
from ward_protocol.cap import CapError
from ward_protocol.statements import Audience, Bulletin, Priority, Status, Text

ISSUE = Issue("ward", 7, NOW, (AREA,))
DRAFT = """
priority = "priority"
status = "Test"
not_before = 2027-01-15T18:00:00+07:00
expires = 2027-01-15T20:00:00+07:00
zones = ["zone-1"]
boards = ["board-1"]
hubs = ["hub-1"]
repeats = 3
approver = "Trưởng trạm"

[[text]]
title = "Thử loa"
body = "Đây là bản tin thử."

[[text]]
language = "en"
title = "Test"
body = "This is a test."
"""
SIX_PM = 1_800_010_800
CAP = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>VN-1</identifier><sender>office@example.vn</sender><sent>2027-01-15T15:00:00+07:00</sent>
  <status>Actual</status><msgType>Alert</msgType><scope>Public</scope>
  <info><language>vi-VN</language><category>Met</category><event>Lũ quét</event><urgency>Immediate</urgency>
    <severity>Extreme</severity><certainty>Observed</certainty><expires>2027-01-15T23:00:00+07:00</expires>
    <headline>Cảnh báo lũ quét</headline><description>Di chuyển lên cao.</description></info>
</alert>
"""


def toml(content: str, issue: Issue = ISSUE) -> Bulletin:
    return from_toml(content.encode(), issue)


def test_all_that_can_be_written_is_taken() -> None:
    assert toml(DRAFT) == Bulletin(
        issuer="ward",
        sequence=7,
        issued=NOW,
        not_before=SIX_PM,
        expires=SIX_PM + 7200,
        audience=Audience((AREA,), ("hub-1",), ("zone-1",), ("board-1",)),
        priority=Priority.PRIORITY,
        status=Status.TEST,
        texts=(Text("vi", "Thử loa", "Đây là bản tin thử."), Text("en", "Test", "This is a test.")),
        repeats=3,
        approver="Trưởng trạm",
    )


def test_what_is_left_out_is_normal_actual_now_and_for_a_day() -> None:
    bulletin = toml("")
    assert (bulletin.priority, bulletin.status, bulletin.repeats) == (Priority.NORMAL, Status.ACTUAL, 1)
    assert (bulletin.not_before, bulletin.expires) == (NOW, NOW + LIFE_S)


def test_recordings_are_named_by_digest_and_size(tmp_path: Path) -> None:
    path = tmp_path / "a.ogg"
    path.write_bytes(b"sound")
    (audio,) = toml("", replace(ISSUE, recordings=((path, Clip(1234, "opus", 48_000, 1)),))).audio
    assert (audio.sha256, audio.size) == (hashlib.sha256(b"sound").digest(), 5)
    assert (audio.media_type, audio.duration_ms) == ("audio/opus", 1234)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("colour = 1", "unknown field `colour`"),
        ('[[text]]\ntitle = "x"', "missing required field `body`"),
        ('priority = "urgent"', "$.priority"),
        ('status = "Real"', "$.status"),
        ("repeats = 11", "$.repeats"),
        ("not_before = 2027-01-15T18:00:00", "not_before needs an offset, such as +07:00"),
        ("expires = 2027-01-15T18:00:00", "expires needs an offset"),
        ("expires = 2027-01-15", "$.expires"),
        ("expires = 2020-01-15T18:00:00Z", "expires lies in the past"),
        ("not_before = 2027-02-01T00:00:00Z\nexpires = 2027-01-31T00:00:00Z", "or before not_before"),
        ("not_before = 2020-02-01T00:00:00Z\nexpires = 2021-01-31T00:00:00Z", "expires lies in the past"),
        ("= 1", "Invalid"),
    ],
)
def test_what_cannot_be_is_refused_by_name(content: str, words: str) -> None:
    with pytest.raises(DraftError) as error:
        toml(content)
    assert words in str(error.value)
    assert str(error.value).startswith("draft: ")


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(DraftError, match="draft: "):
        from_toml(b"\xff\xfe", ISSUE)


def test_a_cap_alert_becomes_a_bulletin() -> None:
    bulletin = from_cap(CAP.encode(), ISSUE)
    assert bulletin.texts[0].title == "Cảnh báo lũ quét"
    assert bulletin.texts[0].language == "vi"
    assert (bulletin.priority, bulletin.status) == (Priority.EMERGENCY, Status.ACTUAL)
    assert bulletin.expires == SIX_PM + 5 * 3600
    assert bulletin.cap is not None
    assert bulletin.cap.identifier == "VN-1"


@pytest.mark.parametrize("status", ["System", "Draft"])
def test_a_cap_alert_that_is_not_for_the_public_is_refused(status: str) -> None:
    with pytest.raises(DraftError, match=f"CAP status {status}"):
        from_cap(CAP.replace("Actual", status).encode(), ISSUE)


def test_a_cap_alert_that_has_expired_is_refused() -> None:
    with pytest.raises(DraftError, match="CAP expires: the alert has expired already"):
        from_cap(CAP.replace("2027-01-15T23", "2020-01-15T23").encode(), ISSUE)


def test_what_is_no_cap_is_refused() -> None:
    with pytest.raises(CapError):
        from_cap(b"<alert/>", ISSUE)
