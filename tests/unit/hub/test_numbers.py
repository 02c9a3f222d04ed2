"""Sender sequence numbers: each once, whatever is done to their file."""

from __future__ import annotations

import asyncio
import stat
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ward_hub.errors import StateError
from ward_hub.numbers import BLOCK, LIMIT, Numbers, _line, begin

OWNER = bytes(range(32))
OTHER = bytes(32)
USED = 4 * BLOCK
WHOLE = _line(OWNER, USED)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    begin(tmp_path / "numbers", OWNER)
    return tmp_path / "numbers"


async def taken(numbers: Numbers, count: int) -> list[int]:
    return [await numbers.take() for _ in range(count)]


async def test_they_begin_at_nought_and_go_up(path: Path) -> None:
    assert await taken(Numbers(path, OWNER), 3) == [0, 1, 2]


async def test_a_block_is_on_the_disk_before_the_first_of_it_is_used(path: Path) -> None:
    numbers = Numbers(path, OWNER, block=4)
    for first in (0, 4, 8):
        assert await numbers.take() == first
        assert Numbers(path, OWNER).read() == first + 4
        await taken(numbers, 3)


async def test_who_begins_again_goes_on_behind_the_block(path: Path) -> None:
    assert await taken(Numbers(path, OWNER, block=4), 2) == [0, 1]
    assert await taken(Numbers(path, OWNER, block=4), 2) == [4, 5]
    assert await taken(Numbers(path, OWNER), 1) == [8]


async def test_many_tasks_get_different_ones(path: Path) -> None:
    numbers = Numbers(path, OWNER, block=3)
    found = await asyncio.gather(*(numbers.take() for _ in range(50)))
    assert sorted(found) == list(range(50))


async def test_one_that_was_not_waited_for_is_lost_and_never_given_twice(path: Path) -> None:
    numbers = Numbers(path, OWNER, block=3)
    waiting = [asyncio.create_task(numbers.take()) for _ in range(10)]
    await asyncio.sleep(0)
    for one in waiting[::2]:
        one.cancel()
    done = await asyncio.gather(*waiting, return_exceptions=True)
    found = [one for one in done if isinstance(one, int)] + await taken(numbers, 10)
    assert len(set(found)) == len(found) == 15


def test_processes_at_once_get_different_blocks(path: Path) -> None:
    """Each reserves under a lock, so that it does not matter what the others have in memory."""
    found: list[int] = []

    def reserve() -> None:
        numbers = Numbers(path, OWNER, block=5)
        found.extend(numbers.reserve() for _ in range(20))

    threads = [threading.Thread(target=reserve) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(found) == list(range(0, 400, 5))


def test_the_file_is_its_owners_alone_and_nothing_else_is_left(path: Path) -> None:
    Numbers(path, OWNER).reserve()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_count_is_not_begun_twice(path: Path) -> None:
    Numbers(path, OWNER).reserve()
    with pytest.raises(FileExistsError):
        begin(path, OWNER)
    assert Numbers(path, OWNER).read() == BLOCK


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\0" * len(WHOLE), WHOLE[:-1], WHOLE + b"\n", WHOLE * 2, WHOLE[1:], b"0\n", b'{"next-to-send": 0}',
        WHOLE.replace(b" 1024 ", b" 1023 "), WHOLE.replace(b" 1024 ", b" 0 "), WHOLE.replace(b" 1024 ", b" 01024 "),
        WHOLE.replace(b" 1024 ", b" -1 "), WHOLE.replace(b"numbers 1 ", b"numbers 2 "), _line(OTHER, USED),
    ],
)  # fmt: skip
async def test_a_file_that_is_torn_or_of_another_key_gives_none_and_is_left_as_it_is(
    path: Path, content: bytes
) -> None:
    path.write_bytes(content)
    numbers = Numbers(path, OWNER)
    for _ in range(2):
        with pytest.raises(StateError, match=r"damaged, or not of this channel's key; enrol again: `wardhub enrol"):
            await numbers.take()
    assert path.read_bytes() == content


@given(
    cut=st.integers(0, len(WHOLE)),
    kept=st.integers(0, len(WHOLE)),
    between=st.binary(max_size=8),
)
@example(cut=len(WHOLE), kept=len(WHOLE), between=b"")
def test_no_damage_makes_the_count_smaller(cut: int, kept: int, between: bytes) -> None:
    """Whatever stands there after cutting a piece out and putting other bytes in, a number given is not a used one."""
    content = WHOLE[:cut] + between + WHOLE[kept:]
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(content)
        try:
            first = Numbers(Path(file.name), OWNER).read()
        except StateError:
            assert content != WHOLE
        else:
            assert (first, content) == (USED, WHOLE)


async def test_a_file_that_is_gone_is_not_begun_again(path: Path) -> None:
    numbers = Numbers(path, OWNER, block=2)
    await taken(numbers, 2)
    path.unlink()
    with pytest.raises(StateError, match=r"cannot be read: No such file or directory; enrol again"):
        await numbers.take()
    assert not path.exists()


async def test_a_file_put_back_from_a_copy_is_not_believed_by_who_runs(path: Path) -> None:
    numbers = Numbers(path, OWNER, block=2)
    old = path.read_bytes()
    await taken(numbers, 2)
    path.write_bytes(old)
    with pytest.raises(StateError, match="went back"):
        await numbers.take()


async def test_what_cannot_be_written_gives_none_and_later_it_goes_on(path: Path) -> None:
    numbers = Numbers(path, OWNER, block=2)
    await taken(numbers, 2)
    blocked = path.with_name(path.name + ".part")
    blocked.mkdir()
    with pytest.raises(StateError, match="no numbers can be written down: Is a directory"):
        await numbers.take()
    blocked.rmdir()
    assert await numbers.take() == 2


async def test_when_all_are_used_up_there_is_no_more(path: Path) -> None:
    path.write_bytes(_line(OWNER, LIMIT - 3))
    numbers = Numbers(path, OWNER, block=3)
    assert await taken(numbers, 3) == [LIMIT - 3, LIMIT - 2, LIMIT - 1]
    with pytest.raises(StateError, match="all numbers are used up; enrol again"):
        await numbers.take()


async def test_a_part_that_a_killed_process_left_is_in_nobodys_way(path: Path) -> None:
    path.with_name(path.name + ".part").write_bytes(b"torn")
    assert await Numbers(path, OWNER).take() == 0
    assert [one.name for one in path.parent.iterdir()] == [path.name]
