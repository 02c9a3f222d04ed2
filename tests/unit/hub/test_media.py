"""Recordings on the disk: whole or not there, within bounds, and what is needed is never what makes room."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ward_hub.media import MediaStore
from ward_hub.staging import Staging
from ward_protocol.statements import Audio

SIZE = 1000


def audio(number: int, size: int = SIZE) -> Audio:
    return Audio(bytes([number]) * 32, size, "audio/ogg", 1000)


def put(folder: Path, number: int, age: int, size: int = SIZE, suffix: str = "") -> Path:
    path = folder / (audio(number).sha256.hex() + suffix)
    path.write_bytes(bytes(size))
    os.utime(path, (1_000_000 - age, 1_000_000 - age))
    return path


def draft(folder: Path, size: int = SIZE) -> Path:
    path = folder / "draft"
    path.write_bytes(bytes(size))
    return path


def kept(folder: Path) -> list[int]:
    return sorted(int(one.name[:2], 16) for one in folder.iterdir() if one.is_file())


def test_what_came_ahead_is_claimed_by_what_names_it(tmp_path: Path) -> None:
    store = MediaStore(tmp_path / "media")
    store.keep(draft(tmp_path), audio(1).sha256)
    assert not (tmp_path / "draft").exists()
    assert store.holds(audio(1).sha256)
    assert not store.has(audio(1))
    assert not store.claim(audio(1, SIZE + 1))
    assert store.claim(audio(1))
    assert store.has(audio(1))
    assert store.holds(audio(1).sha256)
    assert not store.claim(audio(1))
    assert not store.holds(audio(2).sha256)


def test_the_next_start_knows_what_came_ahead(tmp_path: Path) -> None:
    MediaStore(tmp_path / "media").keep(draft(tmp_path), audio(1).sha256)
    assert MediaStore(tmp_path / "media").claim(audio(1))


def test_what_comes_ahead_pushes_out_only_what_came_ahead_before(tmp_path: Path) -> None:
    store = MediaStore(tmp_path, most=SIZE, most_ahead=2 * SIZE)
    put(tmp_path, 9, age=100)
    for number, age in ((1, 10), (2, 20), (3, 30)):
        put(tmp_path / "ahead", number, age)
    store.keep(draft(tmp_path), audio(4).sha256)
    assert kept(tmp_path / "ahead") == [1, 4]
    assert kept(tmp_path) == [9]


def test_the_newest_stays_even_where_it_alone_is_too_much(tmp_path: Path) -> None:
    store = MediaStore(tmp_path, most_ahead=SIZE - 1)
    store.keep(draft(tmp_path), audio(1).sha256)
    assert kept(tmp_path / "ahead") == [1]


def test_the_oldest_that_nothing_needs_makes_room(tmp_path: Path) -> None:
    store = MediaStore(tmp_path, most=2 * SIZE)
    for number in (1, 2, 3, 4):
        put(tmp_path, number, age=100 - number)
    put(tmp_path, 5, age=99, suffix=".part")
    assert [one[0] for one in store.trim({audio(1).sha256})] == [5, 2, 3]
    assert kept(tmp_path) == [1, 4]
    assert store.trim(()) == []


def test_what_is_needed_stays_however_much_it_is(tmp_path: Path) -> None:
    store = MediaStore(tmp_path, most=SIZE)
    for number in (1, 2, 3):
        put(tmp_path, number, age=number)
    assert store.trim({audio(number).sha256 for number in (1, 2, 3)}) == []
    assert kept(tmp_path) == [1, 2, 3]


def test_other_files_are_nobodys_business(tmp_path: Path) -> None:
    store = MediaStore(tmp_path, most=0)
    (tmp_path / "notes.txt").write_bytes(bytes(SIZE))
    (tmp_path / ("ab" * 32 + ".bak")).write_bytes(bytes(SIZE))
    assert store.trim(()) == []
    assert len(list(tmp_path.iterdir())) == 3


# Files that are not whole yet


def test_what_a_killed_agent_left_is_gone(tmp_path: Path) -> None:
    descriptor, path = Staging(tmp_path / "incoming").make()
    os.close(descriptor)
    assert path.exists()
    assert path.stat().st_mode & 0o777 == 0o600
    Staging(tmp_path / "incoming")
    assert list((tmp_path / "incoming").iterdir()) == []


@pytest.mark.parametrize(("floor", "fits"), [(0, True), (2**60, False)])
def test_so_much_of_the_disk_stays_free(tmp_path: Path, floor: int, fits: bool) -> None:
    assert Staging(tmp_path / "incoming", floor).has_room(1) == fits


def test_a_disk_that_is_gone_is_an_error(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "incoming")
    (tmp_path / "incoming").rmdir()
    with pytest.raises(OSError, match="No such file"):
        staging.has_room(1)
