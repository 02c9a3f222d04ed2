"""An amplifier that lost its supply during an airing is cold: zones wait for the warm-up, whoever needs them."""

from __future__ import annotations

import asyncio

import pytest
from tests.sim.hw.virtual import run
from tests.sim.playout.rigs import SUPPLY, WARM_MS, Horns, amplifier, now, stock

ALL = ("zone-1", "zone-2")


@pytest.mark.parametrize("seen_s", [0.0, 0.6])
def test_an_emergency_that_cuts_short_what_lost_its_power_begins_cold_and_carries(seen_s: float) -> None:
    """Its interlock refuses zones that are cold; to give up there would be to lose the emergency."""

    async def story() -> None:
        horns = Horns()
        async with amplifier(horns) as output:
            await output.carry(["zone-1"], urgent=False)
            await asyncio.sleep(3)
            horns.power_cut()
            await asyncio.sleep(seen_s)
            begun = now()
            await output.carry(ALL, urgent=True)
            assert WARM_MS / 1000 - seen_s <= now() - begun <= WARM_MS / 1000 + 0.5
            assert horns.closed == {SUPPLY, 1, 2}
            await asyncio.sleep(4)
            assert all(track.confirmed for track in output.end_tracks())

    run(story())


def test_an_emergency_that_finds_the_line_back_begins_cold_and_carries() -> None:
    async def story() -> None:
        horns = Horns()
        async with amplifier(horns) as output:
            await output.carry(["zone-1"], urgent=False)
            await asyncio.sleep(1)
            horns.deaf = [True] * 100
            await asyncio.sleep(6)
            assert horns.closed == frozenset()
            horns.deaf.clear()
            await output.carry(ALL, urgent=True)
            assert horns.closed == {SUPPLY, 1, 2}

    run(story())


def test_a_board_of_the_trade_that_lost_its_power_gets_zones_no_earlier_than_warm() -> None:
    """It keeps no interlock: what the hub orders, it closes."""

    async def story() -> None:
        station = stock()
        moves: list[tuple[float, frozenset[int]]] = []
        async with amplifier(station, "waveshare/modbus-rtu-relay-8ch") as output:
            await output.carry(["zone-1"], urgent=False)
            await asyncio.sleep(3)
            station.relays = [False] * 8
            cut = now()
            while now() - cut < 6:
                await asyncio.sleep(0.02)
                closed = frozenset(number for number, on in enumerate(station.relays) if on)
                if not moves or moves[-1][1] != closed:
                    moves.append((now(), closed))
            await output.release()
        assert [closed for _, closed in moves] == [frozenset(), {SUPPLY}, {SUPPLY, 1}]
        assert moves[2][0] - moves[1][0] >= WARM_MS / 1000 - 0.1

    run(story())
