"""Where a key on a PKCS#11 token is, as a URI: which module, which token, which key, and where the PIN is read from.

    pkcs11:token=ward;object=hub?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/wardhub/pin

An attribute that is not understood is refused, as it could mean another key. So is `pin-value`: a PIN in a URI would
stand in process lists, histories and configurations.
Ref: RFC 7512 §2.3 (syntax), §2.4 (attributes).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_to_bytes

SCHEME = "pkcs11:"
# What may stand unescaped in the value of a path attribute, and of a query attribute.
_PLAIN = r"A-Za-z0-9\-._~:\[\]@!$'()*+,="
_PATH = re.compile(rf"([a-z-]+)=((?:[{_PLAIN}&]|%[0-9A-Fa-f]{{2}})*)")
_QUERY = re.compile(rf"([a-z-]+)=((?:[{_PLAIN}/?|]|%[0-9A-Fa-f]{{2}})*)")
_PATHS = ("token", "serial", "manufacturer", "model", "object", "id", "type")
_QUERIES = ("module-path", "pin-source")


@dataclass(frozen=True, slots=True)
class TokenUri:
    """One key on a token. Of token and key only what the URI says must fit; both are said at least by a name or number.

    `module` is the library of the token's vendor, `pin_source` the file that holds the PIN, if any.
    """

    text: str = field(repr=False)
    module: Path
    token: str | None = None
    serial: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    label: str | None = None
    key_id: bytes | None = None
    pin_source: Path | None = None

    def __str__(self) -> str:
        name = self.token if self.token is not None else f"with serial {self.serial}"
        key = self.label if self.label is not None else (self.key_id or b"").hex()
        return f"token {name}, key {key}"

    @classmethod
    def parse(cls, text: str) -> TokenUri:
        """Read a URI; raises ValueError, which never repeats a value, as it could be a PIN."""
        if not text.startswith(SCHEME):
            raise ValueError(f"a PKCS#11 URI begins with {SCHEME}")
        path, _, query = text.removeprefix(SCHEME).partition("?")
        said = {**_attributes(path, ";", _PATH, _PATHS), **_attributes(query, "&", _QUERY, _QUERIES)}
        words = {name: _word(name, value) for name, value in said.items() if name != "id"}
        if words.get("type", "private") != "private":
            raise ValueError("type: only private keys sign")
        if not {"token", "serial"} & set(said) or not {"object", "id"} & set(said):
            raise ValueError("it must name a token (token or serial) and a key (object or id)")
        if "module-path" not in words:
            raise ValueError("it must say module-path: the token's library")
        return cls(
            text=text,
            module=_file("module-path", words["module-path"]),
            token=words.get("token"),
            serial=words.get("serial"),
            manufacturer=words.get("manufacturer"),
            model=words.get("model"),
            label=words.get("object"),
            key_id=said.get("id"),
            pin_source=_pin_source(words["pin-source"]) if "pin-source" in words else None,
        )


def _attributes(text: str, between: str, form: re.Pattern[str], known: tuple[str, ...]) -> dict[str, bytes]:
    said: dict[str, bytes] = {}
    for one in text.split(between) if text else []:
        name = one.partition("=")[0]
        match = form.fullmatch(one)
        if name == "pin-value":
            raise ValueError("pin-value: a PIN never stands in a URI: put it into a file and name that as pin-source")
        if match is None:
            raise ValueError("every attribute is NAME=VALUE, with % and two hex digits for what is no plain letter")
        if name not in known:
            raise ValueError(f"{name}: only {', '.join(known)} are understood there")
        if name in said:
            raise ValueError(f"{name} stands there twice")
        said[name] = unquote_to_bytes(match[2])
        if not said[name]:
            raise ValueError(f"{name} is empty")
    return said


def _word(name: str, value: bytes) -> str:
    word = value.decode(errors="replace")
    if not word.isprintable() or "\ufffd" in word:
        raise ValueError(f"{name}: it must be UTF-8, and printable")
    return word


def _pin_source(value: str) -> Path:
    if not value.startswith("file:"):
        raise ValueError("pin-source: file:/PATH is needed")
    return _file("pin-source", value.removeprefix("file:").removeprefix("//"))


def _file(name: str, value: str) -> Path:
    if not value.startswith("/"):
        raise ValueError(f"{name}: a path from / on is needed")
    return Path(value)
