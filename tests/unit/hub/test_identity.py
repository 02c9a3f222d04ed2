"""The hub's own key: in a file or on a token, made once, and never another one without a person's doing."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest
from tests.statements import SIGNER, STRANGER

from ward_hub.clock import Clock
from ward_hub.errors import NotWritten, StateError
from ward_hub.identity import alone_in, hub_key, hub_public, made_hub_key, pin_in_file, read_key, write_key
from ward_hub.journal import Journal
from ward_hub.journal.audit import AuditError, verify
from ward_hub.keys.uri import TokenUri
from ward_protocol.keys import Signing

OpenKey = Callable[[Path], AbstractContextManager[Signing]]


def test_a_key_is_written_for_its_owner_alone_and_read_back(tmp_path: Path) -> None:
    write_key(tmp_path / "key", SIGNER)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert read_key(tmp_path / "key").public == SIGNER.public
    assert [one.name for one in tmp_path.iterdir()] == ["key"]


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("precious")
    with pytest.raises(NotWritten, match="exists already; a key is never overwritten"):
        write_key(tmp_path / "key", SIGNER)
    assert (tmp_path / "key").read_text() == "precious"
    assert [one.name for one in tmp_path.iterdir()] == ["key"]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotWritten, match=r"key: the key cannot be written: No such file"):
        write_key(tmp_path / "nowhere" / "key", SIGNER)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_key_that_others_could_read_is_not_used(tmp_path: Path, mode: int) -> None:
    write_key(tmp_path / "key", SIGNER)
    (tmp_path / "key").chmod(mode)
    with pytest.raises(StateError, match="others could read this key"):
        read_key(tmp_path / "key")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_of_another_user_is_not_used(tmp_path: Path) -> None:
    write_key(tmp_path / "key", SIGNER)
    os.chown(tmp_path / "key", 12345, -1)
    with pytest.raises(StateError, match="this user's own"):
        read_key(tmp_path / "key")


@pytest.mark.parametrize(
    "content", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", b"\xff" * 99]
)
def test_what_is_no_key_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(StateError, match="wardhub keygen"):
        read_key(tmp_path / "key")


def test_a_key_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot be read: No such file"):
        read_key(tmp_path / "key")


def test_a_hub_makes_its_key_once(tmp_path: Path) -> None:
    state = tmp_path / "state"
    for open_key in (made_hub_key, hub_key):
        with open_key(state) as one, open_key(state) as two:
            assert one.public == two.public == hub_public(state)
    assert stat.S_IMODE((state / "hub.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("open_key", [hub_key, made_hub_key])
def test_a_state_that_others_could_change_is_not_used(tmp_path: Path, open_key: OpenKey) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o770)
    with pytest.raises(StateError, match="mode 0700"), open_key(tmp_path / "state"):
        pass
    assert list((tmp_path / "state").iterdir()) == []


# Whatever the power cut, or somebody did: there is never silently another hub.


@pytest.mark.parametrize("open_key", [hub_key, made_hub_key])
@pytest.mark.parametrize("name", ["journal.sqlite", "enrolment.cose"])
def test_a_key_that_is_gone_is_not_made_anew_beside_what_it_signed(
    tmp_path: Path, name: str, open_key: OpenKey
) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(StateError, match=f"the hub's key is gone, and {name} is of that key"), open_key(tmp_path):
        pass
    assert not (tmp_path / "hub.key").exists()


@pytest.mark.parametrize("open_key", [hub_key, made_hub_key])
def test_a_part_of_a_key_is_no_key_and_stays_what_it_is(tmp_path: Path, open_key: OpenKey) -> None:
    pem = SIGNER.to_pem()
    path = tmp_path / "hub.key"
    path.touch(0o600)
    for size in range(len(pem) - 1):  # without its last end of line it is whole
        path.write_bytes(pem[:size])
        with pytest.raises(StateError, match="wardhub keygen"), open_key(tmp_path):
            pass
        assert path.read_bytes() == pem[:size]
    assert [one.name for one in tmp_path.iterdir()] == ["hub.key"]


@pytest.mark.parametrize("open_key", [hub_key, made_hub_key])
def test_a_link_in_its_place_is_neither_followed_nor_replaced(tmp_path: Path, open_key: OpenKey) -> None:
    write_key(tmp_path / "elsewhere", SIGNER)
    for target in (tmp_path / "elsewhere", tmp_path / "nowhere"):
        (tmp_path / "hub.key").unlink(missing_ok=True)
        (tmp_path / "hub.key").symlink_to(target)
        with pytest.raises(StateError, match="it is a link"), open_key(tmp_path):
            pass


def test_the_journal_of_another_key_is_not_gone_on_with(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.sqlite", "hub-1", SIGNER, Clock()) as journal:
        journal.ledger.accept("ward", 1, bytes(32), b"")
    with pytest.raises(StateError) as caught:
        Journal(tmp_path / "journal.sqlite", "hub-1", STRANGER, Clock())
    for words in (f"signed with key {SIGNER.kid.hex()}", f"the hub's key is {STRANGER.kid.hex()}", "enrol the hub"):
        assert words in str(caught.value)
    with Journal(tmp_path / "journal.sqlite", "hub-1", SIGNER, Clock()):
        pass


def test_a_last_receipt_that_cannot_be_read_is_no_obstacle_and_another_key_is_one_still(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path, "hub-1", SIGNER, Clock()) as journal:
        for number in (1, 2):
            journal.ledger.accept("ward", number, bytes([number]) * 32, b"")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE receipt SET data = x'ff' WHERE sequence = 2")
    with pytest.raises(StateError, match="receipt 1 was signed with key"):
        Journal(path, "hub-1", STRANGER, Clock())
    with Journal(path, "hub-1", SIGNER, Clock()) as journal:
        assert "receipt 2 cannot be read" in caplog.text
        journal.ledger.accept("ward", 3, bytes([3]) * 32, b"")
        assert [one.sequence for one in journal.ledger.waiting()] == [1, 2, 3]
    with pytest.raises(AuditError, match="audit: receipt 2 cannot be read"):
        verify(path, SIGNER.public)


def test_a_token_whose_pin_nobody_would_type_is_said() -> None:
    uri = TokenUri.parse("pkcs11:token=ward;object=hub?module-path=/lib.so")
    with pytest.raises(StateError, match="pin-source=file:/PATH"):
        pin_in_file(uri)


def test_one_agent_has_the_state_directory(tmp_path: Path) -> None:
    with alone_in(tmp_path), pytest.raises(StateError, match="another agent"), alone_in(tmp_path):
        pass
    with alone_in(tmp_path):
        pass


def test_a_pipe_and_a_folder_in_its_place_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(0o700)
    for name in ("pipe", "folder"):
        with pytest.raises(StateError, match=name):
            read_key(tmp_path / name)
