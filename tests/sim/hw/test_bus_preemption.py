"""An emergency takes the line from what is asked again anyway and waits for a dead unit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context

import pytest
from pymodbus.pdu.register_message import ReadInputRegistersRequest
from tests.sim.hw.test_bus import UNIT, bus_on, counting_unit, read
from tests.sim.hw.virtual import Line, run

from ward_hw.bus import Priority
from ward_hw.errors import LinkTimeout

DEAD = 5


@pytest.mark.parametrize("priority", [Priority.POLL, Priority.RENEWAL])
def test_what_asks_a_dead_unit_again_and_again_gives_way_to_an_emergency(priority: Priority) -> None:
    async def story() -> None:
        line = Line(units=[counting_unit({})])
        async with bus_on(line) as bus:
            dead = asyncio.create_task(read(bus, 0, unit=DEAD, priority=priority))
            await asyncio.sleep(0.02)
            begin = asyncio.get_running_loop().time()
            assert await read(bus, 1, priority=Priority.EMERGENCY) == 1
            assert asyncio.get_running_loop().time() - begin < 0.06
            with pytest.raises(LinkTimeout):
                await dead
            assert [frame[0] for _, frame in line.sent] == [DEAD, UNIT, DEAD]

    run(story())


@pytest.mark.parametrize("priority", [Priority.POLL, Priority.RENEWAL])
def test_what_nobody_waits_for_any_more_is_not_asked_again_and_costs_nothing(priority: Priority) -> None:
    async def story() -> None:
        loop, timers = asyncio.get_running_loop(), 0
        call_at = loop.call_at

        def counted(
            when: float, callback: Callable[..., object], *args: object, context: Context | None = None
        ) -> asyncio.TimerHandle:
            nonlocal timers
            timers += 1
            assert timers < 500, "it spins"  # and ends here, for a clock that jumps stands still meanwhile
            return call_at(when, callback, *args, context=context)

        loop.call_at = counted  # type: ignore[method-assign]
        line = Line(units=[counting_unit({})])
        async with bus_on(line) as bus:
            pdu = ReadInputRegistersRequest(address=0, count=1)
            proven = bus.request(pdu, unit=DEAD, deadline=0.03, priority=priority, accept=lambda _: True)
            dead = asyncio.create_task(proven)
            await asyncio.sleep(0.02)
            assert await read(bus, 1, priority=Priority.EMERGENCY) == 1
            with pytest.raises(LinkTimeout):
                await dead
            await asyncio.sleep(1)
            assert await read(bus, 2) == 2
            assert [frame[0] for _, frame in line.sent] == [DEAD, UNIT, UNIT]
        assert timers < 100

    run(story())
