"""`wardhub bundle`: what an office puts on a stick, what anybody finds in one, and what a hub makes of it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.statements import (
    BEAT,
    BEAT_KEY,
    CANCEL,
    GRANT_KEY,
    GRANTS,
    MINIMAL,
    ORDER,
    RECEIPT,
    ROOT,
    ROOT_KEY,
    SIGNER,
    STRANGER,
)
from tests.unit.hub.test_config import GOOD

from ward_hub.cli.main import main
from ward_hub.control import NAME as SOCKET
from ward_hub.control import Control
from ward_hub.errors import HubError
from ward_hub.usb.container import NAME, Kind, joined
from ward_hub.usb.stick import Stick
from ward_protocol.envelope import Envelope, Sealed, seal, sign
from ward_protocol.statements import TYPES, Audio, Statement, StatementType

AUDIO = bytes(range(256)) * 40
SHA256 = hashlib.sha256(AUDIO).digest()
NAMING = replace(MINIMAL, sequence=2, audio=(Audio(SHA256, len(AUDIO), "audio/ogg", 1000),))
FILES = {
    "root.cose": sign(ROOT, [ROOT_KEY]),
    "root-2.cose": sign(replace(ROOT, version=2), [ROOT_KEY]),
    "grants.cose": sign(GRANTS, [GRANT_KEY]),
    "grants-2.cose": sign(replace(GRANTS, version=2, root_version=2), [GRANT_KEY]),
    "beat.cose": sign(BEAT, [BEAT_KEY]),
    "bulletin.cose": sign(MINIMAL, [SIGNER]),
    "naming.cose": sign(NAMING, [SIGNER]),
    "cancel.cose": sign(replace(CANCEL, sequence=3), [SIGNER]),
    "root-by-others.cose": sign(ROOT, [STRANGER]),
    "grants-by-others.cose": sign(GRANTS, [STRANGER]),
    "forged.cose": sign(replace(MINIMAL, sequence=9), [STRANGER]),
    "other.cose": sign(replace(MINIMAL, issuer="other", sequence=4), [SIGNER]),
    "by-root.cose": sign(replace(MINIMAL, sequence=5), [ROOT_KEY]),
    "receipt.cose": sign(RECEIPT, [STRANGER]),
    "speech.ogg": AUDIO,
    "junk": b"junk",
}


@pytest.fixture(autouse=True)
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stick").mkdir()
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "hub.toml").write_text(GOOD.replace("/var/lib/wardhub", str(tmp_path)), encoding="utf-8")
    return tmp_path


def run(command: str) -> int:
    return main(command.split())


def facts(command: str, capsys: pytest.CaptureFixture[str], status: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert run(f"{command} --json") == status
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def held() -> list[tuple[Kind, bytes]]:
    with Stick(Path("stick")) as stick:
        return [(one.kind, stick.data(one)) for one in stick.index()]


# create


def test_what_is_put_on_a_stick_stands_in_the_order_in_which_it_is_judged(capsys: pytest.CaptureFixture[str]) -> None:
    files = "cancel.cose bulletin.cose beat.cose grants-2.cose root-2.cose grants.cose root.cose"
    made = facts(f"bundle create {files} --media speech.ogg --out stick", capsys)
    assert made["items"] == 8
    order = ["root.cose", "root-2.cose", "grants.cose", "grants-2.cose", "beat.cose", "cancel.cose", "bulletin.cose"]
    assert [data for _, data in held()] == [*(FILES[name] for name in order), AUDIO]
    assert [path.name for path in Path("stick").iterdir()] == [NAME]
    assert made["bytes"] == Path("stick", NAME).stat().st_size


def test_a_recording_that_is_missing_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert facts("bundle create naming.cose --out stick", capsys)["missing"] == [SHA256.hex()]
    assert run("bundle create naming.cose --out stick --lang en") == 0
    assert f"Note: the recording {SHA256.hex()[:16]} is named" in capsys.readouterr().out
    assert facts("bundle create naming.cose --media speech.ogg --out stick", capsys)["missing"] == []


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("create junk --out stick", 65),
        ("create nowhere --out stick", 66),
        ("create bulletin.cose --media nowhere --out stick", 66),
        ("create bulletin.cose --out nowhere", 73),
        ("create --out stick", 64),
        ("create bulletin.cose", 64),
        ("", 64),
    ],
)
def test_what_cannot_be_put_there_is_one_line(words: str, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    if status == 64:  # wrong arguments end it at once
        with pytest.raises(SystemExit) as end:
            run(f"bundle {words}")
        assert end.value.code == status
    else:
        assert run(f"bundle {words}") == status
    assert capsys.readouterr().err.count("\n") == 1
    assert list(Path("stick").iterdir()) == []


def test_too_much_for_one_bundle(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (table / "empty.ogg").touch()
    assert run("bundle create bulletin.cose --media empty.ogg --out stick") == 65
    assert "a recording has 1 to" in capsys.readouterr().err


# verify


def verified(capsys: pytest.CaptureFixture[str], files: str, by: str, status: int) -> list[tuple[str, bool, str]]:
    assert run(f"bundle create {files} --out stick") == 0
    found = facts(f"bundle verify stick {by}", capsys, status)
    return [(one["kind"], one["verifies"], one["verdict"]) for one in found["items"]]


def test_everything_verifies_by_the_root_that_a_person_has(capsys: pytest.CaptureFixture[str]) -> None:
    files = "root.cose grants.cose beat.cose naming.cose cancel.cose --media speech.ogg"
    assert verified(capsys, files, "--root root.cose", 0) == [
        ("root", True, "is root 1, which was given"),
        ("grants", True, "by root 1"),
        ("beat", True, "by root 1"),
        ("bulletin", True, "by authority ward under root 1"),
        ("cancel", True, "by authority ward under root 1"),
        ("recording", True, "named by this bundle"),
    ]


def test_documents_count_for_what_stands_behind_them(capsys: pytest.CaptureFixture[str]) -> None:
    found = verified(capsys, "root-2.cose grants-2.cose bulletin.cose", "--root root.cose", 0)
    assert [verdict for _, _, verdict in found] == [
        "as the next root, 2",
        "by root 2",
        "by authority ward under root 2",
    ]


def test_grants_may_be_given_beside(capsys: pytest.CaptureFixture[str]) -> None:
    assert verified(capsys, "grants.cose bulletin.cose", "--root root.cose --grants grants.cose", 0) == [
        ("grants", True, "are grants 1, which were given"),
        ("bulletin", True, "by authority ward under root 1"),
    ]


@pytest.mark.parametrize(
    ("file", "by", "why"),
    [
        ("bulletin.cose", "", "unknown-key: no root was given"),
        ("bulletin.cose", "--root root.cose", "unknown-key: no key that is known here signed it"),
        ("by-root.cose", "--root root.cose", "unknown-authority: ward is granted nothing"),
        ("by-root.cose", "--root root.cose --grants grants.cose", "unknown-key: no key of ward signed it"),
        ("forged.cose", "--root root.cose --grants grants.cose", "unknown-key: no key that is known here signed it"),
        ("other.cose", "--root root.cose --grants grants.cose", "unknown-authority: other is granted nothing"),
        ("receipt.cose", "--root root.cose --grants grants.cose", "unknown-type"),
        ("root-by-others.cose", "--root root.cose", "unknown-key: no key of the role root signed it"),
        ("grants-by-others.cose", "--root root.cose --grants grants.cose", "unknown-key: no key of the role grant"),
        ("grants-2.cose", "--root root.cose", "wrong-version: grants are for root 2"),
    ],
)
def test_what_does_not_verify(file: str, by: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    ((_, good, verdict),) = verified(capsys, file, by, 65)
    assert not good
    assert why in verdict


def test_what_is_no_statement_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    Path("stick", NAME).write_bytes(joined([(Kind.STATEMENT, b"junk"), (Kind.RECORDING, AUDIO)]))
    found = facts("bundle verify stick --root root.cose", capsys, 65)["items"]
    assert [(one["kind"], one["verifies"]) for one in found] == [("statement", False), ("recording", True)]
    assert found[1]["verdict"] == "nothing that could be read here names it"


# A statement of each type that comes this way, signed by nobody whom a person with the root and the grants knows.
FORGED = [replace(ROOT, version=2), replace(GRANTS, version=2), BEAT, NAMING, CANCEL, ORDER]


@pytest.mark.parametrize("statement", FORGED, ids=lambda one: type(one).__name__)
def test_what_no_known_key_signed_is_not_decoded(
    statement: Statement, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[StatementType] = []
    decode = Sealed.decode

    def noted(sealed: Sealed) -> Envelope:
        decoded.append(sealed.type)
        return decode(sealed)

    Path("stick", NAME).write_bytes(joined([(Kind.STATEMENT, sign(statement, [STRANGER]))]))
    monkeypatch.setattr(Sealed, "decode", noted)
    (found,) = facts("bundle verify stick --root root.cose --grants grants.cose", capsys, 65)["items"]
    assert decoded == [StatementType.ROOT, StatementType.GRANTS]  # those that were given
    assert found["kind"] == type(statement).__name__.lower()
    assert found["names"] == []
    # Garbage in its place gives the same, so nothing of what it says was looked at.
    garbage = seal(TYPES[type(statement)], b"\xff" * 9, [STRANGER])
    Path("stick", NAME).write_bytes(joined([(Kind.STATEMENT, garbage)]))
    (other,) = facts("bundle verify stick --root root.cose --grants grants.cose", capsys, 65)["items"]
    assert other["verdict"] == found["verdict"]


def test_without_a_root_it_is_looked_at_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("bundle create naming.cose --out stick") == 0
    found = facts("bundle verify stick", capsys, 65)
    assert found["missing"] == [SHA256.hex()]
    assert not found["items"][0]["verifies"]


def test_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("bundle create forged.cose naming.cose --out stick") == 0
    capsys.readouterr()
    assert run(f"bundle verify stick/{NAME} --root root.cose --grants grants.cose --lang en") == 65
    said = capsys.readouterr().out.splitlines()
    assert "it does NOT verify: unknown-key" in said[0]
    assert "it verifies: by authority ward" in said[1]
    assert said[2].startswith("Note: the recording")
    assert run("bundle verify stick --root root.cose --grants grants.cose") == 65
    assert "chữ ký KHÔNG hợp lệ" in capsys.readouterr().out


@pytest.mark.parametrize("data", [None, b"", b"junk" * 100])
def test_what_is_no_bundle_is_one_line(data: bytes | None, capsys: pytest.CaptureFixture[str]) -> None:
    if data is not None:
        Path("stick", NAME).write_bytes(data)
    assert run("bundle verify stick --root root.cose") == 65
    assert capsys.readouterr().err.count("\n") == 1


# import


@contextlib.contextmanager
def agent(folder: Path, answer: object) -> Iterator[list[Mapping[str, Any]]]:
    """An agent's ear that answers so, in a thread of its own; yields what it was asked."""
    asked: list[Mapping[str, Any]] = []

    async def act(one: Mapping[str, Any]) -> object:
        asked.append(one)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def serve() -> None:
        task = asyncio.create_task(Control(folder / SOCKET, {"import": act}).run())
        await ended.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    loop, ended = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        while not (folder / SOCKET).exists():
            time.sleep(0.01)
        yield asked
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


