"""The tty port over a pty: order, large writes, loss and closing; nothing is left open."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from ward_hw.serial_port import open_tty

HANG_GUARD_S = 10.0


class Sink:
    """Collects what a port delivers."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.lost: list[Exception] = []
        self.news = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.data += data
        self.news.set()

    def connection_lost(self, reason: Exception) -> None:
        self.lost.append(reason)
        self.news.set()

    async def until(self, size: int) -> None:
        async with asyncio.timeout(HANG_GUARD_S):
            while len(self.data) < size and not self.lost:
                self.news.clear()
                await self.news.wait()


@pytest.fixture
def pty() -> Iterator[list[int]]:
    """Master descriptor and, while it is open, the slave's."""
    master, slave = os.openpty()
    tty.setraw(slave)
    held = [master, slave]
    yield held
    for descriptor in held:
        os.close(descriptor)


async def test_bytes_pass_both_ways_in_order(pty: list[int]) -> None:
    sink = Sink()
    port = open_tty(os.ttyname(pty[1]), 115_200, sink)
    os.write(pty[0], b"\x00\x11\x13\x03\x7f\xff\r\n")
    await sink.until(8)
    assert bytes(sink.data) == b"\x00\x11\x13\x03\x7f\xff\r\n"
    port.write(b"\x00\x04\x1a")
    port.write(b"\r\n")
    assert os.read(pty[0], 100) == b"\x00\x04\x1a\r\n"
    port.close()
    port.close()
    port.write(b"nothing happens")


async def test_a_write_larger_than_the_drivers_buffer_leaves_whole(pty: list[int]) -> None:
    sink = Sink()
    port = open_tty(os.ttyname(pty[1]), 115_200, sink)
    whole = bytes(range(256)) * 200
    port.write(whole)
    port.write(b"end")
    got = bytearray()
    os.set_blocking(pty[0], False)
    async with asyncio.timeout(HANG_GUARD_S):
        while len(got) < len(whole) + 3:
            try:
                got += os.read(pty[0], 65_536)
            except BlockingIOError:
                await asyncio.sleep(0.001)
    assert bytes(got) == whole + b"end"
    port.close()


async def test_a_pulled_adapter_is_told_once(pty: list[int]) -> None:
    sink = Sink()
    port = open_tty(os.ttyname(pty[1]), 115_200, sink)
    os.close(pty.pop(0))
    await sink.until(1)
    assert len(sink.lost) == 1
    assert isinstance(sink.lost[0], OSError)
    port.write(b"into the void")
    await asyncio.sleep(0)
    assert len(sink.lost) == 1


async def test_a_port_has_one_owner(pty: list[int]) -> None:
    port = open_tty(os.ttyname(pty[1]), 115_200, Sink())
    with pytest.raises(OSError, match="lock"):
        open_tty(os.ttyname(pty[1]), 115_200, Sink())
    port.close()


@pytest.mark.parametrize("kind", ["absent", "a file"])
async def test_what_is_no_serial_port_is_an_os_error(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "port"
    if kind == "a file":
        path.write_bytes(b"")
    with pytest.raises(OSError, match=r".+"):
        open_tty(str(path), 115_200, Sink())
