"""SoftHSM2 in a folder of a test's own: a real PKCS#11 library, with a token that can be pulled and put back."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pkcs11
import pytest

PIN, WRONG_PIN, SO_PIN = "pin-8417", "pin-0000", "so-pin-5921"
PLACES = ("/usr/lib/softhsm", "/usr/lib/*/softhsm", "/usr/local/lib/softhsm", "/usr/lib64/pkcs11")


def module() -> Path:
    """Where the distribution put the library."""
    found = [path for place in PLACES for path in Path("/").glob(f"{place[1:]}/libsofthsm2.so")]
    assert found, "softhsm2-util is there, and its library is not"
    return found[0]


@dataclass(frozen=True)
class SoftHsm:
    """The tokens of `folder`; `environment` has processes find them."""

    folder: Path
    environment: dict[str, str]

    @property
    def tokens(self) -> Path:
        return self.folder / "tokens"

    @property
    def pin_file(self) -> Path:
        return self.folder / "pin"

    def add(self, label: str) -> None:
        """Make one more token."""
        words = ["--init-token", "--free", "--label", label, "--so-pin", SO_PIN, "--pin", PIN]
        subprocess.run(["softhsm2-util", *words], env=self.environment, check=True, capture_output=True)

    def uri(self, key: str = "hub", token: str = "ward", *, pin: bool = True, more: str = "") -> str:
        """The URI of a key; `pin` names the file of the PIN in it."""
        source = f"&pin-source=file:{self.pin_file}" if pin else ""
        return f"pkcs11:token={quote(token)};object={quote(key)}{more}?module-path={module()}{source}"

    def pull(self) -> None:
        """Take the tokens out."""
        self.tokens.rename(self.folder / "pulled")

    def put_back(self) -> None:
        """Put the tokens in again."""
        (self.folder / "pulled").rename(self.tokens)

    def exchange(self) -> None:
        """Put an empty token of the same name in the place of the first, and let the library see it."""
        self.tokens.rename(self.folder / "first")
        self.tokens.mkdir()
        self.add("ward")
        pkcs11.lib(str(module())).finalize()

    def set_pin(self, pin: str) -> None:
        """Write the file of the PIN."""
        self.pin_file.touch(0o600)
        self.pin_file.write_text(f"{pin}\n", encoding="utf-8")


@contextmanager
def softhsm(folder: Path, monkeypatch: pytest.MonkeyPatch, mechanisms: str = "ALL") -> Iterator[SoftHsm]:
    """A token called `ward` with the PIN in its file; the library is let go of at the end."""
    (folder / "tokens").mkdir(parents=True)
    conf = folder / "softhsm2.conf"
    conf.write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n"
        f"slots.mechanisms = {mechanisms}\n"
    )
    monkeypatch.setenv("SOFTHSM2_CONF", str(conf))
    hsm = SoftHsm(folder, {"SOFTHSM2_CONF": str(conf), "PATH": "/usr/bin:/bin"})
    hsm.add("ward")
    hsm.set_pin(PIN)
    try:
        yield hsm
    finally:
        pkcs11.unload(str(module()))
