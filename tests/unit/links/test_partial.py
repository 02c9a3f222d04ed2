"""The partial file: resumed by block, refused to a second holder, never another's, renamed only when whole."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from ward_hub.links import MisuseError, StorageError
from ward_hub.links.partial import PartialFile

DATA = bytes(range(256)) * 13 + b"end"  # 3,331 bytes: four blocks, the last of 259
SHA256 = hashlib.sha256(DATA).digest()


def block(number: int) -> bytes:
    return DATA[number * 1024 : (number + 1) * 1024]


def digest(part: PartialFile) -> None:
    while part.hash_some():
        pass


def test_blocks_in_any_order_become_the_file(tmp_path: Path) -> None:
    with PartialFile(tmp_path / "a", SHA256, len(DATA)) as part:
        assert part.missing == [0, 1, 2, 3]
        assert [part.length_of(number) for number in part.missing] == [1024, 1024, 1024, 259]
        for number in (3, 1, 0, 2):
            part.put(number, block(number))
            digest(part)
        assert part.matches
        assert not (tmp_path / "a").exists()
        part.finish()
    assert (tmp_path / "a").read_bytes() == DATA
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_what_came_is_there_after_the_process_is_gone(tmp_path: Path) -> None:
    with PartialFile(tmp_path / "a", SHA256, len(DATA)) as part:
        part.put(0, block(0))
        part.put(2, block(2))
    with PartialFile(tmp_path / "a", SHA256, len(DATA)) as part:
        assert part.resumed
        assert part.missing == [1, 3]
        part.put(1, block(1))
        part.put(3, block(3))
        digest(part)
        assert part.matches


def test_digest_stops_at_a_gap_and_takes_no_more_than_it_is_let(tmp_path: Path) -> None:
    with PartialFile(tmp_path / "a", SHA256, len(DATA)) as part:
        for number in (0, 1, 3):
            part.put(number, block(number))
        assert part.hash_some(limit=1024)
        assert not part.hash_some(limit=1024)
        assert not part.whole
        part.put(2, block(2))
        assert part.hash_some(limit=1024)
        assert not part.hash_some(limit=1024)
        assert part.matches


@pytest.mark.parametrize(("sha256", "size"), [(b"\1" * 32, len(DATA)), (SHA256, 5000), (SHA256, 3000)])
def test_another_recordings_leftovers_are_not_taken(tmp_path: Path, sha256: bytes, size: int) -> None:
    with PartialFile(tmp_path / "a", SHA256, len(DATA)) as part:
        part.put(0, block(0))
    with PartialFile(tmp_path / "a", sha256, size) as part:
        assert not part.resumed
        assert len(part.missing) == part.count


@pytest.mark.parametrize("junk", [b"", b"x", os.urandom(3331 + 1 + 32), b"\0" * 3364])
def test_any_junk_in_its_place_is_started_afresh(tmp_path: Path, junk: bytes) -> None:
    (tmp_path / "a.part").write_bytes(junk)
    with PartialFile(tmp_path / "a", SHA256, len(DATA)) as part:
        assert part.missing == [0, 1, 2, 3]


def test_a_damaged_beginning_does_not_match_and_can_be_discarded(tmp_path: Path) -> None:
    with PartialFile(tmp_path / "a", SHA256, len(DATA)) as part:
        part.put(0, b"\0" * 1024)
    with PartialFile(tmp_path / "a", SHA256, len(DATA)) as part:
        for number in part.missing:
            part.put(number, block(number))
        digest(part)
        assert part.whole
        assert not part.matches
        part.discard()
        assert not part.resumed
        for number in part.missing:
            part.put(number, block(number))
        digest(part)
        assert part.matches


def test_a_second_holder_is_refused(tmp_path: Path) -> None:
    with (
        PartialFile(tmp_path / "a", SHA256, len(DATA)),
        pytest.raises(MisuseError, match="already"),
        PartialFile(tmp_path / "a", SHA256, len(DATA)),
    ):
        pass


def test_no_folder_is_a_storage_error(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match="disk can be written"),
        PartialFile(tmp_path / "no" / "a", SHA256, len(DATA)),
    ):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_a_storage_error_that_says_so(tmp_path: Path) -> None:
    with PartialFile(tmp_path / "a", SHA256, len(DATA)) as part:
        full = os.open("/dev/full", os.O_RDWR)
        os.dup2(full, part._fd)
        os.close(full)
        with pytest.raises(StorageError, match="make room"):
            part.put(0, block(0))


@pytest.mark.parametrize(("sha256", "size"), [(SHA256, 0), (b"short", 10)])
def test_no_recording_is_misuse(tmp_path: Path, sha256: bytes, size: int) -> None:
    with pytest.raises(MisuseError):
        PartialFile(tmp_path / "a", sha256, size)
