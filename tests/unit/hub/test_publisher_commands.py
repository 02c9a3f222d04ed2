"""The publisher's commands and the hub's enrolment, as machines apart: one clear line and a status for nonsense."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.statements import AREA, HUB_CHANNEL

from ward_hub.channel import installed
from ward_hub.cli.main import main
from ward_hub.config import load
from ward_hub.drafts import LIFE_S
from ward_protocol.channel import ChannelKey, agree
from ward_protocol.envelope import Envelope, sign
from ward_protocol.keys import Signer, kid_of
from ward_protocol.statements import Admission, Beat, Bulletin, Cancel, Enrolment, Root

Said = Callable[[], str]
ROOT = """
days = 100
[keys]
an = "an.pub"
binh = "binh.pub"
grant = "grant.pub"
beat = "beat.pub"
[roles]
root = { threshold = 2, keys = ["an", "binh"] }
grant = { threshold = 1, keys = ["grant"] }
beat = { threshold = 1, keys = ["beat"] }
"""
GRANTS = f"""
days = 50
[[authority]]
id = "ward"
keys = {{ ward = "ward.pub" }}
threshold = 1
level = 3
areas = ["{AREA}"]
highest_priority = "normal"
"""
DRAFT = '[[text]]\ntitle = "Thử"\nbody = "Một hai ba."\n'


@pytest.fixture(autouse=True)
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with everybody's keys and drafts, root 1 and grants 1 signed."""
    monkeypatch.chdir(tmp_path)
    for name in ("an", "binh", "grant", "beat", "ward", "stranger"):
        assert main(["keygen", f"{name}.pem", "--public", f"{name}.pub"]) == 0
    assert main(["keygen", "source.pem", "--channel", "--public", "source.pub"]) == 0
    for name, content in (("root.toml", ROOT), ("grants.toml", GRANTS), ("draft.toml", DRAFT)):
        Path(name).write_text(content, encoding="utf-8")
    assert run("root root.toml --key an.pem --key binh.pem --out root.cose") == 0
    assert run("grants grants.toml --root root.cose --key grant.pem --out grants.cose") == 0
    return tmp_path


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """What was said on standard error since the last look: one line."""
    capsys.readouterr()

    def look() -> str:
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1
        return lines[0]

    return look


def run(command: str) -> int:
    return main(command.split())


