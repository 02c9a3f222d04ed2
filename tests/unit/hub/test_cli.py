"""The command line, through `main`: what it prints, one line for what is wrong, and exit statuses as sysexits.h."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.intakes import QUORUM, WITH_QUORUM
from tests.journals import FILE, HUB_KEY, journal, rows
from tests.sim.hw.sounds import tone
from tests.statements import (
    AUTHORITY,
    BEAT,
    BEAT_KEY,
    BULLETIN,
    CANCEL,
    GRANT_KEY,
    GRANTS,
    MINIMAL,
    ORDER,
    RECALL,
    RECEIPT,
    ROOT,
    ROOT_KEY,
    SEALED_KEY,
    SIGNER,
    STRANGER,
    p256_signer,
    signer,
)
from tests.unit.hub.test_config import GOOD, METER

from ward_hub import cli
from ward_hub.cli.main import COMMANDS, main
from ward_hub.cli.run import OneLine
from ward_hub.identity import write_key
from ward_protocol.envelope import Envelope, sign
from ward_protocol.statements import Action, Audience, Bulletin, Priority, Statement, Status, Text

DRAFT = '[[text]]\ntitle = "Tin"\nbody = "Nội dung"\n'


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    status: int
    out: str
    err: str

    def line(self) -> str:
        """The one line of an error, without `wardhub: `."""
        assert self.out == ""
        assert self.err.startswith("wardhub")
        assert self.err.endswith("\n")
        assert self.err.count("\n") == 1
        assert "Traceback" not in self.err
        return self.err.strip().partition(": ")[2]


class Shell:
    """Runs `wardhub` in a folder that holds keys and signed files."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capture = capture
        write_key(folder / "ward.key", SIGNER)
        (folder / "root.cose").write_bytes(sign(ROOT, [ROOT_KEY]))
        (folder / "grants.cose").write_bytes(sign(GRANTS, [GRANT_KEY]))
        (folder / "beat.cose").write_bytes(sign(BEAT, [BEAT_KEY]))
        (folder / "bulletin.cose").write_bytes(sign(replace(BULLETIN, priority=Priority.PRIORITY), [SIGNER]))
        (folder / "cancel.cose").write_bytes(sign(CANCEL, [SIGNER]))
        (folder / "forged.cose").write_bytes(sign(BULLETIN, [STRANGER]))
        (folder / "draft.toml").write_text(DRAFT, encoding="utf-8")
        (folder / "garbage").write_bytes(b"\xff" * 100)

    def __call__(self, *arguments: str | Path) -> Said:
        try:
            status = main([str(one) for one in arguments])
        except SystemExit as end:
            status = int(end.code or 0)
        out, err = self._capture.readouterr()
        return Said(status, out, err)

    def config(self, content: str = GOOD) -> Path:
        path = self.folder / "hub.toml"
        path.write_text(content.replace("/etc/wardhub/root.cose", str(self.folder / "root.cose")), encoding="utf-8")
        return path


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path, capsys)


def parsed(said: Said) -> dict[str, Any]:
    assert said.err == ""
    found = json.loads(said.out)
    assert isinstance(found, dict)
    return found


# The whole


def test_version_and_help(shell: Shell) -> None:
    assert shell("--version").out.startswith("wardhub 0.")
    assert shell("--help").status == os.EX_OK
    for command in COMMANDS:
        said = shell(command, "--help")
        assert said.status == os.EX_OK
        assert command in said.out


