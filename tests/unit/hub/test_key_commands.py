"""Keys as commands take and make them: sealed by two officers, asked for on a terminal, or read from files."""

from __future__ import annotations

import io
import json
import os
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.statements import AREA, SIGNER

from ward_hub.cli.main import main
from ward_hub.identity import write_key
from ward_hub.keys import sealed
from ward_hub.keys.sealed import Cost, Passphrases, unseal
from ward_protocol.envelope import Envelope
from ward_protocol.keys import PublicKey

ONE, TWO = "cá rô đồng kho tộ", "trống cái chiều hôm"
FILES = "--passphrase-file one --passphrase-file two"
SIGN = f"sign draft.toml --issuer ward --sequence 1 --area {AREA} --out out.cose"
GUARD_S = 60.0
ON_ITS_TERMINAL = "import os, sys; os.login_tty(0); os.execv(sys.argv[1], sys.argv[1:])"
Said = Callable[[], str]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with two passphrases and a draft; sealing is cheap."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sealed.seal, "__kwdefaults__", {"cost": Cost(1 << 14)})
    for name, words in (("one", ONE), ("two", TWO), ("three", "some other words")):
        passphrase(name, words)
    Path("draft.toml").write_text('[[text]]\ntitle = "Thử"\nbody = "Một hai ba."\n', encoding="utf-8")
    write_key(Path("ward.pem"), SIGNER)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """The one line on standard error since the last look."""
    capsys.readouterr()

    def look() -> str:
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1
        return lines[0]

    return look


def passphrase(name: str, words: str) -> None:
    Path(name).touch(0o600)
    Path(name).write_text(f"{words}\n", encoding="utf-8")


def run(command: str) -> int:
    try:
        return main(command.split())
    except SystemExit as end:
        return int(end.code or 0)


# Sealed


def test_a_sealed_key_is_made_and_signs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(f"keygen glass.key --sealed {FILES} --public glass.pub --json") == 0
    facts = json.loads(capsys.readouterr().out)
    public = PublicKey(bytes.fromhex(Path("glass.pub").read_text().strip()))
    assert (facts["file"], facts["kid"], facts["public"]) == ("glass.key", public.kid.hex(), public.raw.hex())
    assert Path("glass.key").stat().st_mode & 0o777 == 0o600
    assert run(f"{SIGN} --sealed-key glass.key {FILES}") == 0
    envelope = Envelope.open(Path("out.cose").read_bytes())
    assert envelope.verified_by({public.kid: public}) == {public.kid}
    assert sorted(one.name for one in Path().glob("glass*")) == ["glass.key", "glass.pub"]


@pytest.mark.parametrize(
    "command",
    [
        "keygen new.pem --public new.pem",
        "keygen new.pem --public ward.pem",
        f"keygen new.pem --sealed {FILES} --public new.pem",
        "keygen new.pem --channel --public new.pem",
        f"{SIGN} --key ward.pem --out ward.pem",
    ],
)
def test_what_is_written_never_takes_the_place_of_a_key(command: str, said: Said) -> None:
    before = Path("ward.pem").read_bytes()
    assert run(command) == os.EX_CANTCREAT
    assert "it holds a key" in said()
    assert Path("ward.pem").read_bytes() == before
    assert not Path("new.pem").exists() or Path("new.pem").read_bytes().startswith(b"-----BEGIN ")


def test_each_is_made_with_a_salt_and_a_nonce_of_its_own() -> None:
    seen: set[str] = set()
    for number in range(5):
        assert run(f"keygen {number}.key --sealed {FILES}") == 0
        seen |= {line for line in Path(f"{number}.key").read_text().splitlines() if line[:5] in {"salt:", "nonce"}}
    assert len(seen) == 10


