"""The URI of a key on a token: what of RFC 7512 is understood, and that what could be a PIN is never repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from ward_hub.keys.uri import TokenUri

GOOD = "pkcs11:token=ward;object=hub?module-path=/usr/lib/p11.so&pin-source=file:/etc/pin"


def test_every_part_is_read() -> None:
    uri = TokenUri.parse(
        "pkcs11:model=M;manufacturer=SoftHSM%20project;serial=53bf;token=X%c3%a3%20An;id=%00%FFab;object=a%3Bb&c;type=private"
        "?pin-source=file:/etc/wardhub/pin%201&module-path=/usr/lib/p11.so"
    )
    assert (uri.token, uri.serial, uri.manufacturer, uri.model) == ("Xã An", "53bf", "SoftHSM project", "M")
    assert (uri.label, uri.key_id) == ("a;b&c", b"\x00\xffab")
    assert (uri.module, uri.pin_source) == (Path("/usr/lib/p11.so"), Path("/etc/wardhub/pin 1"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (GOOD, "token ward, key hub"),
        ("pkcs11:serial=12;id=%0a%0b?module-path=/a", "token with serial 12, key 0a0b"),
        ("pkcs11:token=t;serial=12;object=o;id=%0a?module-path=/a", "token t, key o"),
    ],
)
def test_it_is_called_by_token_and_key(text: str, name: str) -> None:
    assert str(TokenUri.parse(text)) == name


def test_the_file_of_a_pin_may_be_written_in_both_ways() -> None:
    assert TokenUri.parse(GOOD.replace("file:/", "file:///")).pin_source == Path("/etc/pin")
    assert TokenUri.parse(GOOD.partition("&")[0]).pin_source is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "begins with pkcs11:"),
        ("PKCS11:token=ward", "begins with pkcs11:"),
        ("pkcs11:", "must name a token"),
        ("pkcs11:token=ward?module-path=/a", "and a key"),
        ("pkcs11:object=hub?module-path=/a", "must name a token"),
        ("pkcs11:token=ward;object=hub", "must say module-path"),
        ("pkcs11:token=ward;object=hub?module-path=p11.so", "module-path: a path from / on"),
        ("pkcs11:token=;object=hub?module-path=/a", "token is empty"),
        ("pkcs11:token=a;token=b;object=hub?module-path=/a", "token stands there twice"),
        ("pkcs11:token=a;object=hub?module-path=/a&module-path=/b", "module-path stands there twice"),
        ("pkcs11:token=a;object=hub;type=cert?module-path=/a", "only private keys sign"),
        ("pkcs11:token=a;object=hub;slot-id=1?module-path=/a", "slot-id: only token, serial"),
        ("pkcs11:token=a;object=hub?module-name=p11", "module-name: only module-path, pin-source"),
        ("pkcs11:token=a;object=hub?module-path=/a&token=b", "token: only module-path"),
        ("pkcs11:token=a;object=hub;module-path=/a", "NAME=VALUE"),
        ("pkcs11:token=a b;object=hub?module-path=/a", "NAME=VALUE"),
        ("pkcs11:token=a%2;object=hub?module-path=/a", "NAME=VALUE"),
        ("pkcs11:token;object=hub?module-path=/a", "NAME=VALUE"),
        ("pkcs11:token=a;;object=hub?module-path=/a", "NAME=VALUE"),
        ("pkcs11:token=a;object=hub?module-path=/a#b", "NAME=VALUE"),
        ("pkcs11:token=%ff;object=hub?module-path=/a", "token: it must be UTF-8"),
        ("pkcs11:token=a%0ab;object=hub?module-path=/a", "token: it must be UTF-8, and printable"),
        ("pkcs11:token=a;object=hub?module-path=/a&pin-source=pin", "pin-source: file:/PATH"),
        ("pkcs11:token=a;object=hub?module-path=/a&pin-source=|/bin/pin", "pin-source: file:/PATH"),
        ("pkcs11:token=a;object=hub?module-path=/a&pin-source=file:pin", "pin-source: a path from / on"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        TokenUri.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "pkcs11:token=a;object=hub?module-path=/a&pin-value=8417",
        "pkcs11:token=a;object=hub;pin-value=8417?module-path=/a",
        "pkcs11:token=a;object=hub?pin-value=84%2017&module-path=/a",
        "pkcs11:token=a;object=hub?module-path=/a&pin-value=84 17",
        "pkcs11:token=a;object=hub?module-path=/a&8417",
        "pkcs11:token=a;object=hub?module-path=/a&pin-source=8417",
        "8417",
    ],
)
def test_what_could_be_a_pin_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"pin-|NAME=VALUE|pkcs11:") as caught:
        TokenUri.parse(text)
    assert "84" not in str(caught.value)


def test_the_repr_shows_the_parts_and_not_the_text() -> None:
    assert GOOD not in repr(TokenUri.parse(GOOD))