def test_the_agent_loads_no_other_command() -> None:
    """They would cost it three megabytes for as long as it runs."""
    script = (
        "import sys; from ward_hub.cli.main import parser; parser('run');"
        "print(*(one for one in sys.modules if one.startswith('ward_hub.cli.')))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert set(done.stdout.split()) == {"ward_hub.cli.main", "ward_hub.cli.run"}


@pytest.mark.parametrize("arguments", [[], ["fly"], ["keygen"], ["sign", "x"], ["inspect", "x", "--lang", "fr"]])
def test_what_makes_no_sense_is_a_usage_error(shell: Shell, arguments: Sequence[str]) -> None:
    said = shell(*arguments)
    assert said.status == os.EX_USAGE
    assert "--help" in said.line()


# keygen


def test_keygen_makes_a_private_file(shell: Shell) -> None:
    facts = parsed(shell("keygen", "new.key", "--json"))
    assert set(facts) == {"file", "kid", "public"}
    assert len(bytes.fromhex(facts["public"])) == 32
    assert (shell.folder / "new.key").stat().st_mode & 0o777 == 0o600
    assert shell("keygen", "other.key").out.startswith("other.key: key ")


def test_keygen_makes_a_channel_key_with_its_count_beside_it(shell: Shell) -> None:
    facts = parsed(shell("keygen", "new.pem", "--channel", "--public", "new.pub", "--json"))
    assert set(facts) == {"file", "public"}
    public = facts["public"]
    assert public.startswith("x25519:")
    assert len(bytes.fromhex(public.removeprefix("x25519:"))) == 32
    assert (shell.folder / "new.pub").read_text() == f"{public}\n"
    for name in ("new.pem", "new.pem.numbers"):
        assert (shell.folder / name).stat().st_mode & 0o777 == 0o600
    assert public.removeprefix("x25519:") in (shell.folder / "new.pem.numbers").read_text()
    assert shell("keygen", "other.pem", "--channel").out.startswith("other.pem: public x25519:")


@pytest.mark.parametrize("arguments", [["new.pem", "--sealed"], ["pkcs11:token=ward;object=source"]])
def test_keygen_makes_a_channel_key_in_a_file_only(shell: Shell, arguments: list[str]) -> None:
    said = shell("keygen", "--channel", *arguments)
    assert said.status == os.EX_USAGE
    assert "not sealed, not on a token" in said.line()
    assert not (shell.folder / "new.pem").exists()


@pytest.mark.parametrize("path", ["ward.key", "nowhere/new.key"])
@pytest.mark.parametrize("kind", [[], ["--channel"]])
def test_keygen_that_cannot(shell: Shell, path: str, kind: list[str]) -> None:
    said = shell("keygen", path, *kind)
    assert said.status == os.EX_CANTCREAT
    assert said.line().startswith(path)


# sign


def signs(shell: Shell, *more: str | Path, file: str = "draft.toml", out: str = "out.cose") -> Said:
    known = ["--issuer", "ward", "--sequence", "1", "--area", "vn/01/00268"]
    return shell("sign", file, "--key", "ward.key", "--out", out, *known, *more)


def test_sign_makes_what_verifies(shell: Shell) -> None:
    said = signs(shell)
    assert said.status == os.EX_OK
    envelope = Envelope.open((shell.folder / "out.cose").read_bytes())
    assert isinstance(envelope.statement, Bulletin)
    assert envelope.statement.title == "Tin"
    assert envelope.verified_by({SIGNER.kid: SIGNER.public})
    assert envelope.digest.hex() in said.out


def test_sign_names_recordings_that_decode(shell: Shell) -> None:
    tone(shell.folder / "a.opus", 0.5)
    assert signs(shell, "--audio", "a.opus").status == os.EX_OK
    statement = Envelope.open((shell.folder / "out.cose").read_bytes()).statement
    assert isinstance(statement, Bulletin)
    assert statement.audio[0].media_type == "audio/opus"


def test_sign_refuses_a_recording_that_does_not_decode(shell: Shell) -> None:
    said = signs(shell, "--audio", "garbage")
    assert said.status == os.EX_UNAVAILABLE
    assert "garbage" in said.line()
    assert not (shell.folder / "out.cose").exists()


def test_sign_adds_a_signature(shell: Shell) -> None:
    write_key(shell.folder / "second.key", signer(77))
    said = shell("sign", "bulletin.cose", "--add", "--key", "second.key", "--out", "both.cose")
    assert said.status == os.EX_OK
    both = Envelope.open((shell.folder / "both.cose").read_bytes())
    assert {one.kid for one in both.signatures} == {SIGNER.kid, signer(77).kid}


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["draft.toml", "--key", "ward.key", "--out", "o"], os.EX_USAGE, "needs --issuer, --sequence and --area"),
        (["draft.toml", "--key", "nowhere", "--out", "o"], os.EX_NOINPUT, "nowhere: the key cannot be read"),
        (["draft.toml", "--key", "draft.toml", "--out", "o"], os.EX_NOINPUT, "others could read this key"),
        (["bulletin.cose", "--add", "--key", "ward.key", "--out", "o"], os.EX_DATAERR, "has signed already"),
        (["beat.cose", "--add", "--key", "ward.key", "--out", "o"], os.EX_DATAERR, "can hold no more signatures"),
        (["garbage", "--add", "--key", "ward.key", "--out", "o"], os.EX_DATAERR, "malformed-cose"),
        (["nowhere", "--add", "--key", "ward.key", "--out", "o"], os.EX_NOINPUT, "nowhere"),
    ],
)
def test_sign_that_cannot(shell: Shell, arguments: list[str], status: int, words: str) -> None:
    said = shell("sign", *arguments)
    assert said.status == status
    assert words in said.line()
    assert not (shell.folder / "o").exists()


