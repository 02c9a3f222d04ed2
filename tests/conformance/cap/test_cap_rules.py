"""Alerts written for one rule of CAP 1.2 each, imported as an office does it: the bulletin they become, or the refusal.

Ref: OASIS CAP-v1.2-os, §3.2 (elements), §3.3 (times, security), §3.4 (schema); CAP-V1.1 §3.2 where it differs.
"""

from __future__ import annotations

import base64
import hashlib
import tracemalloc
from collections.abc import Iterator

import pytest
from tests.cap_schema import faults
from tests.statements import AREA, NOW, SIGNER

from ward_hub.drafts import DraftError, Issue, from_cap
from ward_protocol.cap import CapError, Circle, parse
from ward_protocol.cap.reader import MAX_SIZE
from ward_protocol.envelope import Envelope, sign
from ward_protocol.errors import MisuseError
from ward_protocol.statements import Bulletin, MsgType, Priority, Status, Text

ISSUE = Issue("province", 1, NOW, (AREA,))
INFO = """<info><language>vi-VN</language><category>Met</category><event>Bão</event><urgency>Immediate</urgency>
<severity>Extreme</severity><certainty>Likely</certainty><expires>2027-01-15T23:00:00+07:00</expires>
<headline>Bão số 5</headline><description>Gió mạnh.</description><instruction>Ở trong nhà.</instruction></info>"""
ALERT = f"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>VN-1</identifier><sender>office@example.vn</sender>
<sent>2027-01-15T15:00:00+07:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>
{INFO}</alert>"""
REFERENCE = "<references>office@example.vn,VN-0,2027-01-15T14:00:00+07:00</references>"


def changed(*changes: tuple[str, str]) -> bytes:
    content = ALERT
    for old, new in changes:
        assert old in content, "the case must change something"
        content = content.replace(old, new, 1)
    return content.encode()


def inside_info(more: str) -> tuple[str, str]:
    return "</info>", f"{more}</info>"


def resource(content: str) -> tuple[str, str]:
    return inside_info(f"<resource><resourceDesc>Bản đồ</resourceDesc>{content}</resource>")


def area(content: str) -> tuple[str, str]:
    return inside_info(f"<area><areaDesc>Hà Đông</areaDesc>{content}</area>")


# Its form is that of the standard; what it signs is looked at by nobody here. Ref: XML-Signature, §4.
SIGNATURE = """<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo>
<CanonicalizationMethod Algorithm="urn:c"/><SignatureMethod Algorithm="urn:s"/><Reference URI="">
<DigestMethod Algorithm="urn:d"/><DigestValue>AAAA</DigestValue></Reference></SignedInfo>
<SignatureValue>AAAA</SignatureValue></Signature>"""
PICTURE = b"no picture at all"
EMBEDDED = base64.b64encode(PICTURE).decode()
SHA1 = hashlib.sha1(PICTURE).hexdigest()

# What is imported.
GOOD: dict[str, bytes] = {
    "as it is": ALERT.encode(),
    "Exercise": changed(("Actual", "Exercise")),
    "Test": changed(("Actual", "Test")),
    "Update": changed(("<msgType>Alert", "<msgType>Update"), ("<info>", f"{REFERENCE}<info>")),
    "no expiry": changed(("<expires>2027-01-15T23:00:00+07:00</expires>", "")),
    "a polygon": changed(area("<polygon>20.9,105.7 20.9,105.8 21.0,105.8 20.9,105.7</polygon>")),
    "a circle": changed(area("<circle>20.97,105.77 2.5</circle>")),
    "geocodes": changed(
        area("<geocode><valueName>GSO</valueName><value>10117</value></geocode><altitude>12</altitude>")
    ),
    "an area of words": changed(area("")),
    "a resource by URI": changed(
        resource(f"<mimeType>image/png</mimeType><size>17</size><uri>https://x.example/a.png</uri><digest>{SHA1}</digest>")
    ),
    "a resource inside": changed(
        resource(f"<mimeType>image/png</mimeType><derefUri>{EMBEDDED}</derefUri><digest>{SHA1.upper()}</digest>")
    ),
    "hints for a validator": changed(
        ("<alert ", '<alert xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="urn:x file:///x" ')
    ),
    "a prefix for the namespace": ALERT.replace("</", "</c:").replace("<", "<c:").replace("<c:/c:", "</c:")
    .replace("<c:?", "<?").replace("xmlns=", "xmlns:c=").encode(),
    "UTF-16": ALERT.replace("UTF-8", "UTF-16").encode("utf-16"),
    "a signature": changed(
        ("</alert>", f"{SIGNATURE}</alert>")
    ),
    "comments and instructions": changed(("<info>", "<!-- a --><?b c?><info>"), ("Actual", "Act<!-- -->ual")),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_what_keeps_the_rules_is_imported(name: str) -> None:
    bulletin = from_cap(GOOD[name], ISSUE)
    assert bulletin.texts == (Text("vi", "Bão số 5", "Gió mạnh.\nỞ trong nhà."),)
    assert bulletin.priority is Priority.EMERGENCY
    assert bulletin.audience.areas == (AREA,)
    assert faults(GOOD[name]) == []


@pytest.mark.parametrize("status", Status)
def test_a_drill_stays_one(status: Status) -> None:
    assert from_cap(changed(("Actual", status)), ISSUE).status is status


def test_an_update_is_one() -> None:
    words = from_cap(GOOD["Update"], ISSUE).cap
    assert words is not None
    assert (words.msg_type, words.references) == (MsgType.UPDATE, "office@example.vn,VN-0,2027-01-15T14:00:00+07:00")


def test_areas_are_read_as_they_are() -> None:
    assert parse(GOOD["a circle"]).info[0].area[0].circle == (Circle(20.97, 105.77, 2.5),)
    assert len(parse(GOOD["a polygon"]).info[0].area[0].polygon[0]) == 4
    (code,) = parse(GOOD["geocodes"]).info[0].area[0].geocode
    assert (code.value_name, code.value) == ("GSO", "10117")


def test_a_resource_is_read_as_it_is() -> None:
    (one,) = parse(GOOD["a resource by URI"]).info[0].resource
    assert (one.mime_type, one.size, one.uri, one.digest) == ("image/png", 17, "https://x.example/a.png", SHA1)


# What is refused: in the reader, or because it is not for loudspeakers; the words that must be said.
TIMES = ["15:00:00Z", "15:00:00", "15:00:00+14:30", "25:00:00+07:00"]
BOMB = "".join(f'<!ENTITY b{n} "{f"&b{n - 1};" * 10}">' for n in range(1, 10))
REFUSED: dict[str, tuple[bytes, str]] = {
    "System": (changed(("Actual", "System")), "CAP status System: only Actual, Exercise and Test"),
    "Draft": (changed(("Actual", "Draft")), "CAP status Draft: only Actual, Exercise and Test"),
    "Cancel": (
        changed(("<msgType>Alert", "<msgType>Cancel"), ("<info>", f"{REFERENCE}<info>")),
        "alert/msgType: is Cancel; only alerts and updates",
    ),
    "Ack": (
        changed(("<msgType>Alert", "<msgType>Ack"), ("<info>", f"{REFERENCE}<info>")),
        "alert/msgType: is Ack; only alerts and updates",
    ),
    "Error": (
        changed(("<msgType>Alert", "<msgType>Error"), ("<info>", f"{REFERENCE}<info>")),
        "alert/msgType: is Error; only alerts and updates",
    ),
    "Update of nothing": (changed(("<msgType>Alert", "<msgType>Update")), "alert/references: is missing"),
    "Private": (
        changed(("<scope>Public</scope>", "<scope>Private</scope><addresses>a@b</addresses>")),
        "alert/scope: is Private; only what is Public is aired",
    ),
    "Restricted": (
        changed(("<scope>Public</scope>", "<scope>Restricted</scope><restriction>x</restriction>")),
        "alert/scope: is Restricted; only what is Public is aired",
    ),
    "Private to nobody": (changed(("Public", "Private")), "alert/addresses: is missing"),
    "no info": (changed((INFO, "")), "alert/info: is missing, so there is nothing to air"),
    "expired": (changed(("2027-01-15T23", "2027-01-15T14")), "the alert has expired already"),
    **{
        f"without {name}": (changed((f"<{name}>{text}</{name}>", "")), f"/{name}: is missing")
        for name, text in {
            "identifier": "VN-1",
            "sender": "office@example.vn",
            "sent": "2027-01-15T15:00:00+07:00",
            "status": "Actual",
            "msgType": "Alert",
            "scope": "Public",
            "category": "Met",
            "event": "Bão",
            "urgency": "Immediate",
            "severity": "Extreme",
            "certainty": "Likely",
        }.items()
    },
    **{
        f"{name} {text} that nobody knows": (
            changed((f"<{name}>{old}", f"<{name}>{text}")),
            f"/{name}: '{text}' is none of",
        )
        for name, old, text in [
            ("status", "Actual", "actual"),
            ("msgType", "Alert", "Order"),
            ("scope", "Public", "All"),
            ("category", "Met", "Weather"),
            ("urgency", "Immediate", "Soon"),
            ("severity", "Extreme", " Extreme"),
            ("certainty", "Likely", "Very Likely"),
        ]
    },
    **{f"sent {time}": (changed(("15:00:00+07:00", time)), "alert/sent: ") for time in TIMES},
    "CAP 1.0": (changed(("cap:1.2", "cap:1.0")), "not an alert of CAP 1.1 or 1.2"),
    "no namespace": (changed((' xmlns="urn:oasis:names:tc:emergency:cap:1.2"', "")), "not an alert of CAP 1.1 or 1.2"),
    "another namespace": (changed(("urn:oasis:names:tc:emergency:cap:1.2", "urn:x")), "not an alert of CAP 1.1 or 1.2"),
    "another element": (ALERT.replace("alert", "alarm").encode(), "not an alert of CAP 1.1 or 1.2"),
    "an attribute": (changed(("<event>", '<event lang="vi">')), "alert/info/event: has the attribute lang"),
    "an attribute of a group": (changed(("<info>", '<info id="1">')), "alert/info: has the attribute id"),
    "xsi:type": (
        changed(("<event>", '<event xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="x">')),
        "alert/info/event: has the attribute",
    ),
    "a huge attribute": (changed(("<info>", f'<info a="{"x" * 200_000}">')), "alert/info: has the attribute a"),
    "a huge attribute name": (changed(("<info>", f'<info {"a" * 200_000}="">')), "alert/info: has the attribute aaa"),
    "huge": (changed(("Gió mạnh.", "x" * MAX_SIZE)), f"bytes, over {MAX_SIZE}"),
    "deep": (changed(("<info>", "<x>" * 30_000 + "</x>" * 30_000 + "<info>")), "alert/x: no such element here"),
    "wide": (changed(("<info>", "<note/>" * 30_000 + "<info>")), "alert/note: stands there twice"),
    "billion laughs": (
        changed(("<alert", f'<!DOCTYPE alert [<!ENTITY b0 "ha">{BOMB}]><alert'), ("Gió mạnh.", "&b9;")),
        "a DTD or an entity is not accepted",
    ),
    "quadratic blowup": (
        changed(("<alert", f'<!DOCTYPE alert [<!ENTITY b "{"x" * 50_000}">]><alert'), ("Gió mạnh.", "&b;" * 10_000)),
        "a DTD or an entity is not accepted",
    ),
    "an external entity": (
        changed(("<alert", '<!DOCTYPE alert [<!ENTITY b SYSTEM "file:///etc/passwd">]><alert'), ("Gió mạnh.", "&b;")),
        "a DTD or an entity is not accepted",
    ),
    "a parameter entity": (
        changed(("<alert", '<!DOCTYPE alert [<!ENTITY % b SYSTEM "http://x.example/"> %b;]><alert')),
        "a DTD or an entity is not accepted",
    ),
    "a DTD elsewhere": (
        changed(("<alert", '<!DOCTYPE alert SYSTEM "http://x.example/cap.dtd"><alert')),
        "a DTD or an entity is not accepted",
    ),
    "an entity that nobody declared": (changed(("Gió mạnh.", "&b;")), "not well-formed XML"),
    "XInclude": (
        changed(("<info>", '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/><info>')),
        "no such element here",
    ),
    "an open polygon": (changed(area("<polygon>1,1 1,2 2,2 2,1</polygon>")), "area/polygon: "),
    "a polygon of two points": (changed(area("<polygon>1,1 1,1</polygon>")), "area/polygon: "),
    "a polygon off the Earth": (changed(area("<polygon>1,181 1,2 2,2 1,181</polygon>")), "area/polygon: "),
    "a circle without a radius": (changed(area("<circle>1,1</circle>")), "area/circle: "),
    "half a geocode": (changed(area("<geocode><valueName>a</valueName></geocode>")), "area/geocode/value: is missing"),
    "an empty altitude": (changed(area("<altitude/>")), "area/altitude: "),
    "areas out of order": (changed(area("<circle>1,1 1</circle><polygon/>")), "area/polygon: stands after circle"),
    "an address that is none": (changed(inside_info("<web>http://[x</web>")), "info/web: 'http://[x' is not a URI"),
    "a huge address": (changed(inside_info(f"<web>{'a:/' * 50_000}[</web>")), "alert/info/web: 'a:/a:/"),
    "a resource without its type": (changed(resource("<size>1</size>")), "resource/mimeType: is missing"),
    "a negative size": (changed(resource("<mimeType>a/b</mimeType><size>-1</size>")), "resource/size: "),
    "a size of words": (changed(resource("<mimeType>a/b</mimeType><size>1 kB</size>")), "resource/size: "),
    "a digest that is none": (
        changed(resource("<mimeType>a/b</mimeType><digest>abc</digest>")),
        "resource/digest: 'abc' is not the 40 hexadecimal digits",
    ),
    "a digest of something else": (
        changed(resource(f"<mimeType>a/b</mimeType><derefUri>{EMBEDDED}</derefUri><digest>{'0' * 40}</digest>")),
        "resource/digest: is not that of what derefUri holds",
    ),
    "an embedded file that is none": (
        changed(resource("<mimeType>a/b</mimeType><derefUri>~~~</derefUri>")),
        "resource/derefUri: '~~~' is not base64",
    ),
    "a signature before the end": (
        changed(("<info>", '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/><info>')),
        "alert/info: stands after the signature",
    ),
    "a blank that is no blank of XML": (changed(("<info>", "<info>\u00a0")), "alert/info: has text outside"),
    "references to nothing": (changed(("<info>", "<references>VN-0</references><info>")), "alert/references: "),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_breaks_a_rule_is_refused_in_few_words(name: str) -> None:
    data, words = REFUSED[name]
    with pytest.raises((CapError, DraftError)) as refused:
        from_cap(data, ISSUE)
    assert words in str(refused.value)
    assert len(str(refused.value)) < 300


@pytest.fixture
def memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("name", ["billion laughs", "quadratic blowup"])
def test_a_bomb_does_not_go_off(name: str) -> None:
    """It would take 2 GB, and 500 MB."""
    with pytest.raises(CapError):
        from_cap(REFUSED[name][0], ISSUE)
    _, peak = tracemalloc.get_traced_memory()
    assert peak < 10 * 2**20


# CAP 1.1


def old(*changes: tuple[str, str]) -> bytes:
    return changed(("cap:1.2", "cap:1.1"), *changes)


def test_an_older_alert_is_imported_by_its_own_rules() -> None:
    assert from_cap(old(), ISSUE).texts == from_cap(ALERT.encode(), ISSUE).texts
    assert from_cap(old(resource("<size>1</size>")), ISSUE).priority is Priority.EMERGENCY


@pytest.mark.parametrize("word", ["Avoid", "AllClear"])
def test_words_of_1_2_are_none_of_1_1(word: str) -> None:
    said = ("<urgency>", f"<responseType>{word}</responseType><urgency>")
    assert parse(changed(said)).info[0].response_type == (word,)
    with pytest.raises(CapError, match=r"alert/info/responseType: is a word of CAP 1\.2"):
        from_cap(old(said), ISSUE)


# Several infos


def info(language: str, headline: str, *, severity: str = "Extreme", expires: str = "2027-01-15T23") -> str:
    one = INFO.replace("vi-VN", language).replace("Bão số 5", headline).replace("Extreme", severity)
    return one.replace("2027-01-15T23", expires)


def imported(*infos: str) -> Bulletin:
    return from_cap(changed((INFO, "".join(infos))), ISSUE)


def test_each_language_is_one_text_and_the_most_pressing_of_one_language_is_taken() -> None:
    bulletin = imported(
        info("en-US", "Storm", severity="Minor"), info("vi", "Bão"), info("en-US", "Hurricane"), info("km", "x")
    )
    assert [(one.language, one.title) for one in bulletin.texts] == [("en", "Hurricane"), ("vi", "Bão"), ("km", "x")]


def test_regions_of_one_language_are_one_text() -> None:
    texts = imported(info("en-GB", "a"), info("en-US", "b"), info("VI", "c")).texts
    assert [(one.language, one.title) for one in texts] == [("en", "a"), ("vi", "c")]


def test_what_has_expired_of_it_is_left_out() -> None:
    bulletin = imported(
        info("en", "Over", expires="2027-01-15T14"), info("vi", "Còn hiệu lực", severity="Minor"),
    )  # fmt: skip
    assert [one.title for one in bulletin.texts] == ["Còn hiệu lực"]
    assert bulletin.priority is Priority.NORMAL, "the pressing one is over"
    assert bulletin.cap is not None
    assert bulletin.cap.severity.value == "Minor"


def test_it_lasts_as_long_as_its_longest_info() -> None:
    longest = imported(info("en", "a", expires="2027-01-15T22"), info("vi", "b"))
    assert longest.expires == imported(info("vi", "b")).expires


# What a bulletin has no room for


def test_of_many_references_the_newest_are_kept_in_their_order() -> None:
    names = [f"office@example.vn,VN-{n},2027-01-{1 + n % 14:02}T{n % 24:02}:00:00+07:00" for n in range(60)]
    update = changed(
        ("<msgType>Alert", "<msgType>Update"), ("<info>", f"<references>{' '.join(names)}</references><info>")
    )
    words = from_cap(update, ISSUE).cap
    assert words is not None
    kept = words.references.split()
    assert 15 < len(kept) < 60
    assert kept == [one for one in names if one in kept]
    days = sorted((one.rpartition(",")[2] for one in names), reverse=True)
    assert sorted((one.rpartition(",")[2] for one in kept), reverse=True) == days[: len(kept)]
    assert len(words.references) <= 1000


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("Bão số 5", "x" * 201), "Text.title"),
        (("Gió mạnh.", "x" * 4001), "Text.body"),
        (("<event>Bão", f"<event>{'x' * 201}"), "Cap.event"),
        (("VN-1", "x" * 201), "Cap.identifier"),
        ((INFO, "".join(info(f"x{chr(97 + n)}", "a") for n in range(9))), "Bulletin.texts"),
    ],
)
def test_what_has_no_room_is_refused_by_name_when_it_is_signed(change: tuple[str, str], words: str) -> None:
    with pytest.raises(MisuseError, match=words):
        sign(from_cap(changed(change), ISSUE), [SIGNER])


def test_what_is_imported_can_be_signed_and_read() -> None:
    for data in GOOD.values():
        bulletin = from_cap(data, ISSUE)
        assert Envelope.open(sign(bulletin, [SIGNER])).statement == bulletin
