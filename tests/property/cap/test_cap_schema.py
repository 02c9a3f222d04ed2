"""Whatever the reader takes of CAP 1.2 is valid by the standard's schema, judged by an independent validator.

Alerts are made from the elements that there are, mostly in their order and with values that fit, and then spoilt: so
both sides of every rule are tried. They are chosen by a seed, as that is many times faster than choice by choice.
Ref: OASIS CAP-v1.2-os, §3.4.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from tests.cap_schema import faults

from ward_protocol.cap import CapError, parse

NAMESPACE = 'xmlns="urn:oasis:names:tc:emergency:cap:1.2"'
XSI = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
SIGNED = '<KeyName xmlns="http://www.w3.org/2000/09/xmldsig#">a</KeyName>'

TEXT = ["", "a", " a ", "\u00a0", "Bão số 5", "a&amp;b", "<![CDATA[<x>]]>", "a<!-- -->b", "a<?b c?>", "&#9;"]
TIME = [
    "2027-01-15T15:00:00+07:00", "2027-01-15T15:00:00-00:00", " 2027-01-15T15:00:00+07:00\n", "2027-01-15T15:00:00Z",
    "2027-01-15T15:00:00", "2027-01-15T24:00:00+07:00", "2027-01-15T15:00:00+14:00", "2027-01-15T15:00:00+14:01",
    "2027-01-15T15:00:00-23:59", "0000-01-15T15:00:00+07:00", "2027-02-30T15:00:00+07:00", "2027-01-15T15:00:60+07:00",
    "2027-01-15T15:00:00,07:00", "\u00a02027-01-15T15:00:00+07:00", "\u0662027-01-15T15:00:00+07:00", "",
    "2027-01-15T15:00:00.5+07:00", "12027-01-15T15:00:00+07:00",
]  # fmt: skip
NUMBER = ["1", "-1.5", ".5", "1.", "+2", "1e3", "", " 1 ", "INF", "1,5", "\u0661", "9" * 12, "0" * 20]
COUNT = ["0", "17", "-1", "", " 1 ", "+1", "1.0", "\u0661"]
LANGUAGE = ["vi", "vi-VN", "", " en ", "en_US", "tiếng Việt", "x-klingon", "a" * 9, "vi-", "VI", "\u00a0vi"]
POINTS = ["1,1 1,2 2,2 1,1", "20.9,105.7 20.9,105.8 21,105.8 20.9,105.7", "1,1", "", "1,1 1,2 2,2 2,1"]
NAMED = ("valueName", TEXT, 1, 1), ("value", TEXT, 1, 1)


def words(*good: str) -> list[str]:
    """Words of a list, with others that are almost."""
    return [*good, good[0].lower(), f" {good[0]}", f"{good[0]}\n", "", f"{good[0]}<!-- -->"]


# Element, values or elements inside, how often at least and at most.
AREA = (
    ("areaDesc", TEXT, 1, 1), ("polygon", POINTS, 0, 2), ("circle", ["1,1 2", "91,1 2", "1,1", ""], 0, 2),
    ("geocode", NAMED, 0, 2), ("altitude", NUMBER, 0, 1), ("ceiling", NUMBER, 0, 1),
)  # fmt: skip
RESOURCE = (
    ("resourceDesc", TEXT, 1, 1), ("mimeType", ["image/png", "", " a "], 1, 1), ("size", COUNT, 0, 1),
    ("uri", ["https://x.example/a", "", "http://[", "a b", "::"], 0, 1), ("derefUri", ["YQ==", "", "~", "YQ"], 0, 1),
    ("digest", ["86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", "", "0" * 40, "x"], 0, 1),
)  # fmt: skip
INFO = (
    ("language", LANGUAGE, 0, 1), ("category", words("Met", "Geo", "CBRNE"), 1, 3), ("event", TEXT, 1, 1),
    ("responseType", words("Shelter", "Avoid", "None"), 0, 2), ("urgency", words("Immediate", "Past"), 1, 1),
    ("severity", words("Extreme", "Unknown"), 1, 1), ("certainty", words("Likely", "Observed"), 1, 1),
    ("audience", TEXT, 0, 1), ("eventCode", NAMED, 0, 2), ("effective", TIME, 0, 1), ("onset", TIME, 0, 1),
    ("expires", TIME, 0, 1), ("senderName", TEXT, 0, 1), ("headline", TEXT, 0, 1), ("description", TEXT, 0, 1),
    ("instruction", TEXT, 0, 1), ("web", ["https://x.example", "", "a b", "%zz", "\u00a0", "1:2", "a:"], 0, 1),
    ("contact", TEXT, 0, 1), ("parameter", NAMED, 0, 2), ("resource", RESOURCE, 0, 1), ("area", AREA, 0, 2),
)  # fmt: skip
ALERT = (
    ("identifier", ["VN-1", " VN-1 ", "a b", "a,b", "", "\u00a0a"], 1, 1),
    ("sender", ["o@x", "", "<![CDATA[a]]>"], 1, 1),
    ("sent", TIME, 1, 1), ("status", words("Actual", "Test", "Draft"), 1, 1),
    ("msgType", words("Alert", "Cancel"), 1, 1), ("source", TEXT, 0, 1), ("scope", words("Public", "Private"), 1, 1),
    ("restriction", TEXT, 0, 1), ("addresses", TEXT, 0, 1), ("code", TEXT, 0, 2), ("note", TEXT, 0, 1),
    ("references", ["", "a,b,2027-01-15T15:00:00+07:00", "a,b"], 0, 1), ("incidents", TEXT, 0, 1), ("info", INFO, 0, 2),
)  # fmt: skip

SPOILT = [
    '<x xmlns="urn:x"/>', "<note/>", "x", "\u00a0", "<!-- a -->", "<?a b?>", "\n ", SIGNED, "&#32;", "<![CDATA[ ]]>",
    "<x/>", "<info/>", "<valueName>a</valueName>",
]  # fmt: skip
ODD_CHARACTERS = ["", " ", "\u00a0", "\n", "&#13;", *"a0.-:+,%[/#é\u0661"]
ADDRESSES = [
    "https://example.vn/bao-so-5?a=1&b=%20x#phan-2", "http://www.weather.gov:80/alerts-beta/", "mailto:a@example.vn",
    "www.example.vn/a", "//example.vn", "/a/b", "#a", "urn:oasis:names:tc:emergency:cap:1.2", "http://ví-dụ.vn/bão",
    "ftp://user:secret@example.vn/a;b=c", "tel:+84-24-1022", "http://example.vn/a b", "",
]  # fmt: skip
ADDRESS_LETTERS = "/:?#[]@%a1.-~ <>^é\u00a0"
ATTRIBUTES = ['a="b"', f'{XSI} i:nil="true"', f'{XSI} i:schemaLocation="urn:x x"', f'{XSI} i:type="x"', 'xml:lang="vi"']


class Maker:
    """Makes one alert of a seed, with few spoilt things in it, or none."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._odds = self._random.choice([0.0, 0.0, 0.003, 0.02])

    def alert(self) -> str:
        signed = SIGNED if self._random.random() < 0.1 else ""
        return f"<alert {NAMESPACE}>{self._group(ALERT)}{signed}</alert>"

    def _oddly(self) -> bool:
        return self._random.random() < self._odds

    def _value(self, values: list[str]) -> str:
        """A value, mostly the first of them, which always fits; or one that is not in the list."""
        value = values[0] if self._random.random() < 0.9 else self._random.choice(values)
        if self._oddly():
            at = self._random.randrange(len(value) + 1)
            value = value[:at] + self._random.choice(ODD_CHARACTERS) + value[at + self._random.randrange(2) :]
        return value

    def _element(self, name: str, content: object) -> str:
        inside = self._value(content) if isinstance(content, list) else self._group(content)
        extra = f" {self._random.choice(ATTRIBUTES)}" if self._oddly() else ""
        return f"<{name}{extra}>{inside}</{name}>"

    def _group(self, parts: object) -> str:
        made: list[str] = []
        for name, content, least, most in parts:  # type: ignore[attr-defined]
            count = self._random.randint(0, most + 1) if self._oddly() else self._random.randint(least, most)
            made += [self._element(name, content) for _ in range(count)]
            if self._oddly():
                made.append(self._random.choice(SPOILT))
        if len(made) > 1 and self._oddly():
            made.insert(self._random.randrange(len(made)), made.pop())
        return "".join(made)


