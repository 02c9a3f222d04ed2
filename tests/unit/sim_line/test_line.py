"""The simulated line: who hears whom, pacing (lower bounds only), every fault seen to fire, unplugging."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from typing import TYPE_CHECKING

import pytest

from ward_sim.line import BURST, Line, Station

if TYPE_CHECKING:
    from collections.abc import Iterator

FAST = 1_000_000
DEADLINE_S = 20.0


class Port:
    """An outside program's hold on a tty, or a controller's on its descriptor."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def write(self, data: bytes) -> None:
        assert os.write(self.fd, data) == len(data)

    async def read(self, size: int) -> bytes:
        """Exactly `size` bytes."""
        data = b""
        async with asyncio.timeout(DEADLINE_S):
            while len(data) < size:
                with contextlib.suppress(BlockingIOError):
                    data += os.read(self.fd, size - len(data))
                await asyncio.sleep(0.001)
        return data

    async def piece(self) -> bytes:
        """What the line hands over next."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                with contextlib.suppress(BlockingIOError):
                    return os.read(self.fd, 100)
                await asyncio.sleep(0.001)

    def empty(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            return os.read(self.fd, 1) == b""
        return True


@contextlib.contextmanager
def opened(station: Station) -> Iterator[Port]:
    fd = os.open(station.path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        yield Port(fd)
    finally:
        os.close(fd)


async def settled(line: Line, characters: int) -> None:
    """Wait until the line has carried that many characters."""
    async with asyncio.timeout(DEADLINE_S):
        while line.stats.carried < characters:
            await asyncio.sleep(0.001)


async def test_everyone_hears_everyone_else_and_nobody_himself() -> None:
    async with Line(FAST, seed=1) as line:
        controllers = [Port(line.station(name, controller=True).fd) for name in ("one", "two")]
        with opened(line.station("hub")) as hub:
            hub.write(b"request")
            assert [await port.read(7) for port in controllers] == [b"request"] * 2
            controllers[0].write(b"answer")
            assert await hub.read(6) == b"answer"
            assert await controllers[1].read(6) == b"answer"
            assert hub.empty()
            assert controllers[0].empty()


async def test_characters_take_their_time() -> None:
    async with Line(9600, seed=1) as line:
        there = Port(line.station("there", controller=True).fd)
        with opened(line.station("hub")) as hub:
            began = line.loop.time()
            hub.write(bytes(48))
            await there.read(48)
            assert line.loop.time() - began >= 48 * 10 / 9600


async def test_a_frame_arrives_in_one_piece_after_its_last_bit() -> None:
    async with Line(9600, seed=1) as line:
        there = Port(line.station("there", controller=True).fd)
        with opened(line.station("hub")) as hub:
            hub.write(b"a whole frame")
            while there.empty():
                await asyncio.sleep(0.001)
            assert os.read(there.fd, 100) == b" whole frame"  # the first byte was taken by empty()


async def test_a_frame_with_a_pause_arrives_in_pieces_where_the_pause_is_longer_than_t15() -> None:
    async with Line(FAST, seed=1) as line:
        there = Port(line.station("there", controller=True).fd)
        hub = line.station("hub")
        for pause_us, pieces in ((700, [b"frame"]), (20_000, [b"fr", b"ame"])):
            hub.send(b"fr")
            hub.send(b"ame", line.loop.time() + 2 * hub.character_s + pause_us / 1e6)
            assert [await there.piece() for _ in pieces] == pieces


async def test_long_streams_arrive_whole() -> None:
    data = os.urandom(3 * BURST + 7)
    async with Line(FAST, seed=1) as line:
        there = Port(line.station("there", controller=True).fd)
        with opened(line.station("hub")) as hub:
            hub.write(data)
            assert await there.read(len(data)) == data


async def test_latency_is_added() -> None:
    async with Line(FAST, seed=1, latency=0.05) as line:
        there = Port(line.station("there", controller=True).fd)
        with opened(line.station("hub")) as hub:
            began = line.loop.time()
            hub.write(b"x")
            await there.read(1)
            assert line.loop.time() - began >= 0.05


async def test_two_at_once_damage_each_other() -> None:
    async with Line(9600, seed=1) as line:
        one, two = (Port(line.station(name, controller=True).fd) for name in ("one", "two"))
        one.write(b"\xff" * 20)
        two.write(b"\xff" * 20)
        assert await one.read(20) != b"\xff" * 20
        assert await two.read(20) != b"\xff" * 20
        assert line.stats.collided == 40


async def test_one_after_the_other_do_not() -> None:
    async with Line(FAST, seed=1) as line:
        one, two = (Port(line.station(name, controller=True).fd) for name in ("one", "two"))
        one.write(b"ask")
        assert await two.read(3) == b"ask"
        two.write(b"tell")
        assert await one.read(4) == b"tell"
        assert line.stats.collided == 0


async def test_echo_reaches_the_outside_sender_only() -> None:
    async with Line(FAST, seed=1, echo=True) as line:
        controller = Port(line.station("controller", controller=True).fd)
        with opened(line.station("hub")) as hub:
            hub.write(b"mine")
            assert await hub.read(4) == b"mine"
            await controller.read(4)
            controller.write(b"yours")
            assert await hub.read(5) == b"yours"
            assert controller.empty()


@pytest.mark.parametrize(("fault", "counter"), [("ber", "flipped"), ("drop", "dropped"), ("insert", "inserted")])
async def test_faults_fire_and_repeat_with_their_seed(fault: str, counter: str) -> None:
    received = []
    for seed in (7, 7, 8):
        async with Line(FAST, seed=seed, **{fault: 0.02}) as line:  # type: ignore[arg-type]
            there = Port(line.station("there", controller=True).fd)
            with opened(line.station("hub")) as hub:
                hub.write(bytes(200))
                await settled(line, 200)
            assert getattr(line.stats, counter) > 0
            received.append(os.read(there.fd, 1000))
    assert received[0] == received[1] != received[2]
    assert received[0] != bytes(200)


async def test_faults_can_be_turned_on_and_off() -> None:
    async with Line(FAST, seed=1) as line:
        there = Port(line.station("there", controller=True).fd)
        with opened(line.station("hub")) as hub:
            line.drop = 1.0
            hub.write(b"lost")
            await settled(line, 4)
            line.drop = 0.0
            hub.write(b"found")
            assert await there.read(5) == b"found"


async def test_unplugging_is_an_io_error_and_the_name_comes_back() -> None:
    async with Line(FAST, seed=1) as line:
        there = Port(line.station("there", controller=True).fd)
        station = line.station("hub")
        with opened(station) as hub:
            station.unplug()
            with pytest.raises(OSError) as raised:  # noqa: PT011 - the number is what is asked
                os.write(hub.fd, b"x")
            assert raised.value.errno == errno.EIO
            assert not os.path.lexists(station.path)
        station.plug()
        with opened(station) as hub:
            hub.write(b"back")
            assert await there.read(4) == b"back"


async def test_a_starting_controller_does_not_read_old_bytes() -> None:
    async with Line(FAST, seed=1) as line:
        station = line.station("there", controller=True)
        with opened(line.station("hub")) as hub:
            hub.write(b"while you were off")
            await settled(line, 18)
            station.flush()
            hub.write(b"new")
            assert await Port(station.fd).read(3) == b"new"


async def test_a_station_has_the_one_end_or_the_other() -> None:
    async with Line(FAST, seed=1) as line:
        with pytest.raises(ValueError, match="use fd"):
            _ = line.station("controller", controller=True).path
        with pytest.raises(ValueError, match="use path"):
            _ = line.station("hub").fd
