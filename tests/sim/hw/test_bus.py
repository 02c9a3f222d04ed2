"""The bus owner on a virtual line: no old answer is ever taken for a new one, urgency rules, ports come back.

The late-answer cases are those in which pymodbus, libmodbus and others read stale values (20 of 40 here
too, if the quarantine is taken out).
"""

from __future__ import annotations

import asyncio
import itertools

import pytest
from pymodbus.pdu.bit_message import WriteMultipleCoilsRequest, WriteSingleCoilRequest
from pymodbus.pdu.register_message import ReadInputRegistersRequest
from tests.sim.hw.units import Amp8, crc16, framed
from tests.sim.hw.virtual import Line, Reply, Unit, run

from ward_hw.bus import ModbusBus, Priority
from ward_hw.errors import LinkError, LinkTimeout, MisuseError, PeerError

UNIT = 17
TIMEOUT = 0.1


def counting_unit(delays: dict[int, float], unit: int = UNIT) -> Unit:
    """Answers FC 4 with the address asked for, so that a stale answer shows; some answers come late."""
    asked = 0

    def answer(frame: bytes) -> list[Reply]:
        nonlocal asked
        if frame[0] != unit:
            return []
        asked += 1
        return [Reply(framed(bytes((unit, 4, 2)) + frame[2:4]), delays.get(asked, 0.002))]

    return answer


def bus_on(line: Line, *, echo: bool | None = None) -> ModbusBus:
    return ModbusBus("virtual", line.baudrate, timeout=TIMEOUT, echo=echo, opener=line.open)


async def read(
    bus: ModbusBus, address: int, *, unit: int = UNIT, wait: float = 5.0, priority: Priority = Priority.COMMAND
) -> int:
    deadline = asyncio.get_running_loop().time() + wait
    pdu = ReadInputRegistersRequest(address=address, count=1)
    return (await bus.request(pdu, unit=unit, deadline=deadline, priority=priority)).registers[0]


@pytest.mark.parametrize("lateness", [0.001, 0.015, 0.05, 0.085])
def test_a_late_answer_is_never_taken_for_the_next(lateness: float) -> None:
    async def story() -> None:
        late = dict.fromkeys(range(1, 41, 2), TIMEOUT + 0.01 + lateness)
        line = Line(units=[counting_unit(late)])
        got, lost = [], 0
        async with bus_on(line) as bus:
            for address in range(40):
                try:
                    got.append((address, await read(bus, address)))
                except LinkTimeout:
                    lost += 1
        assert lost == 20
        assert got == [(address, address) for address, _ in got]
        assert len(got) == 20

    run(story())


@pytest.mark.parametrize("moment", [0.001, 0.01, 0.04, 0.09])
def test_the_answer_to_a_cancelled_request_is_waited_for_and_dropped(moment: float) -> None:
    async def story() -> None:
        line = Line(units=[counting_unit(dict.fromkeys(range(1, 41, 2), 0.05))])
        async with bus_on(line) as bus:
            for address in range(20):
                task = asyncio.create_task(read(bus, 1000 + address))
                await asyncio.sleep(moment)
                task.cancel()
                await asyncio.wait([task])
                assert await read(bus, address) == address

    run(story())


def test_a_deadline_in_the_middle_of_an_answer_leaves_no_stale_answer() -> None:
    async def story() -> None:
        line = Line(units=[counting_unit({1: 0.05})])
        async with bus_on(line) as bus:
            with pytest.raises(LinkTimeout):
                await read(bus, 7, wait=0.02)
            assert await read(bus, 8) == 8

    run(story())


def test_another_unit_is_asked_at_once_while_one_is_in_quarantine() -> None:
    async def story() -> None:
        line = Line(units=[counting_unit({}, unit=2)])
        async with bus_on(line) as bus:
            with pytest.raises(LinkTimeout):
                await read(bus, 0, unit=1)
            begin = asyncio.get_running_loop().time()
            assert await read(bus, 5, unit=2) == 5
            assert asyncio.get_running_loop().time() - begin < TIMEOUT / 2

    run(story())


@pytest.mark.parametrize(
    "before",
    [
        b"\0",
        b"\xff\x00",
        framed(bytes((3, 4, 2, 9, 9))),
        framed(bytes((UNIT, 3, 2, 9, 9))),
        bytes((UNIT,)) * 3,
    ],
    ids=["leading zero", "noise", "another unit", "another function", "the unit number as noise"],
)
def test_what_stands_before_the_answer_is_passed_over(before: bytes) -> None:
    async def story() -> None:
        def unit(frame: bytes) -> list[Reply]:
            return [Reply(before + framed(bytes((UNIT, 4, 2)) + frame[2:4]))]

        async with bus_on(Line(units=[unit])) as bus:
            for address in range(40):
                assert await read(bus, address) == address

    run(story())


