"""What is accepted as the address of a source."""

from __future__ import annotations

import pytest

from ward_hub.links import MisuseError, SourceLink
from ward_hub.links.endpoint import code_words, parse_uri


@pytest.mark.parametrize("uri", ["coap://127.0.0.1", "coap://source.example:5683/", "coap://[::1]:61616"])
def test_accepted(uri: str) -> None:
    assert parse_uri(uri).hostname


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "source",
        "http://source.example",
        "coaps://source.example",
        "coap://",
        "coap://source:0",
        "coap://source:99999",
        "coap://[::1",
        "coap://source/feed",
        "coap://source?x",
        "coap://user@source",
    ],
)
def test_refused_at_once(uri: str) -> None:
    with pytest.raises(MisuseError, match="coap://HOST"):
        SourceLink(uri)


def test_codes_read_as_the_rfc_writes_them() -> None:
    assert [code_words(code) for code in (0x45, 0x84, 0x8D, 0xA3)] == ["2.05", "4.04", "4.13", "5.03"]
