"""Files that hold secrets: private whatever the umask, whole or not there, never through a link, at once on the disk.

The state directory is private like them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ward_hub.errors import NotWritten, StateError
from ward_hub.keys.files import MAX_SECRET, private_directory, read_line, read_private, write_private


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o277, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def private(path: Path, data: bytes) -> Path:
    path.touch(0o600)
    path.write_bytes(data)
    return path


# Writing


def test_the_mode_does_not_depend_on_the_umask(tmp_path: Path, umask: int) -> None:
    write_private(tmp_path / "key", b"secret")
    assert mode(tmp_path / "key") == 0o600
    assert read_private(tmp_path / "key", "key") == b"secret"
    assert [one.name for one in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("what", ["file", "folder", "link", "link to nowhere", "pipe"])
def test_nothing_is_ever_overwritten_or_followed(tmp_path: Path, what: str) -> None:
    path, elsewhere = tmp_path / "key", tmp_path / "elsewhere"
    if what == "link":
        elsewhere.write_bytes(b"precious")
    match what:
        case "file":
            path.write_bytes(b"precious")
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case _:
            path.symlink_to(elsewhere)
    before = path.lstat()
    with pytest.raises(NotWritten, match="exists already; a key is never overwritten"):
        write_private(path, b"secret")
    assert path.lstat() == before
    assert elsewhere.exists() == (what == "link")
    assert not list(tmp_path.glob(".key-*"))


def test_it_is_on_the_disk_before_and_after_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is synced while nobody can see it, the directory once it has its entry: in this order."""
    done: list[str] = []
    sync, link = os.fsync, Path.hardlink_to

    def synced(handle: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else f"file of {os.fstat(handle).st_size}")
        sync(handle)

    def linked(path: Path, target: str) -> None:
        done.append(f"link {path.name}")
        link(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "hardlink_to", linked)
    write_private(tmp_path / "key", b"secret")
    assert done == ["file of 6", "link key", "folder"]


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotWritten, match="cannot be written: No space left on device"):
        write_private(tmp_path / "key", b"secret")
    assert list(tmp_path.iterdir()) == []


# Reading


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o660, 0o644, 0o610, 0o601, 0o777])
def test_what_others_could_read_is_not_used(tmp_path: Path, bits: int) -> None:
    private(tmp_path / "pin", b"1234").chmod(bits)
    with pytest.raises(StateError, match=r"pin: others could read this PIN: .* mode 0600"):
        read_private(tmp_path / "pin", "PIN")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_is_another_user_s_is_not_used(tmp_path: Path) -> None:
    os.chown(private(tmp_path / "pin", b"1234"), 12345, -1)
    with pytest.raises(StateError, match="this user's own"):
        read_private(tmp_path / "pin", "PIN")


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(private(tmp_path / "pin", b"1234"))
    with pytest.raises(StateError, match="it is a link"):
        read_private(tmp_path / "link", "PIN")


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(0o700)
    for name in ("pipe", "folder"):
        with pytest.raises(StateError, match=f"{name}: the key cannot be read: this is no file"):
            read_private(tmp_path / name, "key")
    with pytest.raises(StateError, match="cannot be read: No such file"):
        read_private(tmp_path / "nowhere", "key")


def test_what_is_too_long_is_refused_and_not_cut(tmp_path: Path) -> None:
    assert read_private(private(tmp_path / "a", b"x" * MAX_SECRET), "key") == b"x" * MAX_SECRET
    with pytest.raises(StateError, match="at most 10000 bytes"):
        read_private(private(tmp_path / "b", b"x" * (MAX_SECRET + 1)), "key")


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_line_is_what_stands_before_its_end(tmp_path: Path, end: bytes) -> None:
    assert read_line(private(tmp_path / "pin", " mật khẩu ".encode() + end), "PIN") == " mật khẩu "


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n", b"one\ntwo", b"one\n\n", b"one\rtwo", b"\xff\xfe"])
def test_what_is_no_line_is_refused_and_not_shown(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(StateError) as caught:
        read_line(private(tmp_path / "pin", data), "PIN")
    assert "one" not in str(caught.value).removeprefix(str(tmp_path))


# The state directory


def test_a_state_directory_is_made_for_its_owner_alone(tmp_path: Path, umask: int) -> None:
    private_directory(tmp_path / "state")
    assert mode(tmp_path / "state") == 0o700
    private_directory(tmp_path / "state")


@pytest.mark.parametrize("bits", [0o770, 0o707, 0o720, 0o702, 0o755, 0o750, 0o777, 0o1777])
def test_a_state_directory_of_others_is_not_used(tmp_path: Path, bits: int) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(bits)
    with pytest.raises(StateError, match=r"state: others could .* mode 0700"):
        private_directory(tmp_path / "state")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_state_directory_of_another_user_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(0o700)
    os.chown(tmp_path / "state", 12345, -1)
    with pytest.raises(StateError, match="this user's own"):
        private_directory(tmp_path / "state")


def test_what_is_no_directory_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file", tmp_path / "file" / "state"):
        with pytest.raises(StateError, match="the state directory cannot be made"):
            private_directory(path)
