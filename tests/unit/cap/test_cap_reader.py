"""Every rule of the CAP reader: what is refused, with the element named; what is taken, with its value."""

from __future__ import annotations

import pytest

from ward_protocol.cap import CapError, Circle, cap_texts, parse, suggested_priority
from ward_protocol.statements import Priority

INFO = """<info><language>vi</language><category>Met</category><event>Bão</event><urgency>Immediate</urgency>
<severity>Extreme</severity><certainty>Likely</certainty><headline> Bão
   số 5 </headline><description>Gió  mạnh.</description><instruction>Ở trong nhà.</instruction></info>"""
ALERT = f"""<?xml version="1.0" encoding="UTF-8"?><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
<identifier>a1</identifier><sender>s@x.example</sender><sent>2026-08-01T14:05:00+07:00</sent>
<status>Actual</status><msgType>Alert</msgType><scope>Public</scope>{INFO}</alert>"""


def changed(old: str, new: str) -> bytes:
    assert old in ALERT, "the case must change something"
    return ALERT.replace(old, new).encode()


def test_texts_are_headline_then_description_and_instruction() -> None:
    text = cap_texts(parse(ALERT.encode()))["vi"]
    assert (text.title, text.body) == ("Bão số 5", "Gió mạnh.\nỞ trong nhà.")


def test_the_event_stands_in_for_a_missing_headline() -> None:
    bare = changed("<headline> Bão\n   số 5 </headline>", "")
    assert cap_texts(parse(bare))["vi"].title == "Bão"


def test_of_two_infos_in_one_language_the_more_pressing_is_aired() -> None:
    mild = INFO.replace("Extreme", "Minor").replace("số 5", "số 4")
    alert = parse(changed(INFO, mild + INFO))
    assert cap_texts(alert)["vi"].title == "Bão số 5"
    assert suggested_priority(alert) is Priority.EMERGENCY


@pytest.mark.parametrize(
    ("urgency", "severity", "priority"),
    [
        ("Immediate", "Severe", Priority.EMERGENCY),
        ("Expected", "Severe", Priority.PRIORITY),
        ("Future", "Moderate", Priority.NORMAL),
        ("Past", "Extreme", Priority.NORMAL),
        ("Unknown", "Unknown", Priority.NORMAL),
    ],
)
def test_a_priority_is_suggested_by_urgency_and_severity(urgency: str, severity: str, priority: Priority) -> None:
    data = ALERT.replace("<urgency>Immediate", f"<urgency>{urgency}").replace("Extreme", severity)
    assert suggested_priority(parse(data.encode())) is priority


def test_an_alert_without_info_has_no_texts_and_is_normal() -> None:
    alert = parse(changed(INFO, ""))
    assert cap_texts(alert) == {}
    assert suggested_priority(alert) is Priority.NORMAL


REFUSED = {
    "alert/sender is missing": ("<sender>s@x.example</sender>", ""),
    "alert/sender": ("s@x.example", "a b"),
    "alert/sent": ("14:05:00+07:00", "14:05:00Z"),
    "alert/sent is no time": ("2026-08-01", "2026-02-30"),
    "alert/status": ("Actual", "Live"),
    "alert/msgType": ("<msgType>Alert", "<msgType>Order"),
    "alert/scope stands there twice": ("<scope>Public</scope>", "<scope>Public</scope><scope>Public</scope>"),
    "alert/status stands after": (
        "<status>Actual</status><msgType>Alert</msgType>",
        "<msgType>Alert</msgType><status>Actual</status>",
    ),
    "alert/note1 no such element": ("<info>", "<note1/><info>"),
    "alert/info/event is missing": ("<event>Bão</event>", ""),
    "alert/info/event empty": ("<event>Bão</event>", "<event/>"),
    "alert/info/event elements inside": ("<event>Bão</event>", "<event>B<b>ão</b></event>"),
    "alert/info/category": ("<category>Met", "<category>Weather"),
    "alert/info/language": ("<language>vi", "<language>tiếng Việt"),
    "alert/info has text outside": ("<info>", "<info>x"),
    "alert/info has a tail outside": ("</category>", "</category>x"),
    "alert/restriction needed": ("<scope>Public", "<scope>Restricted"),
    "alert/addresses needed": ("<scope>Public", "<scope>Private"),
    "alert/references needed": ("<msgType>Alert", "<msgType>Cancel"),
    "alert/{urn:x}foreign": ("<info>", '<foreign xmlns="urn:x"/><info>'),
    "alert/references form": ("<info>", "<references>a,b</references><info>"),
    "alert/info/area/areaDesc": ("</info>", "<area/></info>"),
    "alert/info/area/polygon open": (
        "</info>",
        "<area><areaDesc>a</areaDesc><polygon>1,1 1,2 2,2</polygon></area></info>",
    ),
    "alert/info/area/circle off the Earth": (
        "</info>",
        "<area><areaDesc>a</areaDesc><circle>91,1 2</circle></area></info>",
    ),
    "alert/info/area/altitude": (
        "</info>",
        "<area><areaDesc>a</areaDesc><altitude>1e3</altitude></area></info>",
    ),
    "alert/info/parameter/value is missing": (
        "</info>",
        "<parameter><valueName>a</valueName></parameter></info>",
    ),
    "alert/info/resource/size": (
        "</info>",
        "<resource><resourceDesc>a</resourceDesc><size>-1</size></resource></info>",
    ),
    "alert not well-formed": ("</alert>", ""),
    "{urn:oasis:names:tc:emergency:cap:1.0}alert": ("cap:1.2", "cap:1.0"),
    "alert encoding": ("UTF-8", "UTF-99"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_breaks_a_rule_is_refused_by_name(case: str) -> None:
    with pytest.raises(CapError) as refused:
        parse(changed(*REFUSED[case]))
    assert refused.value.element == case.partition(" ")[0]


def test_areas_keep_their_shapes() -> None:
    shapes = "<area><areaDesc>a</areaDesc><polygon>1,1 1,2 2,2 1,1</polygon><circle>-1.5,.5 2</circle></area></info>"
    (area,) = parse(changed("</info>", shapes)).info[0].area
    assert area.polygon == (((1.0, 1.0), (1.0, 2.0), (2.0, 2.0), (1.0, 1.0)),)
    assert area.circle == (Circle(-1.5, 0.5, 2),)


def test_a_signature_at_the_end_is_passed_over() -> None:
    signed = changed("</alert>", '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><x/></Signature></alert>')
    assert parse(signed) == parse(ALERT.encode())


def test_empty_optional_elements_are_as_good_as_absent() -> None:
    filled = ALERT.replace("<info>", "<references/><incidents/><info>", 1)
    filled = filled.replace("<headline>", "<senderName/><headline>").replace("</info>", "<web/><contact/></info>")
    assert parse(filled.encode()) == parse(ALERT.encode())


def test_size_is_judged_before_the_xml() -> None:
    with pytest.raises(CapError, match="100 bytes, over 99"):
        parse(b"<" * 100, max_size=99)


@pytest.mark.parametrize(
    "doctype",
    ['<!DOCTYPE a [<!ENTITY b "c">]>', '<!DOCTYPE a SYSTEM "file:///etc/passwd">', "<!DOCTYPE alert>"],
)
def test_no_dtd_is_taken(doctype: str) -> None:
    with pytest.raises(CapError, match="DTD"):
        parse(changed("?><alert", f"?>{doctype}<alert"))
