"""CAP files as offices issued them give the values they hold; an entity attack is refused; ours fit the schema."""

from __future__ import annotations

import builtins
import socket
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import NoReturn

import pytest
from tests.cap_schema import VECTORS, faults
from tests.statements import AREA

from ward_hub.drafts import DraftError, Issue, from_cap
from ward_protocol.cap import AlertStatus, CapError, MessageType, Named, Reference, ResponseType, cap_texts, parse
from ward_protocol.statements import Certainty, MsgType, Priority, Severity, Status, Urgency
from ward_sim import bulletins

OURS = bulletins.FOLDER / "emergency.cap.xml"

# When each is imported, and as what: priority and languages of the bulletin, or the words of its refusal.
EXPECTED: dict[str, tuple[datetime, tuple[Priority, list[str]] | str]] = {
    "canada.cap": (datetime(2012, 5, 2, 23, 30, tzinfo=UTC), (Priority.NORMAL, ["en", "fr"])),
    "earthquake.cap": (datetime(2010, 8, 31, 6, 0, tzinfo=UTC), (Priority.NORMAL, ["en"])),
    "xee.cap": (datetime(2003, 6, 17, 22, 0, tzinfo=UTC), "CAP alert: a DTD or an entity is not accepted"),
}


def vector(name: str) -> bytes:
    return (VECTORS / name).read_bytes()


def issue(moment: datetime) -> Issue:
    return Issue("province", 1, int(moment.timestamp()), (AREA,))


def test_every_vector_has_its_expectation() -> None:
    assert {path.name for path in VECTORS.glob("*.cap")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_each_becomes_a_bulletin_or_is_refused(name: str) -> None:
    moment, expected = EXPECTED[name]
    if isinstance(expected, str):
        with pytest.raises(CapError, match=expected):
            from_cap(vector(name), issue(moment))
        return
    bulletin = from_cap(vector(name), issue(moment))
    assert (bulletin.priority, [text.language for text in bulletin.texts]) == expected
    assert bulletin.status is Status.ACTUAL
    assert bulletin.expires > bulletin.issued == int(moment.timestamp())
    assert bulletin.audience.areas == (AREA,), "whom it is for is decided by who signs, not by the file"


@pytest.mark.parametrize("name", ["canada.cap", "earthquake.cap"])
def test_years_later_they_are_refused(name: str) -> None:
    with pytest.raises(DraftError, match="expired already"):
        from_cap(vector(name), issue(datetime(2026, 8, 1, tzinfo=UTC)))


def test_a_canadian_update_in_two_languages() -> None:
    alert = parse(vector("canada.cap"))
    assert (alert.version, alert.status, alert.msg_type) == ("1.2", AlertStatus.ACTUAL, MessageType.UPDATE)
    assert alert.references[1] == Reference(
        "cap@ec.gc.ca", "2.49.0.1.124.60f31a3a.2012", datetime(2012, 5, 2, 21, 55, 21, tzinfo=UTC)
    )
    english, french = alert.info
    assert (english.language, french.language) == ("en-CA", "fr-CA")
    assert english.response_type == (ResponseType.ALL_CLEAR,)
    assert (english.urgency, english.severity, english.certainty) == (
        Urgency.PAST,
        Severity.MINOR,
        Certainty.OBSERVED,
    )
    assert Named("SAME", "SVA") in english.event_code
    assert alert.restriction is None
    assert english.contact is None
    assert cap_texts(alert)["fr-CA"].title == "veille d'orages violents"


def test_an_update_names_what_it_follows() -> None:
    words = from_cap(vector("canada.cap"), issue(EXPECTED["canada.cap"][0])).cap
    assert words is not None
    assert words.msg_type is MsgType.UPDATE
    first, second = words.references.split()
    assert first.startswith("cap@ec.gc.ca,2.49.0.1.124.a3f342a4.2012,2012-05-02T21:45:05")
    assert second.startswith("cap@ec.gc.ca,2.49.0.1.124.60f31a3a.2012,2012-05-02T21:55:21")


def test_an_american_earthquake_in_cap_1_1() -> None:
    alert = parse(vector("earthquake.cap"))
    assert alert.version == "1.1"
    assert alert.sent == datetime(2010, 8, 31, 0, 9, 25, tzinfo=timezone(timedelta(hours=-5)))
    (info,) = alert.info
    assert info.language == "en-US", "not in the file: the default of CAP"
    assert Named("Magnitude", "6.3") in info.parameter
    assert info.area[0].circle[0].radius == 0.0


def test_an_entity_attack_is_refused_before_anything_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    data = vector("xee.cap")

    def touched(*what: object, **how: object) -> NoReturn:
        raise AssertionError(f"the attack reached for {what}")

    for where, name in ((socket, "socket"), (socket, "getaddrinfo"), (builtins, "open")):
        monkeypatch.setattr(where, name, touched)
    with pytest.raises(CapError, match="DTD or an entity"):
        parse(data)


@pytest.mark.parametrize("file", [OURS, VECTORS / "canada.cap"], ids=lambda file: file.name)
def test_the_schema_accepts_what_we_accept(file: Path) -> None:
    data = file.read_bytes()
    assert faults(data) == []
    assert parse(data).version == "1.2"