@pytest.mark.parametrize(
    ("draft", "words"),
    [
        ("colour = 1", "unknown field `colour`"),
        ("expires = 2020-01-01T00:00:00Z", "expires lies in the past"),
        (f'[[text]]\ntitle = "{"x" * 201}"\nbody = "x"', "Text.title: a text of 1 to 200 characters is needed"),
    ],
)
def test_sign_of_a_bad_draft(shell: Shell, draft: str, words: str) -> None:
    (shell.folder / "draft.toml").write_text(draft)
    said = signs(shell)
    assert said.status == os.EX_DATAERR
    assert words in said.line()


def test_sign_twice_with_one_key_is_refused_before_it_is_written(shell: Shell) -> None:
    said = signs(shell, "--key", "ward.key")
    assert said.status == os.EX_DATAERR
    assert "signs twice" in said.line()
    assert not (shell.folder / "out.cose").exists()


def test_sign_into_a_folder_that_is_not_there(shell: Shell) -> None:
    said = signs(shell, out="nowhere/out.cose")
    assert said.status == os.EX_CANTCREAT
    assert "nowhere/out.cose" in said.line()


def test_sign_of_an_alert_that_is_none(shell: Shell) -> None:
    (shell.folder / "alert.xml").write_text("<alert/>")
    assert signs(shell, file="alert.xml").status == os.EX_DATAERR


# inspect


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["root.cose"], "root"),
        (["root.cose", "--root", "root.cose"], "root"),
        (["grants.cose", "--root", "root.cose"], "grants"),
        (["beat.cose", "--root", "root.cose"], "beat"),
        (["bulletin.cose", "--root", "root.cose", "--grants", "grants.cose"], "bulletin"),
        (["cancel.cose", "--root", "root.cose", "--grants", "grants.cose"], "cancel"),
        (["bulletin.cose", "--key", SIGNER.public.raw.hex()], "bulletin"),
    ],
)
def test_inspect_says_what_verifies(shell: Shell, arguments: list[str], kind: str) -> None:
    said = shell("inspect", *arguments, "--json")
    facts = parsed(said)
    assert said.status == os.EX_OK
    assert (facts["type"], facts["verifies"]) == (kind, True)
    words = shell("inspect", *arguments, "--lang", "en")
    assert "It verifies: " in words.out
    assert facts["digest"] in words.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["bulletin.cose"],
        ["bulletin.cose", "--root", "root.cose"],
        ["forged.cose", "--root", "root.cose", "--grants", "grants.cose"],
        ["forged.cose", "--key", SIGNER.public.raw.hex()],
        ["grants.cose"],
    ],
)
def test_inspect_says_what_does_not_verify(shell: Shell, arguments: list[str]) -> None:
    said = shell("inspect", *arguments, "--json")
    assert said.status == os.EX_DATAERR
    assert parsed(said)["verifies"] is False
    words = shell("inspect", *arguments, "--lang", "en")
    assert words.status == os.EX_DATAERR
    assert "It does NOT verify: " in words.out


def test_inspect_by_the_public_key_of_a_token(shell: Shell) -> None:
    token = p256_signer(7)
    (shell.folder / "token.cose").write_bytes(sign(ORDER, [token]))
    said = shell("inspect", "token.cose", "--key", token.public.raw.hex(), "--lang", "en")
    assert said.status == os.EX_OK
    assert f"It verifies: by key {token.kid.hex()}." in said.out