def inspected(command: str, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    capsys.readouterr()
    run(f"inspect {command} --json")
    facts: dict[str, object] = json.loads(capsys.readouterr().out)
    return facts


def test_each_signs_apart_and_the_files_are_joined(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("an", "binh"):
        assert run(f"root root.toml --after root.cose --key {name}.pem --out {name}.cose") == 0
    Path("copy.cose").write_bytes(Path("an.cose").read_bytes())
    assert run("sign copy.cose --add --key binh.pem --root root.cose --out two.cose") == 0
    assert run("sign an.cose --join two.cose --root root.cose --out joined.cose") == 0
    assert inspected("an.cose --root root.cose", capsys)["verifies"] is False
    facts = inspected("joined.cose --root root.cose", capsys)
    assert facts["verdict"] == "as the next root, 2"
    assert [one["who"] for one in facts["thresholds"]] == ["role root of root 1", "role root of root 2"]  # type: ignore[attr-defined]


def test_what_is_written_is_told_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run("root root.toml --key an.pem --out one.cose --json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["thresholds"][0]["met"] is False
    assert facts["digest"] == Envelope.open(Path("one.cose").read_bytes()).digest.hex()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("root root.toml --key stranger.pem --out x", "would not count"),
        ("root root.toml --key an.pem --after grants.cose --out x", "a root is needed"),
        ("root grants.toml --key an.pem --out x", "grants.toml: "),
        ("grants grants.toml --root root.cose --key an.pem --out x", "would not count"),
        ("grants grants.toml --root root.cose --after root.cose --key grant.pem --out x", "a grants is needed"),
        ("sign root.cose --add --key an.pem --out x", "has signed already"),
        ("sign root.cose --add --key stranger.pem --out x", "would not count"),
        ("sign grants.cose --add --key stranger.pem --root root.cose --out x", "would not count"),
        ("sign root.cose --add --out x", "needs a --key"),
        ("sign root.cose --join grants.cose --out x", "different statements"),
        ("sign draft.toml --key ward.pem --issuer ward --out x", "--sequence"),
        (
            f"sign draft.toml --key ward.pem --issuer ward --sequence 1 --area {AREA} --grants root.cose --out x",
            "grants",
        ),
        ("sign draft.toml --key ward.pem --issuer ward --sequence 1 --area vn --grants grants.cose --out x", "for"),
        (
            f"sign draft.toml --key stranger.pem --issuer ward --sequence 1 --area {AREA} --grants grants.cose --out x",
            "would not count",
        ),
        ("beat --key grant.pem --root root.cose --grants grants.cose --out x", "has not the role beat"),
        ("beat --key beat.pem --root root.cose --grants grants.cose --head ward --out x", "ISSUER=NUMBER"),
        ("beat --key beat.pem --root root.cose --grants grants.cose --nonce xyz --out x", "hex"),
        ("beat --key beat.pem --root root.cose --grants grants.cose --nonce 00 --out x", "8 to 16 bytes"),
    ],
)
def test_nonsense_is_refused_in_one_line_and_nothing_is_written(command: str, words: str, said: Said) -> None:
    assert run(command) in {os.EX_DATAERR, os.EX_USAGE}
    assert words in said()
    assert not Path("x").exists()


def test_a_key_that_others_could_read_is_refused_by_every_command(said: Said) -> None:
    for name in ("an", "grant", "beat", "ward"):
        Path(f"{name}.pem").chmod(0o644)
    for command in (
        "root root.toml --key an.pem --out x",
        "grants grants.toml --root root.cose --key grant.pem --out x",
        "beat --key beat.pem --root root.cose --grants grants.cose --out x",
        "sign grants.cose --add --key an.pem --out x",
    ):
        assert run(command) == os.EX_NOINPUT
        assert "mode 0600" in said()


def test_a_beat_goes_on_from_the_one_before(said: Said) -> None:
    base = "beat --key beat.pem --root root.cose --grants grants.cose"
    assert run(f"{base} --head ward=3 --nonce 0011223344556677 --out one.cose") == 0
    assert run(f"{base} --after one.cose --head other=1 --out two.cose") == 0
    beat = Envelope.open(Path("two.cose").read_bytes()).statement
    assert isinstance(beat, Beat)
    assert beat.heads == {"ward": 3, "other": 1}
    assert run(f"{base} --after two.cose --head ward=2 --out x") == os.EX_DATAERR
    assert "would hide statements" in said()


def test_inspect_looks_at_the_signatures_of_a_root_also_where_it_is_the_one_in_force(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = Envelope.open(Path("root.cose").read_bytes()).statement
    Path("forged.cose").write_bytes(sign(root, [Signer.generate()]))
    assert inspected("root.cose --root root.cose", capsys)["verdict"] == "by its own root keys"
    assert inspected("forged.cose --root root.cose", capsys)["verifies"] is False


def test_inspect_says_of_each_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("inspect grants.cose") == os.EX_DATAERR
    Path("short.toml").write_text(GRANTS.replace("days = 50", "days = 3"), encoding="utf-8")
    assert run("grants short.toml --root root.cose --key grant.pem --out short.cose") == 0
    capsys.readouterr()
    assert run("inspect short.cose --root root.cose --lang en") == 0
    told = capsys.readouterr().out
    assert "It verifies: by root 1" in told
    assert "Needed: 1 of role grant of root 1; 1 signed." in told
    assert "Note: grants 1 ends in 3 days" in told
    assert run("inspect short.cose --root root.cose") == 0
    assert "văn bản cấp quyền 1 hết hạn sau 3 ngày" in capsys.readouterr().out


def test_a_cancel_names_the_published_file() -> None:
    trusted = "--root root.cose --grants grants.cose"
    assert run(f"sign draft.toml --key ward.pem --issuer ward --sequence 1 --area {AREA} {trusted} --out b.cose") == 0
    assert run(f"sign b.cose --cancel --key ward.pem --sequence 2 --why mistaken {trusted} --out c.cose") == 0
    bulletin = Envelope.open(Path("b.cose").read_bytes())
    cancel = Envelope.open(Path("c.cose").read_bytes()).statement
    assert isinstance(cancel, Cancel)
    assert isinstance(bulletin.statement, Bulletin)
    assert (cancel.issuer, cancel.sequence, cancel.why) == ("ward", 2, "mistaken")
    assert cancel.target == bulletin.digest
    assert (cancel.audience, cancel.expires) == (bulletin.statement.audience, bulletin.statement.expires)


def test_a_cancel_that_announces_may_air_for_a_day_though_its_target_ends_sooner() -> None:
    Path("draft.toml").write_text(f"expires = {in_an_hour()}\n{DRAFT}", encoding="utf-8")
    assert run(f"sign draft.toml --key ward.pem --issuer ward --sequence 1 --area {AREA} --out b.cose") == 0
    assert run("sign b.cose --cancel --announce --key ward.pem --sequence 2 --out c.cose") == 0
    wrong, cancel = (Envelope.open(Path(name).read_bytes()).statement for name in ("b.cose", "c.cose"))
    assert isinstance(wrong, Bulletin)
    assert isinstance(cancel, Cancel)
    assert cancel.announce
    assert cancel.expires == cancel.issued + LIFE_S > wrong.expires


def in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("sign draft.toml --announce --key ward.pem --sequence 1 --out x", "--announce goes with --cancel"),
        ("sign root.cose --cancel --key ward.pem --sequence 2 --out x", "a bulletin is needed"),
        ("sign b.cose --cancel --key ward.pem --out x", "--sequence"),
        ("sign b.cose --cancel --key ward.pem --sequence 2 --issuer other --out x", "only ward"),
        ("sign b.cose --cancel --key stranger.pem --sequence 2 --grants grants.cose --out x", "would not count"),
    ],
)
def test_a_cancel_that_makes_no_sense(command: str, words: str, said: Said) -> None:
    assert run(f"sign draft.toml --key ward.pem --issuer ward --sequence 1 --area {AREA} --out b.cose") == 0
    assert run(command) in {os.EX_DATAERR, os.EX_USAGE}
    assert words in said()
    assert not Path("x").exists()


