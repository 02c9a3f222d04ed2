"""The judge of Modbus masters must be right itself: its slave's answers by hand, its verdicts on masters that lie."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import serial
from tests.bench.masters import judge as judging
from tests.bench.masters import peers, slave
from tests.bench.masters.judge import judge, scripted

if TYPE_CHECKING:
    from tests.bench.masters.peers import Master

READ = slave.framed(bytes((17, 3, 1, 0, 0, 4)))


def asked(port: serial.Serial, request: bytes, size: int) -> bytes:
    port.write(request)
    return bytes(port.read(size))


def test_reference_crc() -> None:
    # Ref: Modbus over Serial Line V1.02, section 6.2.2, example 02 07 -> 41 12.
    assert slave.crc16(bytes((2, 7))) == bytes((0x41, 0x12))


def test_answers_by_hand() -> None:
    with scripted("none", 1) as (path, truth), serial.Serial(path, 115_200, timeout=10) as port:
        assert asked(port, READ, 13) == slave.framed(bytes((17, 3, 8, 0, 0, 0x1D, 0xE7, 0, 0, 0, 1)))
        on = slave.framed(bytes((17, 15, 0, 0, 0, 8, 1, 0x25)))
        assert asked(port, on, 8) == slave.framed(bytes((17, 15, 0, 0, 0, 8)))
        assert truth.coils == 0x25
        nonce = slave.framed(bytes((17, 23, 1, 0, 0, 4, 0, 2, 0, 1, 2, 0xAB, 0xCD)))
        assert asked(port, nonce, 13) == slave.framed(bytes((17, 23, 8, 0xAB, 0xCD, 0x1D, 0xE7, 0, 0x25, 0, 3)))
        assert truth.received == 3


def said(fault: str, number: int) -> list[bytes]:
    """What the slave means to say of its `number`-th reading."""
    scripted_slave = slave.Slave(-1, bytearray(slave.STATE.size), fault, 1, judging.LATE_S)
    for _ in range(number):
        scripted_slave.due.clear()
        scripted_slave.take(READ)
    return [data for _, _, data, _ in sorted(scripted_slave.due)]


def right(number: int) -> bytes:
    return slave.framed(bytes((17, 3, 8, 0, 0, 0x1D, 0xE7, 0, 0)) + number.to_bytes(2, "big"))


SPOILT: dict[str, Callable[[list[bytes], bytes], bool]] = {
    "another unit first": lambda all_, good: len(all_) == 2 and all_[0][0] == 18 and all_[1] == good,
    "leading zero": lambda all_, good: all_ == [b"\0" + good],
    "truncated": lambda all_, good: len(all_) == 1 and good.startswith(all_[0]) and 0 < len(all_[0]) < len(good),
    "duplicated": lambda all_, good: all_ == [good, good],
}


@pytest.mark.parametrize("fault", SPOILT)
def test_about_half_of_the_answers_are_spoilt_in_their_way_and_the_others_right(fault: str) -> None:
    spoilt = 0
    for number in range(1, 61):
        answers = said(fault, number)
        if answers != [right(number)]:
            assert SPOILT[fault](answers, right(number))
            spoilt += 1
    assert 15 < spoilt < 45


def test_late_answers_are_right_and_late_and_in_order() -> None:
    scripted_slave = slave.Slave(-1, bytearray(slave.STATE.size), "late reply", 1, judging.LATE_S)
    for _ in range(60):
        scripted_slave.take(READ)
    due = sorted(scripted_slave.due)
    assert [data for _, _, data, _ in due] == [right(number) for number in range(1, 61)]
    late = [after[0] - before[0] >= judging.LATE_S - 1e-6 for before, after in itertools.pairwise(due)]
    assert 15 < sum(late) < 45


def test_an_echo_comes_before_the_answer() -> None:
    assert said("echo", 1) == [READ, right(1)]


def test_noise_flips_few_bits_the_same_each_time() -> None:
    heard = [said("noise 1e-4", number) for number in range(1, 301)]
    wrong = [answers for number, answers in enumerate(heard, 1) if answers != [right(number)]]
    assert 0 < len(wrong) < 30
    assert heard == [said("noise 1e-4", number) for number in range(1, 301)]


@asynccontextmanager
async def _believing(path: str, echo: bool) -> AsyncIterator[Master]:
    """A master that sends and believes at once."""
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY)

    class Believing:
        async def read(self) -> int:
            os.write(fd, READ)
            return 0

        async def write(self, mask: int) -> None:
            os.write(fd, slave.framed(bytes((17, 15, 0, 0, 0, 8, 1, mask))))

    try:
        yield Believing()
    finally:
        os.close(fd)


def test_a_master_that_believes_at_once_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(peers.PEERS, "believing", _believing)
    verdict = asyncio.run(judge("believing", "none", 20, 1))
    assert verdict.stale == 10
    assert verdict.false_confirms >= 9  # the first order may be for what is there already
    assert verdict.fresh == verdict.errors == 0


def test_ours_on_a_line_without_faults_is_right_every_time() -> None:
    verdict = asyncio.run(judge("ours", "none", 20, 1))
    assert (verdict.fresh, verdict.confirmed, verdict.stale, verdict.false_confirms) == (10, 10, 0, 0)
