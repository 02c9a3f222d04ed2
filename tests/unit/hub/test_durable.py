"""Files that are written whole: the one before stays until the new one is on the disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ward_hub.durable import replace_whole, write_new, write_whole
from ward_hub.errors import NotWritten


def test_it_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    for data in (b"one", b"", b"three" * 1000):
        write_whole(tmp_path / "root.cose", data)
        assert (tmp_path / "root.cose").read_bytes() == data
    assert [one.name for one in tmp_path.iterdir()] == ["root.cose"]


@pytest.mark.parametrize("write", [write_whole, replace_whole])
def test_it_is_on_the_disk_before_it_has_its_name_and_after(
    write: Callable[[Path, bytes], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, replace = os.fsync, Path.replace

    def synced(handle: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else f"file of {os.fstat(handle).st_size}")
        sync(handle)

    def replaced(path: Path, target: Path) -> Path:
        done.append(f"{path.name} to {target.name}")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    write(tmp_path / "a", b"data")
    assert done == ["file of 4", "a.part to a", "folder"]


def test_what_cannot_be_written_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"before")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotWritten, match=r"a: cannot be written: No space left on device"):
        write_whole(tmp_path / "a", b"after")
    with pytest.raises(OSError, match="No space left on device"):
        replace_whole(tmp_path / "a", b"after")
    assert (tmp_path / "a").read_bytes() == b"before"


@pytest.mark.parametrize("write", [write_whole, replace_whole])
@pytest.mark.parametrize("lay", [Path.symlink_to, Path.hardlink_to])
def test_what_somebody_laid_beside_it_is_not_written_through(
    write: Callable[[Path, bytes], None], lay: Callable[[Path, Path], None], tmp_path: Path
) -> None:
    victim, stick = tmp_path / "key.pem", tmp_path / "stick"
    victim.write_bytes(b"secret")
    stick.mkdir()
    lay(stick / "wardhub.bundle.part", victim)
    write(stick / "wardhub.bundle", b"bundle")
    assert victim.read_bytes() == b"secret"
    assert (stick / "wardhub.bundle").read_bytes() == b"bundle"
    assert not (stick / "wardhub.bundle").is_symlink()


def test_a_pipe_beside_it_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.part")
    with (tmp_path / "a.part").open("r+b", buffering=0):  # so that a failing test does not wait either
        write_whole(tmp_path / "a", b"data")
    assert (tmp_path / "a").is_file()
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) & 0o111 == 0


def test_what_a_power_cut_left_beside_it_says_nothing_of_who_may_read_it(tmp_path: Path) -> None:
    (tmp_path / "a.part").touch(mode=0o666)
    (tmp_path / "a.part").chmod(0o666)
    replace_whole(tmp_path / "a", b"state")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


def test_who_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "asked for", b"")
        replace_whole(tmp_path / "state", b"")
        write_new(tmp_path / "count", b"")
    finally:
        os.umask(before)
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()}
    assert modes == {"asked for": 0o640, "state": 0o600, "count": 0o600}


def test_a_new_file_takes_no_place_of_another(tmp_path: Path) -> None:
    write_new(tmp_path / "a", b"first")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_bytes() == b"first"


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotWritten, match="No such file"):
        write_whole(tmp_path / "nowhere" / "a", b"")