def test_inspect_tells_times_and_words_as_people_write_them(shell: Shell) -> None:
    statement = parsed(shell("inspect", "bulletin.cose", "--json"))["statement"]
    assert statement["issued"] == "2027-01-15T08:00:00+00:00"
    assert (statement["priority"], statement["status"]) == ("priority", "Actual")
    assert statement["texts"][0]["title"] == "Cảnh báo lũ quét"
    assert statement["supersedes"] == ["02" * 32]


def test_a_sealed_key_is_good_for_emergencies_alone(shell: Shell) -> None:
    for priority, status in ((Priority.EMERGENCY, os.EX_OK), (Priority.PRIORITY, os.EX_DATAERR)):
        one = replace(BULLETIN, issuer="station", priority=priority)
        (shell.folder / "sealed.cose").write_bytes(sign(one, [SEALED_KEY]))
        said = shell("inspect", "sealed.cose", "--root", "root.cose", "--grants", "grants.cose")
        assert said.status == status


EVIL = "Tin\r\x1b[2A\x1b[2K\x9b2J\u202e\nIt verifies: by authority ward.\n  Test, normal: Tin"
SHOWN = "Tin??[2A?[2K?2J?"


def obeyed(out: str) -> set[str]:
    """What of an output a terminal would do instead of showing it, ends of lines aside."""
    return {letter for letter in out if not letter.isprintable()} - {"\n"}


def test_what_a_statement_says_passes_for_nothing_that_inspect_says(shell: Shell) -> None:
    evil = replace(BULLETIN, texts=(Text("vi", EVIL, EVIL),), approver=EVIL, audience=Audience((EVIL,)))
    (shell.folder / "evil.cose").write_bytes(sign(evil, [STRANGER]))
    words = shell("inspect", "evil.cose", "--lang", "en").out
    lines = words.splitlines()
    assert not obeyed(words)
    assert [one for one in lines if one.startswith("It ")] == ["It does NOT verify: " + lines[1].partition(": ")[2]]
    assert f"  approver: {SHOWN}" in lines
    imitations = [one.strip() for one in lines if "Test, normal" in one]
    assert imitations  # they are shown, behind a bar
    assert all(one.startswith("| ") for one in imitations)


def test_nor_for_what_is_told_of_a_file_that_was_signed(shell: Shell) -> None:
    evil = replace(BULLETIN, texts=(Text("vi", EVIL, "x"),), expires=2**40)
    (shell.folder / "evil.cose").write_bytes(sign(evil, [STRANGER]))
    said = shell("sign", "evil.cose", "--add", "--key", "ward.key", "--out", "out.cose")
    assert said.status == os.EX_OK
    assert not obeyed(said.out)
    assert said.out.splitlines()[1:] == [
        f"  Actual, emergency: {SHOWN}?It verifies: by authority ward.?  Test, normal: Tin"
    ]


SETTINGS = {"hub.language": "vi", "source.uri": "coap://other.example"}


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        (
            replace(ORDER, action=Action.SILENCE, targets=(), priority=Priority.EMERGENCY, expires=2**40),
            "emergency: order silence",
        ),
        (
            replace(ORDER, action=Action.CONFIGURATION, targets=(), settings=SETTINGS, expires=2**40),
            "priority: order configuration, source.uri = coap://other.example, hub.language = vi",
        ),
        (replace(CANCEL, expires=2**40), f"cancel of {CANCEL.target.hex()}"),
        (replace(RECALL, expires=2**40), f"cancel of {RECALL.target.hex()}, says aloud that it was sent in error"),
    ],
)
def test_who_signs_an_order_or_a_cancel_is_told_what_it_does(shell: Shell, statement: Statement, line: str) -> None:
    (shell.folder / "one.cose").write_bytes(sign(statement, [STRANGER]))
    said = shell("sign", "one.cose", "--add", "--key", "ward.key", "--out", "two.cose")
    assert said.status == os.EX_OK
    assert said.out.splitlines()[1:] == [f"  {line}"]


def test_nor_does_an_error(shell: Shell) -> None:
    (shell.folder / "evil.cose").write_bytes(sign(replace(BULLETIN, issuer="a\x1b[2Kb", expires=2**40), [STRANGER]))
    said = shell("sign", "evil.cose", "--add", "--key", "ward.key", "--grants", "grants.cose", "--out", "out.cose")
    assert said.line().startswith("a?[2Kb is granted nothing")