def test_it_signs_beside_other_keys_and_later() -> None:
    assert run(f"keygen glass.key --sealed {FILES} --public glass.pub") == 0
    glass = PublicKey(bytes.fromhex(Path("glass.pub").read_text()))
    keys = {glass.kid: glass, SIGNER.kid: SIGNER.public}
    assert run(f"{SIGN} --key ward.pem --sealed-key glass.key {FILES}") == 0
    assert Envelope.open(Path("out.cose").read_bytes()).verified_by(keys) == set(keys)
    assert run(f"{SIGN} --key ward.pem") == 0
    assert run(f"sign out.cose --add --sealed-key glass.key {FILES} --out both.cose") == 0
    assert Envelope.open(Path("both.cose").read_bytes()).verified_by(keys) == set(keys)


def test_a_wrong_passphrase_is_not_told_from_the_other(said: Said) -> None:
    assert run(f"keygen glass.key --sealed {FILES}") == 0
    lines = set()
    for files in ("one three", "three two", "three three", "one one"):
        given = " ".join(f"--passphrase-file {name}" for name in files.split())
        assert run(f"{SIGN} --sealed-key glass.key {given}") == os.EX_DATAERR
        lines.add(said())
    assert lines == {"wardhub: it does not open: a passphrase is wrong, or the file was changed"}
    assert not Path("out.cose").exists()


@pytest.mark.parametrize(
    ("command", "status", "words"),
    [
        ("keygen x --sealed --passphrase-file one", os.EX_USAGE, "given twice, once for each officer"),
        (f"keygen x --sealed {FILES} --passphrase-file three", os.EX_USAGE, "given twice"),
        ("keygen x --sealed --passphrase-file one --passphrase-file one", os.EX_DATAERR, "must differ"),
        ("keygen x --sealed --passphrase-file one --passphrase-file short", os.EX_DATAERR, "at least 12"),
        ("keygen x --sealed --passphrase-file one --passphrase-file no", os.EX_NOINPUT, "no: the passphrase cannot be"),
        (
            "keygen x --sealed --passphrase-file one --passphrase-file open",
            os.EX_NOINPUT,
            "others could read",
        ),
        (f"keygen x {FILES}", os.EX_USAGE, "--passphrase-file is for --sealed"),
        (f"keygen ward.pem --sealed {FILES}", os.EX_CANTCREAT, "exists already"),
        ("keygen pkcs11:token=a;object=x?module-path=/a --sealed", os.EX_USAGE, "cannot be sealed"),
        (f"{SIGN} {FILES} --key ward.pem", os.EX_USAGE, "--passphrase-file is for --sealed-key"),
        (f"{SIGN} --sealed-key no {FILES}", os.EX_NOINPUT, "no: the sealed key cannot be read"),
        (f"{SIGN} --sealed-key ward.pem {FILES}", os.EX_DATAERR, "this is no sealed key"),
    ],
)
def test_what_cannot_be_is_one_line_and_nothing_is_written(command: str, status: int, words: str, said: Said) -> None:
    passphrase("short", "x" * 11)
    passphrase("open", "some other words")
    Path("open").chmod(0o644)
    assert run(command) == status
    assert words in said()
    assert not Path("x").exists()
    assert not Path("out.cose").exists()


def test_a_sealed_key_in_the_place_of_another_is_said(said: Said) -> None:
    assert run(f"keygen glass.key --sealed {FILES}") == 0
    assert run(f"{SIGN} --key glass.key") == os.EX_NOINPUT
    assert "glass.key: this key is sealed: give it as --sealed-key" in said()


# The URI of a key on a token; with a token of its own: tests/conformance/pkcs11


@pytest.mark.parametrize(
    ("command", "status", "words"),
    [
        (f"{SIGN} --key pkcs11:token=a;object=b?module-path=/a&pin-value=8417", os.EX_USAGE, "pin-value: a PIN never"),
        (f"{SIGN} --key pkcs11:token=a", os.EX_USAGE, "the URI of a key on a token: it must name"),
        (f"{SIGN} --key pkcs11:token=a;object=b?module-path=/no.so", os.EX_CONFIG, "there is no library /no.so"),
        ("keygen pkcs11:token=a", os.EX_USAGE, "the URI of a key on a token"),
        ("enrol request --hub h --area vn --state s --key x --out x", os.EX_USAGE, "begins with pkcs11:"),
    ],
)
def test_a_uri_that_cannot_be_used(command: str, status: int, words: str, said: Said) -> None:
    assert run(command) == status
    line = said()
    assert words in line
    assert "8417" not in line