@pytest.mark.parametrize(
    "answer",
    [
        bytes((UNIT, 4, 2, 0, 1, 0, 0)),
        framed(bytes((UNIT, 4, 4, 0, 1, 0, 2))),
        framed(bytes((UNIT, 3, 2, 0, 1))),
        framed(bytes((UNIT + 1, 4, 2, 0, 1))),
        framed(bytes((UNIT, 4, 2, 0, 1)))[:-1],
        b"",
    ],
    ids=["wrong CRC", "too many registers", "wrong function", "wrong unit", "truncated", "silence"],
)
def test_a_wrong_answer_is_no_answer(answer: bytes) -> None:
    async def story() -> None:
        async with bus_on(Line(units=[lambda frame: [Reply(answer)]])) as bus:
            with pytest.raises(LinkTimeout, match="virtual unit 17") as caught:
                await read(bus, 1)
            assert ("silence" in str(caught.value)) == (answer == b"")

    run(story())


def test_an_exception_is_the_units_fault_and_carries_its_code() -> None:
    async def story() -> None:
        line = Line(units=[lambda frame: [Reply(framed(bytes((UNIT, 0x84, 2))))]])
        async with bus_on(line) as bus:
            with pytest.raises(PeerError, match="exception 2") as caught:
                await read(bus, 1)
            assert caught.value.code == 2

    run(story())


@pytest.mark.parametrize("baudrate", [9_600, 19_200, 115_200])
def test_at_least_three_and_a_half_characters_of_silence_precede_a_request(baudrate: int) -> None:
    async def story() -> None:
        line = Line(baudrate, units=[counting_unit({})])
        async with bus_on(line) as bus:
            for address in range(10):
                await read(bus, address)
        length = 8 * line.character_s
        gap = 38.5 / baudrate if baudrate <= 19_200 else 0.001_75
        answer = 0.002 + 7 * line.character_s
        begins = [at for at, _ in line.sent]
        for one, next_one in itertools.pairwise(begins):
            assert next_one - (one + length + answer) >= gap - 1e-9

    run(story())


def test_an_emergency_goes_ahead_of_a_hundred_waiting_polls() -> None:
    async def story() -> None:
        line = Line(units=[counting_unit({})])
        async with bus_on(line) as bus, asyncio.TaskGroup() as tasks:
            for address in range(100):
                tasks.create_task(read(bus, address, priority=Priority.POLL))
            await asyncio.sleep(0.05)
            begin = len(line.sent)
            assert await read(bus, 999, priority=Priority.EMERGENCY) == 999
            assert [int.from_bytes(frame[2:4], "big") for _, frame in line.sent[begin:]] in (
                [999],
                [begin, 999],
            )

    run(story())


def test_a_hearing_adapter_does_not_confirm_with_its_own_echo() -> None:
    async def story() -> None:
        write = WriteMultipleCoilsRequest(address=0, bits=[True] * 8)
        silent = Line(echo=True)
        async with bus_on(silent, echo=True) as bus:
            with pytest.raises(LinkTimeout):
                await bus.request(write, unit=UNIT, deadline=5.0)
        line = Line(echo=True, units=[counting_unit({})])
        async with bus_on(line, echo=True) as bus:
            assert [await read(bus, address) for address in range(20)] == list(range(20))

    run(story())


def test_an_echo_is_found_out_and_single_writes_are_believed_only_then() -> None:
    async def story() -> None:
        write = WriteSingleCoilRequest(address=0, bits=[True])
        line = Line(echo=True)
        async with bus_on(line) as bus:
            with pytest.raises(LinkTimeout):  # nobody is there: what comes back is our own
                await bus.request(write, unit=UNIT, deadline=5.0)
            line.units.append(counting_unit({}))
            assert [await read(bus, address) for address in range(5)] == list(range(5))
            line.units[:] = []
            with pytest.raises(LinkTimeout):
                await bus.request(write, unit=UNIT, deadline=10.0)

    run(story())


def test_without_an_echo_a_single_write_is_believed_after_the_first_read() -> None:
    async def story() -> None:
        line = Line(units=[counting_unit({})])
        async with bus_on(line) as bus:
            assert await read(bus, 1) == 1
            line.units[:] = [lambda frame: [Reply(frame)]]
            await bus.request(WriteSingleCoilRequest(address=0, bits=[True]), unit=UNIT, deadline=5.0)

    run(story())


def test_a_dead_unit_costs_the_others_ever_less() -> None:
    async def story() -> None:
        line = Line(units=[counting_unit({}, unit=2)])
        loop = asyncio.get_running_loop()

        async def poll(unit: int) -> int:
            answered = 0
            while loop.time() < 60:
                try:
                    await read(bus, 0, unit=unit, wait=2.0, priority=Priority.POLL)
                    answered += 1
                except LinkTimeout:
                    pass
            return answered

        async with bus_on(line) as bus, asyncio.TaskGroup() as tasks:
            alive, dead = tasks.create_task(poll(2)), tasks.create_task(poll(1))
        assert dead.result() == 0
        asked = [at for at, frame in line.sent if frame[0] == 1]
        assert 5 < len(asked) < 15
        pauses = [later - earlier for earlier, later in itertools.pairwise(asked)]
        assert pauses == sorted(pauses)
        assert alive.result() > 60 / 0.016  # two frames, two silences, turn-round

    run(story())