def test_a_grant_that_ended_after_all_the_years_that_python_knows_is_compared(shell: Shell) -> None:
    ward = replace(AUTHORITY, not_after=2**53)
    endless = replace(GRANTS, expires=2**53, authorities=(ward, replace(ward, id="past\x1b[2K\n")))
    (shell.folder / "endless.cose").write_bytes(sign(endless, [GRANT_KEY]))
    (shell.folder / "root-1.cose").write_bytes(sign(replace(ROOT, expires=2**53), [ROOT_KEY]))
    key = f'keys = {{ ward = "{SIGNER.public.raw.hex()}" }}\nareas = ["vn/01/00268"]\n'
    grant = f'[[authority]]\nid = "ward"\n{key}threshold = 1\nlevel = 3\nhighest_priority = "normal"\n'
    (shell.folder / "next.toml").write_text(f"days = 1\n{grant}")
    by = ("--root", "root-1.cose", "--after", "endless.cose", "--key", grant_key(shell))
    said = shell("grants", "next.toml", *by, "--out", "next.cose")
    assert said.status == os.EX_OK
    assert not obeyed(said.out)
    past, line = said.out.splitlines()[-2:]
    assert past == "  - past?[2K?: is granted nothing any more"
    assert line.startswith("  * ward: changed")
    assert "(was 9999-01-01T00:00:00+00:00)" in line


def grant_key(shell: Shell) -> Path:
    write_key(shell.folder / "grant.key", GRANT_KEY)
    return shell.folder / "grant.key"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["nowhere"], os.EX_NOINPUT, "nowhere"),
        (["garbage"], os.EX_DATAERR, "malformed-cose"),
        (["."], os.EX_IOERR, "directory"),
        (["bulletin.cose", "--key", "xyz"], os.EX_USAGE, "--key xyz: a public key is 64 or 128 hex digits"),
        (["bulletin.cose", "--key", "00"], os.EX_USAGE, "--key 00: public key of 1 bytes: an Ed25519 key has 32"),
        (["bulletin.cose", "--key", "00" * 32], os.EX_USAGE, "public key of low order"),
        (["bulletin.cose", "--root", "nowhere"], os.EX_NOINPUT, "nowhere"),
    ],
)
def test_inspect_that_cannot(shell: Shell, arguments: list[str], status: int, words: str) -> None:
    said = shell("inspect", *arguments)
    assert said.status == status
    assert words in said.line()


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (Status.ACTUAL, None),
        (Status.TEST, "This is a TEST: it is shown and announced as one."),
        (Status.EXERCISE, "This is an EXERCISE: it is shown and announced as one."),
    ],
)
def test_a_drill_is_called_one_wherever_it_is_signed_and_looked_at(
    shell: Shell, status: Status, said: str | None
) -> None:
    (shell.folder / "draft.toml").write_text(f'status = "{status}"\npriority = "emergency"\n{DRAFT}')
    signed = signs(shell)
    assert f"  {status}, emergency: Tin\n" in signed.out
    lines = shell("inspect", "out.cose", "--key", SIGNER.public.raw.hex(), "--lang", "en").out.splitlines()
    assert f"  status: {status}" in lines
    assert [one for one in lines if "announced as one" in one] == ([said] if said else [])
    assert lines[1] == (said or lines[1])


def test_the_status_of_a_bulletin_stands_in_json_of_whoever_signs(shell: Shell) -> None:
    facts = parsed(signs(shell, "--json"))
    assert (facts["status"], facts["priority"], facts["title"]) == ("Actual", "normal", "Tin")


def test_a_receipt_about_a_drill_says_so(shell: Shell) -> None:
    (shell.folder / "receipt.cose").write_bytes(sign(RECEIPT, [SIGNER]))
    said = shell("inspect", "receipt.cose", "--key", SIGNER.public.raw.hex(), "--lang", "en")
    assert "  status: Exercise" in said.out.splitlines()
    assert "announced as one" not in said.out


# check-config, run, audit, publish