# Orders

SILENCE = 'order = "silence"\npriority = "emergency"\nzones = ["zone-1"]\nminutes = 30\nwhy = "loa h\u1ecfng"\n'
EMERGENCIES = """
days = 50
[[authority]]
id = "ward"
keys = { ward = "ward.pub", second = "stranger.pub" }
threshold = 1
level = 3
areas = ["%s"]
highest_priority = "emergency"
kinds = ["bulletin", "cancel", "order"]
"""
ORDER = f"--issuer ward --sequence 1 --area {AREA} --root root.cose --grants orders.cose"


@pytest.fixture
def orders(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A quorum of one in root 2, grants for emergencies and orders under it, and the draft of a silence."""
    Path("quorum.toml").write_text(
        ROOT.replace("[roles]", 'duty = "duty.pub"\n[roles]\nquorum = { threshold = 1, keys = ["duty"] }'),
        encoding="utf-8",
    )
    Path("orders.toml").write_text(EMERGENCIES % AREA, encoding="utf-8")
    Path("silence.toml").write_text(SILENCE, encoding="utf-8")
    assert run("keygen duty.pem --public duty.pub") == 0
    assert run("root quorum.toml --key an.pem --key binh.pem --out root.cose") == 0
    assert run("grants orders.toml --root root.cose --key grant.pem --out orders.cose") == 0
    capsys.readouterr()


def kid(name: str) -> str:
    return kid_of(bytes.fromhex(Path(f"{name}.pub").read_text(encoding="ascii").strip())).hex()


@pytest.mark.usefixtures("orders")
def test_an_order_of_the_priority_emergency_is_signed_by_two_officers_and_the_quorum(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(f"sign silence.toml --key ward.pem {ORDER} --out one.cose") == 0
    first = capsys.readouterr().out
    assert first.startswith("one.cose: order ")
    assert f"  authority ward: 1 of 2, open: {kid('stranger')}\n" in first
    assert f"  role quorum of root 1: 0 of 1, open: {kid('duty')}\n" in first

    assert run("sign one.cose --add --key duty.pem --root root.cose --grants orders.cose --out duty.cose") == 0
    assert run("sign one.cose --add --key stranger.pem --root root.cose --grants orders.cose --out second.cose") == 0
    assert run("inspect duty.cose --root root.cose --grants orders.cose") == os.EX_DATAERR
    capsys.readouterr()
    assert run("sign duty.cose --join second.cose --root root.cose --grants orders.cose --out order.cose") == 0
    joined = capsys.readouterr().out
    assert "authority ward: 2 of 2\n" in joined
    assert "role quorum of root 1: 1 of 1\n" in joined
    facts = inspected("order.cose --root root.cose --grants orders.cose", capsys)
    assert facts["verifies"]
    assert facts["verdict"] == "by authority ward under root 1"
    said = facts["statement"]
    assert isinstance(said, dict)
    assert (said["action"], said["priority"], said["why"]) == ("silence", "emergency", "loa hỏng")
    assert said["audience"]["zones"] == ["zone-1"]


@pytest.mark.usefixtures("orders")
def test_an_order_below_an_emergency_needs_no_quorum(capsys: pytest.CaptureFixture[str]) -> None:
    Path("stop.toml").write_text('order = "stop"\npriority = "priority"\n', encoding="utf-8")
    assert run(f"sign stop.toml --key ward.pem {ORDER} --out stop.cose --json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["type"] == "order"
    assert [one["met"] for one in facts["thresholds"]] == [True]
    assert inspected("stop.cose --root root.cose --grants orders.cose", capsys)["verifies"]


@pytest.mark.usefixtures("orders")
@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("sign silence.toml --key ward.pem --issuer ward --out x", "a new order needs --issuer, --sequence and --area"),
        (f"sign silence.toml --issuer ward --sequence 1 --area {AREA} --out x", "a new order needs a --key"),
        (f"sign silence.toml --key ward.pem {ORDER} --audio a.ogg --out x", "leave --audio out"),
        (f"sign silence.toml --key grant.pem {ORDER} --out x", "would not count"),
        ("sign silence.toml --key ward.pem --issuer ward --sequence 1 --area vn --grants orders.cose --out x", "for"),
        (
            f"sign silence.toml --key ward.pem --issuer ward --sequence 1 --area {AREA} --grants grants.cose --out x",
            "kind",
        ),
    ],
)
def test_an_order_that_makes_no_sense(command: str, words: str, said: Said) -> None:
    assert run(command) in {os.EX_DATAERR, os.EX_USAGE}
    assert words in said()
    assert not Path("x").exists()


# Enrolment


def root_id() -> str:
    return Envelope.open(Path("root.cose").read_bytes()).digest.hex()


def enrol(key: str = "grant") -> None:
    assert run(f"enrol request --hub hub-1 --area {AREA} --state state --out request.cose") == 0
    command = f"enrol answer request.cose --root root.cose --source coap://source.vn --key {key}.pem --out answer.cose"
    assert run(f"{command} --channel source.pub") == 0


def test_a_hub_asks_and_installs_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    enrol()
    assert inspected("request.cose", capsys)["verifies"]
    facts = inspected("answer.cose --root root.cose", capsys)
    assert facts["verifies"]
    assert facts["statement"]["root"]["id"] == root_id()  # type: ignore[index]
    install = f"enrol install answer.cose --root-id {root_id()} --state state --config hub.toml"
    assert run(install) == 0
    config = load(Path("hub.toml"))
    assert (config.hub.id, config.hub.area, config.source.uri) == ("hub-1", AREA, "coap://source.vn")
    assert Path(config.trust.root).read_bytes() == Path("root.cose").read_bytes()
    assert config.source.protected is True
    assert Path("state/admission.cose").read_bytes() == Path("answer.cose").read_bytes()
    end = installed(Path("state"), "hub-1", protected=config.source.protected)
    assert end is not None
    key = ChannelKey.from_pem(Path("source.pem").read_bytes())
    asked = Envelope.open(Path("request.cose").read_bytes())
    assert isinstance(asked.statement, Enrolment)
    assert end.agreement == agree(key, "hub-1", asked.statement.channel, key.public, asked.digest)
    assert facts["statement"]["channel"] == key.public.hex()  # type: ignore[index]
    assert end.numbers.reserve() == 0
    assert run(install) == 0  # the same again changes nothing
    assert end.numbers.reserve() > 0


@pytest.mark.parametrize("words", ["--hub Hub-1 --area vn/01", "--hub hub-1 --area vn//01", "--hub hub/1 --area vn"])
def test_a_request_that_no_configuration_could_follow_makes_nothing(words: str, said: Said) -> None:
    assert run(f"enrol request {words} --state state --out request.cose") == os.EX_USAGE
    said()
    assert not Path("state").exists()


def test_each_request_has_a_channel_key_of_its_own(said: Said) -> None:
    enrol()
    first = Path("answer.cose").read_bytes()
    enrol()
    Path("first.cose").write_bytes(first)
    install = f"--root-id {root_id()} --state state --config hub.toml"
    assert run(f"enrol install first.cose {install}") == os.EX_DATAERR
    assert run(f"enrol install answer.cose {install}") == 0
    assert len(list(Path("state/channel").glob("*.pem"))) == 1


def test_a_request_whose_channel_key_is_gone_installs_nothing(said: Said) -> None:
    enrol()
    for path in Path("state/channel").iterdir():
        path.unlink()
    assert run(f"enrol install answer.cose --root-id {root_id()} --state state --config hub.toml") == os.EX_NOINPUT
    assert "cannot be read" in said()
    assert not Path("hub.toml").exists()
    assert not Path("state/admission.cose").exists()


@pytest.mark.parametrize(
    "channel", ["grant.pub", "nowhere.pub", "x25519:", "x25519:" + "00" * 32, "ff" * 32, "source.pem"]
)
def test_what_is_no_channel_key_of_a_source_is_refused(channel: str, said: Said) -> None:
    """Above all a key that signs, which looks the same and would make a channel that nobody is at the end of."""
    assert run(f"enrol request --hub hub-1 --area {AREA} --state state --out request.cose") == 0
    base = "enrol answer request.cose --root root.cose --source coap://a --key grant.pem --out x"
    assert run(f"{base} --channel {channel}") == os.EX_DATAERR
    assert f"--channel {channel}: " in said()
    assert not Path("x").exists()


def test_the_key_itself_does_instead_of_its_file() -> None:
    enrol()
    text = Path("source.pub").read_text(encoding="ascii").strip()
    command = "enrol answer request.cose --root root.cose --source coap://a --key grant.pem --out x"
    assert run(f"{command} --channel {text}") == 0


def test_a_root_takes_no_channel_key(said: Said) -> None:
    Path("root.toml").write_text(ROOT.replace("grant.pub", "source.pub"), encoding="utf-8")
    assert run("root root.toml --key an.pem --key binh.pem --out x") == os.EX_DATAERR
    assert "key of grant" in said()


def test_an_answer_with_another_root_is_not_installed(said: Said, tmp_path: Path) -> None:
    enrol()
    assert run(f"enrol install answer.cose --root-id {'00' * 32} --state state --config {tmp_path}/a/hub.toml") == 65
    assert "another root" in said()
    assert not Path("a").exists()


def test_an_answer_to_another_request_is_not_installed(said: Said) -> None:
    enrol()
    assert run(f"enrol request --hub hub-2 --area {AREA} --state other --out r.cose") == 0
    assert run(f"enrol install answer.cose --root-id {root_id()} --state other --config hub.toml") == os.EX_DATAERR
    assert "another request" in said()
    assert not Path("hub.toml").exists()


def test_an_answer_for_another_hub_is_not_installed(said: Said) -> None:
    enrol()
    given = Envelope.open(Path("answer.cose").read_bytes()).statement
    assert isinstance(given, Admission)
    grant = Signer.from_pem(Path("grant.pem").read_bytes())
    Path("other.cose").write_bytes(sign(replace(given, hub="hub-2"), [grant]))
    command = f"enrol install other.cose --root-id {root_id()} --state state --config wardhub.toml"
    assert run(command) == os.EX_DATAERR
    assert "hub-2" in said()
    assert not Path("wardhub.toml").exists()


def test_an_answer_that_the_grant_office_did_not_sign_is_not_installed(said: Said) -> None:
    enrol()
    admission = Envelope.open(Path("answer.cose").read_bytes()).statement
    Path("answer.cose").write_bytes(sign(admission, [Signer.generate()]))
    assert run(f"enrol install answer.cose --root-id {root_id()} --state state --config hub.toml") == os.EX_DATAERR
    assert "lacks signatures" in said()


def test_a_request_for_a_key_that_its_sender_has_not(said: Said) -> None:
    asked = Enrolment("hub-1", AREA, Signer.generate().public.raw, HUB_CHANNEL.public, 1)
    Path("request.cose").write_bytes(sign(asked, [Signer.generate()]))
    command = "enrol answer request.cose --root root.cose --source coap://a --key grant.pem --out x"
    assert run(f"{command} --channel source.pub") == os.EX_DATAERR
    assert "not signed with the key that it names" in said()


@pytest.mark.parametrize(
    ("change", "words"),
    [("--source http://a", "coap://HOST"), ("--source coap://a/b", "coap://HOST"), ("--key an.pem", "would not count")],
)
def test_an_answer_that_makes_no_sense(change: str, words: str, said: Said) -> None:
    assert run(f"enrol request --hub hub-1 --area {AREA} --state state --out request.cose") == 0
    base = "enrol answer request.cose --root root.cose --channel source.pub --out x"
    option = change.partition(" ")[0]
    rest = " ".join(one for one in ("--source coap://a", "--key grant.pem") if not one.startswith(option))
    assert run(f"{base} {rest} {change}") == os.EX_DATAERR
    assert words in said()
    assert not Path("x").exists()


def test_a_configuration_that_says_otherwise_and_a_root_that_stands_there(said: Said) -> None:
    enrol()
    config = f'[hub]\nid = "hub-9"\narea = "{AREA}"\nstate = "state"\n[trust]\nroot = "r"\n[source]\nuri = "coap://a"\n'
    Path("hub.toml").write_text(config, encoding="utf-8")
    install = f"enrol install answer.cose --root-id {root_id()} --state state --config hub.toml"
    assert run(install) == os.EX_CONFIG
    assert "hub.id is 'hub-9'" in said()
    config = config.replace("hub-9", "hub-1").replace("coap://a", "coap://source.vn")
    Path("hub.toml").write_text(f"{config}protected = false\n", encoding="utf-8")
    assert run(install) == os.EX_CONFIG
    assert "source.protected is false" in said()
    Path("hub.toml").write_text(config, encoding="utf-8")
    Path("r").write_bytes(b"another")
    assert run(install) == os.EX_NOINPUT
    assert "there is another root" in said()


def test_without_a_request_nothing_is_installed(said: Said) -> None:
    enrol()
    assert run(f"enrol install answer.cose --root-id {root_id()} --state nowhere --config hub.toml") == os.EX_NOINPUT
    assert "wardhub enrol request" in said()


def test_the_drafts_keep_the_folder_of_their_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert run("root ../root.toml --key ../an.pem --out r.cose") == 0
    assert isinstance(Envelope.open(Path("r.cose").read_bytes()).statement, Root)
