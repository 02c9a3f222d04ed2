"""What a UART hears at another rate: worked by hand on the bits, and what must hold for any bytes and rates."""

from __future__ import annotations

import asyncio
import os
import termios

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ward_hw.serial_port import open_tty
from ward_sim.line import Line
from ward_sim.line.clock import run
from ward_sim.line.inside import Port
from ward_sim.line.uart import sampled

RATES = (1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200)
rates = st.sampled_from(RATES)


def heard(data: bytes, sent_at: float, heard_at: float) -> bytes:
    return sampled([(value, 10 / sent_at) for value in data], 10 / heard_at)


@pytest.mark.parametrize(
    ("data", "sent_at", "heard_at", "bytes_heard"),
    [
        # On the wire 0 10101010 1, each bit seen twice: 0 01100110 (no stop bit); a fall later 0 01100111 1.
        (b"\x55", 9600, 19_200, b"\x66\xe6"),
        # Nine low bits seen as four and a half: start, 000, and rest.
        (b"\x00", 19_200, 9600, b"\xf8"),
        # Every pulse is over before the middle of the start bit that it might be.
        (b"\x55", 19_200, 9600, b""),
        # Low for 108 of its bits: a break, once, and nothing until the line rests.
        (b"\x00", 9600, 115_200, b"\x00"),
        # Start bit, then high for the rest: low twice, 0 1111111.
        (b"\xff", 9600, 19_200, b"\xfe"),
        # Three of its bits at each look, at 17/32 * 3 = 1.6, 4.6, 7.6: of 0 00011111 1 seen 0 1 1, and rest.
        (b"\xf8", 28_800, 9600, b"\xff"),
    ],
)
def test_by_hand(data: bytes, sent_at: int, heard_at: int, bytes_heard: bytes) -> None:
    assert heard(data, sent_at, heard_at) == bytes_heard


@given(st.binary(max_size=64), rates, st.floats(-0.04, 0.04))
def test_clocks_that_differ_by_four_percent_hear_everything(data: bytes, rate: int, off: float) -> None:
    """A UART that looks at 9.53 bits may be off by half a bit in that: 5 %."""
    assert heard(data, rate, rate * (1 + off)) == data


@given(st.binary(min_size=1, max_size=64), rates, rates)
def test_no_more_is_heard_than_there_was_time_for(data: bytes, sent_at: int, heard_at: int) -> None:
    assert len(heard(data, sent_at, heard_at)) <= len(data) * max(1, 5 * heard_at / sent_at)


@given(st.binary(max_size=16), rates, rates)
def test_rates_matter_only_by_their_ratio(data: bytes, sent_at: int, heard_at: int) -> None:
    if sent_at / heard_at not in {32, 96}:  # where it looks right at an edge, rounding decides
        assert heard(data, sent_at, heard_at) == heard(data, 3 * sent_at, 3 * heard_at)


class Ear:
    """What comes from a port."""

    def __init__(self) -> None:
        self.data = bytearray()

    def data_received(self, data: bytes) -> None:
        self.data += data

    def connection_lost(self, reason: Exception) -> None:
        """The line ends with the test."""


def test_both_ends_hear_each_other_wrong_on_the_clock_that_jumps() -> None:
    async def story() -> None:
        async with Line(9600, seed=1) as line:
            ears, ports = (Ear(), Ear()), (Port(line, "one"), Port(line, "two"))
            slow, fast = (
                port.open("virtual", rate, ear) for port, rate, ear in zip(ports, (9600, 19_200), ears, strict=True)
            )
            slow.write(b"\x55")
            await asyncio.sleep(0.1)
            fast.write(b"\x00")
            began = line.loop.time()
            await asyncio.sleep(0.1)
            assert ears[1].data == b"\x66\xe6"
            assert ears[0].data == b"\xf8"
            assert line.ended - began == pytest.approx(10 / 19_200)
            ports[1].bauds.append(9600)  # a fault: whatever it was opened at
            slow.write(b"\x55")
            await asyncio.sleep(0.1)
            assert ears[1].data == b"\x66\xe6\x55"

    run(story())


def test_two_rates_collide_where_they_overlap() -> None:
    async def story() -> None:
        async with Line(9600, seed=1) as line:
            one, two, three = (Port(line, name) for name in ("one", "two", "three"))
            one.bauds.append(1200)
            for port in (two, three):
                port.open("virtual", 9600, Ear())
            one.send(b"\xff", 0.0)
            two.send(b"\xff", 9 / 1200)
            three.send(b"\xff", 11 / 1200)
            await asyncio.sleep(0.1)
            assert (line.stats.carried, line.stats.collided) == (3, 2)

    run(story())


@pytest.mark.parametrize("rate", [9600, 19_200])
async def test_a_pty_runs_at_the_speed_that_was_set_on_it(rate: int) -> None:
    async with Line(9600, seed=1) as line:
        there = line.station("there", controller=True)
        ear = Ear()
        port = open_tty(line.station("hub").path, rate, ear)
        os.write(there.fd, b"\x55")
        async with asyncio.timeout(20):
            while len(ear.data) < (1 if rate == line.baud else 2):
                await asyncio.sleep(0.001)
        assert ear.data == heard(b"\x55", line.baud, rate)
        port.close()


async def test_a_pty_on_which_nobody_set_a_speed_has_the_lines() -> None:
    for rate in (9600, 115_200, 31_250):  # the last has no name that a tty could keep
        async with Line(rate, seed=1) as line:
            station = line.station("hub")
            assert station.configured_baud == rate
            fd = os.open(station.path, os.O_RDWR | os.O_NOCTTY)
            attributes = termios.tcgetattr(fd)
            attributes[4] = attributes[5] = termios.B1200
            termios.tcsetattr(fd, termios.TCSANOW, attributes)
            assert station.configured_baud == 1200
            os.close(fd)
            station.unplug()
            assert station.configured_baud == rate