def test_check_config_counts_what_is_driven(shell: Shell) -> None:
    facts = parsed(shell("check-config", "--config", shell.config(), "--json"))
    assert facts == {"hub": "hub-1", "root_version": 1, "amplifiers": 1, "zones": 2, "boards": 1}
    assert "good" in shell("check-config", "--config", shell.config()).out


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[hub]", "[hub]\ncolour = 1", "unknown field `colour`"),
        ('"wardhub/amp8"', '"acme/amp"', "acme/amp"),
        ("relay = 2", "relay = 8", "amplifier amp-1: wardhub/amp8 has relays 0 to 7"),
        ('"wardhub/amp8"', '"wardhub/amp8"\nserial = "00c0ffe"', "`$.amplifier[0].serial`"),
        (
            '"wardhub/amp8"',
            '"waveshare/modbus-rtu-relay-16ch"',
            "amplifier amp-1: nobody attests that waveshare/modbus-rtu-relay-16ch opens its relays by itself",
        ),
        (
            '"wardhub/amp8"',
            '"waveshare/modbus-rtu-relay-8ch"\nserial = "00c0ffee"',
            "amplifier amp-1: waveshare/modbus-rtu-relay-8ch tells no serial number; leave it out",
        ),
        ("/etc/wardhub/root.cose", "/nowhere/root.cose", "trust.root /nowhere/root.cose: cannot be read"),
        ("/etc/wardhub/root.cose", "garbage", "trust.root garbage: malformed-cose"),
        ("/etc/wardhub/root.cose", "grants.cose", "a root is needed, not a grants"),
    ],
)
def test_check_config_says_what_is_wrong(shell: Shell, old: str, new: str, words: str) -> None:
    said = shell("check-config", "--config", shell.config(GOOD.replace(old, new)))
    assert said.status == os.EX_CONFIG
    assert words in said.line()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("peacefair/pzem-016", "acme/meter", "acme/meter: load profile: no such profile"),
        ("peacefair/pzem-016", "wardhub/amp8", "profile wardhub/amp8: load profile: relays: this product switches"),
        ('"power"', '"loudness"', "no reading loudness; known are: voltage, current, power"),
    ],
)
def test_check_config_looks_for_the_readings_of_meters(shell: Shell, old: str, new: str, words: str) -> None:
    assert shell("check-config", "--config", shell.config(GOOD + METER)).status == os.EX_OK
    said = shell("check-config", "--config", shell.config(GOOD + METER.replace(old, new)))
    assert said.status == os.EX_CONFIG
    assert words in said.line()


@pytest.mark.parametrize("command", ["run", "check-config"])
def test_without_a_configuration_nothing_runs(shell: Shell, command: str) -> None:
    said = shell(command, "--config", "nowhere.toml")
    assert said.status == os.EX_CONFIG
    assert "nowhere.toml: cannot be read" in said.line()


def test_run_says_that_its_state_cannot_be_used(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.root, "handlers", [logging.NullHandler()])
    said = shell("run", "--config", shell.config(GOOD.replace("/var/lib/wardhub", "garbage/state")))
    assert said.status == os.EX_NOINPUT
    assert "garbage/state: the state directory cannot be made" in said.line()