TAKEN = {"kind": "statement", "sha256": "ab" * 32, "accepted": True, "reason": "", "detail": ""}
REFUSED = {**TAKEN, "accepted": False, "reason": "replayed", "detail": "sequence 1 of ward was decided"}


@pytest.mark.parametrize(
    ("items", "trouble", "status"),
    [
        ([TAKEN], "", 0),
        ([TAKEN, REFUSED], "", 77),
        ([TAKEN], "the stick is gone", 65),
        ([], "it is no bundle", 65),
    ],
)
def test_the_hub_says_what_it_made_of_each(
    table: Path, items: list[object], trouble: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "the hub took it", "the hub refuses it: replayed: sequence 1 of ward was decided (this hub has decided"
    with agent(table, {"path": "x", "items": items, "trouble": trouble}) as asked:
        assert run("bundle import stick --config hub.toml --lang en") == status
    assert [one["path"] for one in asked] == [str(table / "stick" / NAME)]
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert all(said in line for said, line in zip(words[: len(items)], lines, strict=True))
    assert captured.err == (f"wardhub: {trouble}\n" if trouble else "")


def test_what_the_hub_will_not_do_comes_in_its_words(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with agent(table, HubError("a bundle is being taken already")):
        assert run("bundle import stick --config hub.toml") == 65
    assert "being taken already" in capsys.readouterr().err


def test_no_agent_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("bundle import stick --config hub.toml") == 69
    assert "is it running" in capsys.readouterr().err
