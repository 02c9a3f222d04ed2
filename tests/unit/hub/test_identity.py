"""Keys in files: private to their owner, never overwritten, whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from tests.statements import SIGNER

from ward_hub.errors import NotWritten, StateError
from ward_hub.identity import alone_in, hub_key, read_key, write_key


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
    assert hub_key(tmp_path).public == hub_key(tmp_path).public


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