@pytest.mark.parametrize("table", ["receipt", "alarm", "document"])
def test_run_says_that_its_journal_is_damaged(shell: Shell, monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    monkeypatch.setattr(logging.root, "handlers", [logging.NullHandler()])
    state = shell.folder / "state"
    state.mkdir(mode=0o700)
    write_key(state / "hub.key", HUB_KEY)
    with journal(state) as opened:
        opened.ledger.note("a beginning", {})
    (page,) = rows(state, f"SELECT rootpage FROM sqlite_master WHERE name = '{table}'")[0]
    with (state / FILE).open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    said = shell("run", "--config", shell.config(GOOD.replace("/var/lib/wardhub", str(state))))
    assert said.status == os.EX_NOINPUT
    assert "journal.sqlite: the journal cannot be used: database disk image is malformed" in said.line()


def test_audit_without_a_journal(shell: Shell) -> None:
    said = shell("audit", "verify", "--config", shell.config(GOOD.replace("/var/lib/wardhub", "nowhere")))
    assert said.status == os.EX_NOINPUT
    assert "nowhere" in said.line()


@pytest.mark.parametrize(
    ("file", "status"), [("nowhere", os.EX_NOINPUT), ("garbage", os.EX_DATAERR), (".", os.EX_IOERR)]
)
def test_publish_of_what_is_no_signed_file(shell: Shell, file: str, status: int) -> None:
    said = shell("publish", file, "--to", "coap://127.0.0.1:1")
    assert said.status == status
    said.line()


def test_publish_to_what_is_no_source(shell: Shell) -> None:
    said = shell("publish", "bulletin.cose", "--to", "http://example.org")
    assert said.status in {os.EX_USAGE, os.EX_UNAVAILABLE}
    assert "http://example.org" in said.line()


def test_an_emergency_without_its_quorum_does_not_verify(shell: Shell) -> None:
    """What no hub would accept must not be called good here."""
    (shell.folder / "q-root.cose").write_bytes(sign(WITH_QUORUM.root, [ROOT_KEY]))
    by = ["--root", "q-root.cose", "--grants", "grants.cose"]
    (shell.folder / "alone.cose").write_bytes(sign(BULLETIN, [SIGNER]))
    assert shell("inspect", "alone.cose", *by).status == os.EX_DATAERR
    (shell.folder / "both.cose").write_bytes(sign(BULLETIN, [SIGNER, *QUORUM[:2]]))
    said = shell("inspect", "both.cose", *by, "--lang", "en")  # one officer of the ward itself
    assert said.status == os.EX_DATAERR
    assert "It does NOT verify: threshold-not-met: 1 of 2 keys of ward signed." in said.out
    assert "Needed: 2 of authority ward; 1 signed." in said.out
    assert shell("inspect", "both.cose", *by, "--area", "vn/01/00268/3").status == os.EX_OK  # a hub below it
    (shell.folder / "normal.cose").write_bytes(sign(replace(MINIMAL, sequence=5), [SIGNER]))
    assert shell("inspect", "normal.cose", *by).status == os.EX_OK


def test_what_an_author_wrote_cannot_repaint_what_is_told_of_it(shell: Shell) -> None:
    """Who signs beside the author reads it here first."""
    text = Text("vi", "Tin \x1b[5A\x1b[Jkhác", "Một\tđoạn\nIt verifies: by root 1.\rx\u202e")
    (shell.folder / "painted.cose").write_bytes(sign(replace(MINIMAL, texts=(text,), approver="\x9b2J"), [SIGNER]))
    told = shell("inspect", "painted.cose", "--lang", "en").out
    assert all(line.isprintable() for line in told.split("\n"))
    assert "    title: Tin ?[5A?[Jkhác\n    body: Một đoạn\n    | It verifies: by root 1.?x?\n" in told
    assert "  approver: ?2J\n" in told


def test_json_of_what_strangers_wrote_is_plain_and_the_same(shell: Shell) -> None:
    text = Text("vi", "Nước lên \x1b[5A\x9b2J", "một\u202e \U000e0041 🙂")
    (shell.folder / "painted.cose").write_bytes(sign(replace(MINIMAL, texts=(text,)), [SIGNER]))
    told = shell("inspect", "painted.cose", "--json").out
    assert all(line.isprintable() for line in told.split("\n"))
    assert "Nước lên \\u001b[5A\\u009b2J" in told
    assert "một\\u202e \\udb40\\udc41 🙂" in told
    assert "\u202e \U000e0041 🙂" in json.dumps(json.loads(told), ensure_ascii=False)


def test_no_command_prints_json_in_another_way() -> None:
    for file in Path(cli.__file__).parent.glob("*.py"):
        assert not re.search(r"json\.dumps?\(", file.read_text(encoding="utf-8")), file.name


# The log


def test_what_strangers_wrote_is_one_line_that_no_terminal_obeys() -> None:
    record = logging.LogRecord("x", logging.WARNING, "", 0, "refused %s", ("a\nb\x1b[2J\u202ec",), None)
    assert OneLine("%(levelname)s %(message)s").format(record) == "WARNING refused a?b?[2J?c"


def test_a_traceback_that_ends_in_what_strangers_wrote() -> None:
    try:
        raise ValueError("a\x1b[2J\n2027-01-15 INFO ward_hub: all is well\u202e")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "it failed", (), sys.exc_info())
    first, *rest = OneLine("%(levelname)s %(message)s").format(record).split("\n")
    assert first == "ERROR it failed"
    assert all(line.isprintable() and line.startswith("  ") for line in rest)
    assert rest[-2:] == ["  ValueError: a?[2J", "  2027-01-15 INFO ward_hub: all is well?"]
