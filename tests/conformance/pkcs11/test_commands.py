"""Commands with keys on a real token: made there, every document signed with them, a hub enrolled with one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.clocks import clock
from tests.journals import Now
from tests.softhsm import PIN, WRONG_PIN, SoftHsm
from tests.statements import AREA, NOW, SOURCE_CHANNEL
from tests.unit.hub.test_key_commands import Said, answers, run
from tests.unit.hub.test_publisher_commands import DRAFT, GRANTS, ROOT

from ward_hub.config import load
from ward_hub.errors import TokenError
from ward_hub.identity import hub_key
from ward_hub.journal import Journal
from ward_hub.publisher.drafts import channel_text
from ward_protocol.envelope import Envelope
from ward_protocol.keys import PublicKey
from ward_protocol.statements import Enrolment

pytestmark = pytest.mark.capability("softhsm2-util")


@pytest.fixture(autouse=True)
def _folder(hsm: SoftHsm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of drafts, and the office's keys: all on the token."""
    monkeypatch.chdir(tmp_path)
    for name in ("an", "binh", "grant", "beat", "ward"):
        assert run(f"keygen {hsm.uri(name)} --public {name}.pub") == 0
    for name, content in (("root.toml", ROOT), ("grants.toml", GRANTS), ("draft.toml", DRAFT)):
        Path(name).write_text(content, encoding="utf-8")
    assert run(f"root root.toml --key {hsm.uri('an')} --key {hsm.uri('binh')} --out root.cose") == 0
    assert run(f"grants grants.toml --root root.cose --key {hsm.uri('grant')} --out grants.cose") == 0


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """The one line on standard error since the last look."""
    capsys.readouterr()

    def look() -> str:
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1
        return lines[0]

    return look


def public(name: str) -> PublicKey:
    return PublicKey(bytes.fromhex(Path(f"{name}.pub").read_text().strip()))


def enrol(hsm: SoftHsm, key: str = "hub") -> str:
    """Enrol a hub with a key on the token; return the command that installs the answer."""
    assert run(f"enrol request --hub hub-1 --area {AREA} --state state --key {hsm.uri(key)} --out request.cose") == 0
    source = f"--root root.cose --source coap://source.vn --channel {channel_text(SOURCE_CHANNEL.public)}"
    assert run(f"enrol answer request.cose {source} --key {hsm.uri('grant')} --out answer.cose") == 0
    root_id = Envelope.open(Path("root.cose").read_bytes()).digest.hex()
    return f"enrol install answer.cose --root-id {root_id} --state state --config hub.toml --key {hsm.uri(key)}"