PLAIN = (
    f"<alert {NAMESPACE}><identifier>a</identifier><sender>b</sender><sent>2027-01-15T15:00:00+07:00</sent>"
    "<status>Actual</status><msgType>Alert</msgType><scope>Public</scope><info>{0}<category>Met</category>"
    "<event>c</event><urgency>Past</urgency><severity>Minor</severity><certainty>Likely</certainty>{1}</info></alert>"
)


def taken(content: str) -> bool:
    try:
        parse(content.encode())
    except CapError:
        return False
    return True


@settings(max_examples=1000)
@given(st.integers(0, 2**32))
def test_what_is_taken_is_valid_by_the_schema(seed: int) -> None:
    content = Maker(seed).alert()
    found = faults(content.encode())
    if taken(content):
        event("taken")
        assert found == [], content
    else:
        event("not valid" if found else "valid, and refused by a rule of the prose")


@given(
    st.sampled_from(ADDRESSES), st.integers(0, 60), st.integers(0, 2), st.text("/:?#[]@%a1.-~ <>^é\u00a0", max_size=3)
)
def test_an_address_that_is_taken_is_one_by_the_schema(address: str, at: int, gone: int, put: str) -> None:
    spoilt = (address[:at] + put + address[at + gone :]).replace("&", "&amp;").replace("<", "&lt;")
    content = PLAIN.format("", f"<web>{spoilt}</web>")
    if taken(content):
        assert faults(content.encode()) == []


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses_as_offices_write_them_are_taken(address: str) -> None:
    assert taken(PLAIN.format("", f"<web>{address.replace('&', '&amp;')}</web>"))


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.format("", "<expires/>"),
        PLAIN.format("", "<expires>2027-01-15T15:00:00+14:30</expires>"),
        PLAIN.format("", "<onset>\u00a02027-01-15T15:00:00+07:00</onset>"),
        PLAIN.format("", "<resource><resourceDesc>a</resourceDesc></resource>"),
        PLAIN.format("", "<area><areaDesc>a</areaDesc><altitude/></area>"),
        PLAIN.format("", "<web>http://[</web>"),
        PLAIN.format("\u00a0", ""),
        PLAIN.format("", "").replace("<info>", '<info a="b">'),
        PLAIN.format("", "").replace("Actual", " Actual "),
    ],
)
def test_what_the_schema_refuses_is_not_taken(content: str) -> None:
    """All of these were taken once."""
    assert faults(content.encode())
    assert not taken(content)


def test_both_sides_are_tried() -> None:
    """Else the test above it would say nothing."""
    made = [Maker(seed).alert() for seed in range(300)]
    judged = [(taken(content), faults(content.encode()) == []) for content in made]
    assert judged.count((True, True)) > 30
    assert judged.count((False, False)) > 30
    assert judged.count((False, True)) > 5, "the prose has rules of its own"