def test_a_unit_that_comes_back_is_polled_as_before_after_one_order_to_it() -> None:
    async def story() -> None:
        line = Line()
        async with bus_on(line) as bus:
            for _ in range(8):
                with pytest.raises(LinkTimeout):
                    await read(bus, 0, priority=Priority.POLL, wait=20.0)
            line.units.append(counting_unit({}))
            with pytest.raises(LinkTimeout, match="left alone after 8 failures"):
                await read(bus, 0, priority=Priority.POLL, wait=1.0)
            assert await read(bus, 5, priority=Priority.COMMAND) == 5
            assert await read(bus, 6, priority=Priority.POLL, wait=0.1) == 6

    run(story())


def test_an_emergency_reaches_the_living_before_the_dead() -> None:
    async def story() -> None:
        line = Line(units=[counting_unit({}, unit=2)])
        async with bus_on(line) as bus:
            with pytest.raises(LinkTimeout):
                await read(bus, 0, unit=1, wait=5.0)
            await asyncio.sleep(1.0)
            begin = asyncio.get_running_loop().time()
            dead = [asyncio.create_task(read(bus, n, unit=1, priority=Priority.EMERGENCY)) for n in range(3)]
            await asyncio.sleep(0)  # the first has the line; the others wait behind
            assert await read(bus, 9, unit=2, priority=Priority.EMERGENCY) == 9
            assert asyncio.get_running_loop().time() - begin < 1.5 * TIMEOUT
            for task in dead:
                with pytest.raises(LinkTimeout):
                    await task

    run(story())


@pytest.mark.parametrize("first", list(Priority))
@pytest.mark.parametrize("second", list(Priority))
def test_the_more_urgent_goes_first(first: Priority, second: Priority) -> None:
    async def story() -> None:
        line = Line(units=[counting_unit({})])
        async with bus_on(line) as bus, asyncio.TaskGroup() as tasks:
            tasks.create_task(read(bus, 0))  # has the line, once it has been silent for t3.5
            await asyncio.sleep(0.004)
            tasks.create_task(read(bus, 1, priority=first))
            tasks.create_task(read(bus, 2, priority=second))
        asked = [int.from_bytes(frame[2:4], "big") for _, frame in line.sent]
        assert asked == ([0, 2, 1] if second < first else [0, 1, 2])

    run(story())


def test_a_broadcast_is_obeyed_unanswered_and_followed_by_the_turn_round() -> None:
    async def story() -> None:
        station = Amp8(unit=UNIT)
        line = Line(units=[station])
        async with bus_on(line) as bus:
            await bus.broadcast(WriteMultipleCoilsRequest(address=0, bits=[True] * 8), deadline=5.0)
            assert station.mask == 0xFF
            await read(bus, 0)
        (first, frame), (second, _) = line.sent
        assert frame[0] == 0
        assert second - first >= len(frame) * line.character_s + 0.1

    run(story())


def test_an_adapter_pulled_and_plugged_again_is_opened_again() -> None:
    async def story() -> None:
        line = Line(units=[counting_unit({1: 0.05})])
        async with bus_on(line) as bus:
            asyncio.get_running_loop().call_later(0.01, line.unplug)
            with pytest.raises(LinkError, match="plug the adapter in"):
                await read(bus, 1)
            with pytest.raises(LinkTimeout, match="not open"):
                await read(bus, 2, wait=1.0)
            line.plugged = True
            assert await read(bus, 3) == 3

    run(story())


def test_a_port_that_is_absent_at_first_is_used_when_it_appears() -> None:
    async def story() -> None:
        line = Line(units=[counting_unit({})], plugged=False)
        async with bus_on(line) as bus:
            asyncio.get_running_loop().call_later(3.0, setattr, line, "plugged", True)
            assert await read(bus, 3, wait=10.0) == 3

    run(story())


def test_closing_the_bus_ends_what_waits() -> None:
    async def story() -> None:
        line = Line()
        async with bus_on(line) as bus:
            waiting = [asyncio.create_task(read(bus, n)) for n in range(3)]
            await asyncio.sleep(0.01)
        for task in waiting:
            with pytest.raises(LinkError, match="closed"):
                await task
        with pytest.raises(MisuseError):
            await read(bus, 1)

    run(story())


def test_the_reference_crc_of_the_stations_is_the_standards() -> None:
    # Ref: Modbus over Serial Line V1.02, section 6.2.2, example 02 07 -> 41 12.
    assert crc16(bytes((2, 7))) == bytes((0x41, 0x12))
