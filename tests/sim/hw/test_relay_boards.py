"""The larger relay boards through the same driver: more relays than one byte of coils holds."""

from __future__ import annotations

import asyncio

import pytest
from tests.sim.hw.products import RelayBoard
from tests.sim.hw.virtual import Line, run

from ward_hw.bus import ModbusBus
from ward_hw.drivers.amplifier import Amplifier
from ward_hw.errors import MisuseError
from ward_hw.profile import load_profile


@pytest.mark.parametrize("count", [8, 16, 32])
def test_relays_close_as_leases_up_to_the_last(count: int) -> None:
    async def story() -> None:
        board = RelayBoard(count=count)
        profile = load_profile(f"waveshare/modbus-rtu-relay-{count}ch")
        async with ModbusBus("virtual", 9600, timeout=0.1, opener=Line(9600, units=[board]).open) as bus:
            amplifier = Amplifier("amp-1", bus, 1, profile, clock=asyncio.get_running_loop().time, lease_proven=True)
            await amplifier.configure()
            wanted = frozenset({0, 6, 7, count // 2, count - 1})
            assert (await amplifier.set_relays(wanted)).relays == wanted
            assert {number for number, on in enumerate(board.relays) if on} == wanted
            await asyncio.sleep(4)
            assert (await amplifier.renew()).relays == wanted
            await asyncio.sleep(4)
            assert (await amplifier.read()).relays == wanted
            assert (await amplifier.set_relays(frozenset({6}))).relays == {6}
            await asyncio.sleep(6)  # nobody renews
            assert not any(board.relays)
            with pytest.raises(MisuseError, match=f"relays are 0 to {count - 1}"):
                await amplifier.set_relays(frozenset({count}))

    run(story())


@pytest.mark.parametrize("count", [8, 16, 32])
def test_everything_opens_with_one_order(count: int) -> None:
    async def story() -> None:
        board = RelayBoard(count=count)
        board.relays = [True] * count
        profile = load_profile(f"waveshare/modbus-rtu-relay-{count}ch")
        line = Line(9600, units=[board])
        async with ModbusBus("virtual", 9600, timeout=0.1, opener=line.open) as bus:
            amplifier = Amplifier("amp-1", bus, 1, profile, clock=asyncio.get_running_loop().time, lease_proven=True)
            assert (await amplifier.set_relays(frozenset())).relays == frozenset()
            assert [frame[1] for _, frame in line.sent] == [15, 1]
            assert not any(board.relays)

    run(story())