def test_without_the_extra_it_is_said(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ward_hub.keys.cryptoki", raising=False)
    monkeypatch.setitem(sys.modules, "pkcs11", None)  # as where it is not installed
    assert run(f"{SIGN} --key pkcs11:token=a;object=b?module-path=/a") == os.EX_CONFIG
    assert "token a, key b: this installation knows no tokens: pip install 'wardhub[token]'" in said()


# On a terminal


class Terminal:
    """`wardhub` in a process of its own, on a pty that is its controlling terminal."""

    def __init__(self, command: str) -> None:
        self.shown = ""
        self._tty, other = os.openpty()
        words = [sys.executable, "-c", ON_ITS_TERMINAL, sys.executable, "-m", "ward_hub", *command.split()]
        self._process = subprocess.Popen(words, stdin=other)
        os.close(other)

    def until(self, words: str) -> None:
        """Read until `words` were shown."""
        while words not in self.shown and (more := self._read()):
            self.shown += more
        if words not in self.shown:
            pytest.fail(f"it ended with {self.end()} and never said {words!r}: {self.shown}")

    def type(self, line: str) -> None:
        os.write(self._tty, f"{line}\n".encode())

    def end(self) -> int:
        """Read to the end; return the exit status."""
        while more := self._read():
            self.shown += more
        os.close(self._tty)
        return self._process.wait(GUARD_S)

    def _read(self) -> str:
        if not select.select([self._tty], [], [], GUARD_S)[0]:
            self._process.kill()
        try:
            return os.read(self._tty, 4096).decode(errors="replace")
        except OSError:  # EIO: the process has ended
            return ""


def answers(command: str, lines: dict[str, str]) -> Terminal:
    """Answer each prompt with its line; echo is off by the time that a prompt is shown."""
    terminal = Terminal(command)
    for prompt, line in lines.items():
        terminal.until(prompt)
        terminal.type(line)
    return terminal


def test_two_officers_type_their_passphrases_unseen() -> None:
    prompts = {
        "First officer, passphrase: ": ONE, "First officer, the same again: ": ONE,
        "Second officer, passphrase: ": TWO, "Second officer, the same again: ": TWO,
    }  # fmt: skip
    made = answers("keygen glass.key --sealed --lang en", prompts)
    assert made.end() == 0, made.shown
    assert ONE not in made.shown
    assert TWO not in made.shown
    key = unseal(Path("glass.key").read_bytes(), Passphrases(ONE, TWO))
    assert f"scrypt: n={1 << 17} " in Path("glass.key").read_text()
    signed = answers(f"{SIGN} --sealed-key glass.key", {"Cán bộ thứ nhất": TWO, "Cán bộ thứ hai": ONE})
    assert signed.end() == 0, signed.shown
    assert Envelope.open(Path("out.cose").read_bytes()).verified_by({key.kid: key.public}) == {key.kid}


def test_two_entries_that_differ_make_nothing() -> None:
    one = answers("keygen glass.key --sealed --lang en", {"First officer, passphrase: ": ONE, "again: ": TWO})
    assert one.end() == os.EX_USAGE
    assert "the two entries differ" in one.shown
    assert not Path("glass.key").exists()


def test_ctrl_c_at_a_prompt_makes_nothing() -> None:
    one = answers("keygen glass.key --sealed --lang en", {"First officer, passphrase: ": "\x03"})
    assert one.end() == 130
    assert not Path("glass.key").exists()


def test_without_a_terminal_nothing_is_asked(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input with echo is no place for a secret."""
    monkeypatch.setattr(os, "open", _no_terminal(os.open))
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{ONE}\n{ONE}\n"))
    assert run("keygen glass.key --sealed") == os.EX_USAGE
    assert "there is no terminal to type a secret on: give it in a file" in said()


def _no_terminal(really: Callable[..., int]) -> Callable[..., int]:
    def opened(path: str, *arguments: int, **more: int) -> int:
        if path == "/dev/tty":
            raise OSError(6, "No such device or address")
        return really(path, *arguments, **more)

    return opened
