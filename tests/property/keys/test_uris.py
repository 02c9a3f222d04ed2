"""URIs of keys on tokens, over any text: what is written escaped is read again, what is not understood is refused."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, quote_from_bytes

from hypothesis import given
from hypothesis import strategies as st

from ward_hub.keys.uri import TokenUri

# What a token may be called: no control characters, and not the letter that stands for undecodable bytes.
names = st.text(
    st.characters(codec="utf-8", categories=["L", "M", "N", "P", "S", "Zs"], exclude_characters="\ufffd"),
    min_size=1, max_size=32,
).filter(str.isprintable)  # fmt: skip


@given(token=names, label=names, key_id=st.binary(min_size=1, max_size=20), folder=names)
def test_what_is_written_escaped_is_read_again(token: str, label: str, key_id: bytes, folder: str) -> None:
    place = f"/a{folder}/x"  # two slashes at the beginning would begin a host's name
    text = (
        f"pkcs11:token={quote(token, safe='')};object={quote(label, safe='')};id={quote_from_bytes(key_id, safe='')}"
        f"?module-path={quote(place)}&pin-source=file:{quote(place)}"
    )
    uri = TokenUri.parse(text)
    assert (uri.token, uri.label, uri.key_id) == (token, label, key_id)
    assert (uri.module, uri.pin_source) == (Path(place), Path(place))


@given(st.text(max_size=200) | st.text("pkcs11:token=;object?mdul-ah&%0aF/", max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for one in (text, f"pkcs11:{text}", f"pkcs11:token=a;object=b?module-path=/a&{text}"):
        try:
            uri = TokenUri.parse(one)
        except ValueError:
            continue
        assert uri.module.is_absolute()
        assert uri.token or uri.serial
        assert uri.label or uri.key_id
