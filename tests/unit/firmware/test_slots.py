"""A record on the flash, whatever a power cut or a worn cell leaves of its files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ward_firmware import slots
from ward_firmware.slots import Slots, count_start


def at(path: Path) -> Slots:
    return Slots(str(path / "record"))


def test_nothing_was_saved_yet(tmp_path: Path) -> None:
    store = at(tmp_path)
    assert (store.load(), store.damaged) == (None, False)


def test_what_was_saved_last_is_loaded_and_both_files_take_turns(tmp_path: Path) -> None:
    store = at(tmp_path)
    for number in range(5):
        store.save(bytes((number,)) * 20)
        fresh = at(tmp_path)
        assert (fresh.load(), fresh.damaged) == (bytes((number,)) * 20, False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["record.0", "record.1"]


def test_the_record_is_as_the_module_describes_it(tmp_path: Path) -> None:
    at(tmp_path).save(b"abc")
    # CRC-32 of 57 31 00 00 00 01 61 62 63, by gzip.
    assert (tmp_path / "record.0").read_bytes() == bytes.fromhex("5731 00000001 616263 CB849447")


@pytest.mark.parametrize("cut", range(13))
def test_a_power_cut_anywhere_in_a_write_leaves_the_record_before(tmp_path: Path, cut: int) -> None:
    store = at(tmp_path)
    store.save(b"old")
    store.save(b"new")
    torn = tmp_path / "record.1"
    torn.write_bytes(torn.read_bytes()[:cut])
    found = at(tmp_path)
    assert (found.load(), found.damaged) == (b"old", True)
    found.save(b"newer")
    again = at(tmp_path)
    assert (again.load(), again.damaged, found.damaged) == (b"newer", False, False)


@given(st.integers(0, 12), st.integers(0, 7), st.booleans())
def test_a_flipped_bit_is_always_seen(
    tmp_path_factory: pytest.TempPathFactory, byte: int, bit: int, last: bool
) -> None:
    path = tmp_path_factory.mktemp("flash")
    store = at(path)
    store.save(b"old")
    store.save(b"new")
    file = path / ("record.1" if last else "record.0")
    data = bytearray(file.read_bytes())
    data[byte] ^= 1 << bit
    file.write_bytes(data)
    found = at(path)
    assert (found.load(), found.damaged) == (b"old" if last else b"new", True)


def test_both_damaged_is_nothing_and_can_be_written_again(tmp_path: Path) -> None:
    for number in (0, 1):
        (tmp_path / f"record.{number}").write_bytes(b"W1 rubbish and more")
    store = at(tmp_path)
    assert (store.load(), store.damaged) == (None, True)
    store.save(b"x")
    assert (at(tmp_path).load(), store.damaged) == (b"x", True)
    store.save(b"y")
    assert (at(tmp_path).load(), store.damaged) == (b"y", False)


def test_a_flash_that_forgets_what_it_was_given_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = at(tmp_path)
    store.save(b"old")
    monkeypatch.setattr(slots, "_read", lambda _: b"other")
    with pytest.raises(OSError, match="reads otherwise"):
        store.save(b"new")
    monkeypatch.undo()
    store.save(b"newest")
    assert at(tmp_path).load() == b"newest"


def test_starts_are_counted_over_resets(tmp_path: Path) -> None:
    assert [count_start(at(tmp_path)) for _ in range(3)] == [1, 2, 3]


def test_a_counter_of_starts_wraps_and_begins_anew_where_it_is_lost(tmp_path: Path) -> None:
    at(tmp_path).save(b"\xff\xff")
    assert count_start(at(tmp_path)) == 0
    at(tmp_path / "elsewhere")
    assert count_start(at(tmp_path / "elsewhere")) == 1  # a folder that is not there: a flash that takes nothing
    assert count_start(at(tmp_path / "elsewhere")) == 1