def test_every_document_is_signed_with_keys_that_never_left(hsm: SoftHsm, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(f"beat --key {hsm.uri('beat')} --root root.cose --grants grants.cose --out beat.cose") == 0
    trusted = "--root root.cose --grants grants.cose"
    assert run(
        f"sign draft.toml --key {hsm.uri('ward')} --issuer ward --sequence 1 --area {AREA} {trusted} --out b.cose"
    ) == 0  # fmt: skip
    assert run(f"sign b.cose --cancel --key {hsm.uri('ward')} --sequence 2 {trusted} --out c.cose") == 0
    assert run(f"root root.toml --after root.cose --key {hsm.uri('an')} --out next.cose") == 0
    assert run(f"sign next.cose --add --key {hsm.uri('binh')} --root root.cose --out next-2.cose") == 0
    for name in ("grants", "beat", "b", "c", "next-2"):
        capsys.readouterr()
        assert run(f"inspect {name}.cose {trusted} --json") == 0
        assert json.loads(capsys.readouterr().out)["verifies"], name
    assert {one.kid for one in Envelope.open(Path("b.cose").read_bytes()).signatures} == {public("ward").kid}


def test_a_key_is_never_made_twice(hsm: SoftHsm, said: Said) -> None:
    assert run(f"keygen {hsm.uri('an')}") == os.EX_UNAVAILABLE
    assert "token ward, key an: exists already" in said()


def test_what_fails_is_one_line_without_the_pin(hsm: SoftHsm, said: Said) -> None:
    sign = f"sign root.cose --add --key {hsm.uri('ward')} --out x"
    hsm.set_pin(WRONG_PIN)
    assert run(sign) == os.EX_CONFIG
    line = said()
    assert "token ward, key ward: it refuses the PIN: correct" in line
    assert WRONG_PIN not in line
    hsm.set_pin(PIN)
    hsm.pin_file.chmod(0o644)
    assert run(sign) == os.EX_NOINPUT
    assert "others could read this PIN" in said()
    hsm.pin_file.chmod(0o600)
    hsm.pull()
    assert run(sign) == os.EX_UNAVAILABLE
    assert "token ward, key ward: " in said()
    assert not Path("x").exists()


def test_a_pin_is_typed_where_no_file_is_named(hsm: SoftHsm) -> None:
    typed = answers(
        f"sign draft.toml --key {hsm.uri('ward', pin=False)} --issuer ward --sequence 1 --area {AREA} --out b.cose",
        {"Mã PIN của thiết bị khoá ward: ": PIN},
    )
    assert typed.end() == 0, typed.shown
    assert PIN not in typed.shown
    made = answers(f"keygen {hsm.uri('new', pin=False)} --lang en", {"PIN of token ward: ": PIN})
    assert made.end() == 0, made.shown


# A hub


def test_a_hub_s_key_is_made_on_its_token_and_named_in_its_configuration(
    hsm: SoftHsm, capsys: pytest.CaptureFixture[str]
) -> None:
    install = enrol(hsm)
    assert run(install) == 0
    assert sorted(one.name for one in Path("state").iterdir()) == ["admission.cose", "channel", "enrolment.cose"]
    config = load(Path("hub.toml"))
    assert config.hub.key == hsm.uri("hub")
    request = Envelope.open(Path("request.cose").read_bytes()).statement
    assert isinstance(request, Enrolment)
    with hub_key(Path("state"), config.key) as key:
        assert key.public.raw == request.public
    capsys.readouterr()
    assert run("check-config --config hub.toml --json") == 0
    assert json.loads(capsys.readouterr().out)["key"] == key.public.kid.hex()
    assert run("check-config --config hub.toml") == 0
    assert f"key {key.public.kid.hex()} on its token." in capsys.readouterr().out
    assert run(install) == 0  # the same again changes nothing


def test_the_same_key_asks_again(hsm: SoftHsm) -> None:
    enrol(hsm)
    first = Envelope.open(Path("request.cose").read_bytes()).statement
    enrol(hsm)
    again = Envelope.open(Path("request.cose").read_bytes()).statement
    assert isinstance(first, Enrolment)
    assert isinstance(again, Enrolment)
    assert first.public == again.public


def test_a_configuration_of_another_key_is_not_changed(hsm: SoftHsm, said: Said) -> None:
    assert run(enrol(hsm)) == 0
    content = Path("hub.toml").read_text(encoding="utf-8")
    Path("hub.toml").write_text(content.replace("object=hub", "object=other"), encoding="utf-8")
    assert run(enrol(hsm)) == os.EX_CONFIG
    assert "hub.key names another key" in said()


def test_an_empty_token_in_its_place_gets_no_key_by_itself(hsm: SoftHsm, said: Said) -> None:
    assert run(enrol(hsm)) == 0
    config = load(Path("hub.toml"))
    hsm.exchange()
    with pytest.raises(TokenError, match="no such public key"), hub_key(Path("state"), config.key):
        pass
    again = f"enrol request --hub hub-1 --area {AREA} --state state --key {hsm.uri()} --out request.cose"
    assert run(again) == os.EX_NOINPUT
    assert "the hub's key is gone, and enrolment.cose is of that key" in said()


def test_the_audit_trail_is_checked_without_a_pin(hsm: SoftHsm, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(enrol(hsm)) == 0
    with (
        hub_key(Path("state"), load(Path("hub.toml")).key) as key,
        Journal(Path("state/journal.sqlite"), "hub-1", key, clock(Now(NOW))) as journal,
    ):
        for number in range(1, 4):
            journal.ledger.accept("ward", number, bytes([number]) * 32, b"")
    hsm.pin_file.unlink()
    capsys.readouterr()
    assert run("audit verify --config hub.toml") == 0
    assert "3 entries, unbroken" in capsys.readouterr().out
