"""CAP files as offices issued them give the values they hold; an entity attack is refused; ours fit the schema."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import xmlschema

from ward_protocol.cap import AlertStatus, CapError, MessageType, Named, Reference, ResponseType, cap_texts, parse
from ward_protocol.statements import Certainty, Severity, Urgency
from ward_sim import bulletins

VECTORS = Path(__file__).parents[1] / "vectors" / "cap"
OURS = bulletins.FOLDER / "emergency.cap.xml"


def vector(name: str) -> bytes:
    return (VECTORS / name).read_bytes()


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


def test_an_american_earthquake_in_cap_1_1() -> None:
    alert = parse(vector("earthquake.cap"))
    assert alert.version == "1.1"
    assert alert.sent == datetime(2010, 8, 31, 0, 9, 25, tzinfo=timezone(timedelta(hours=-5)))
    (info,) = alert.info
    assert info.language == "en-US", "not in the file: the default of CAP"
    assert Named("Magnitude", "6.3") in info.parameter
    assert info.area[0].circle[0].radius == 0.0


def test_an_entity_attack_is_refused_before_anything_is_fetched() -> None:
    with pytest.raises(CapError, match="DTD or an entity"):
        parse(vector("xee.cap"))


@pytest.mark.parametrize("file", [OURS, VECTORS / "canada.cap"], ids=lambda file: file.name)
def test_the_schema_accepts_what_we_accept(file: Path) -> None:
    schema = xmlschema.XMLSchema(VECTORS / "cap12.xsd")
    schema.validate(str(file))
    assert parse(file.read_bytes()).version == "1.2"
