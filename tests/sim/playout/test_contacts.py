"""A supply contact that is welded, or does not close, under the real core: told, and the cause in the receipt."""

from __future__ import annotations

import asyncio

import pytest
from tests.sim.hw.virtual import run
from tests.sim.playout.rigs import SUPPLY
from tests.sim.playout.test_trips import stage

from ward_hub.alarm_words import Code, detail
from ward_hub.journal import State
from ward_hub.playout.amplifiers import LOOK_S
from ward_hub.playout.contacts import COMES_S, GOES_S, ContactWatch
from ward_hw.drivers.readings import AmplifierStatus
from ward_sim import faults as wrong

WELDED = wrong.Welded(unit=17, relay=SUPPLY)
STUCK = wrong.Stuck(unit=17, relay=SUPPLY)
STAYS = detail(Code.SUPPLY_STAYS, amplifier="amp-17", supply_mv=24_000)
NONE = detail(Code.NO_SUPPLY, amplifier="amp-17", supply_mv=0)
OPEN, CLOSED = frozenset[int](), frozenset({0, 1})


def test_supply_that_stays_behind_an_open_relay_is_told_until_it_is_gone() -> None:
    async def story() -> None:
        async with stage() as one:
            await one.switch(WELDED, on=True)
            await one.output.carry(["zone-1"], urgent=False)
            await asyncio.sleep(5)
            assert not any(one.stuck)
            await one.output.release()
            assert one.closed == {SUPPLY}
            await asyncio.sleep(GOES_S + 2 * LOOK_S)
            assert list(one.stuck[-1]) == [STAYS]
            await one.switch(WELDED, on=False)
            await asyncio.sleep(LOOK_S)
            assert not one.stuck[-1]
            assert not any(one.shown)

    run(story())


def test_supply_that_does_not_come_is_told_and_the_receipt_says_it() -> None:
    async def story() -> None:
        async with stage() as one:
            await one.switch(STUCK, on=True)
            await one.output.carry(["zone-1"], urgent=False)
            await asyncio.sleep(COMES_S + 1)
            assert list(one.stuck[-1]) == [NONE]
            await one.output.release()
            outcome = one.outcome(4000)
            assert outcome.state is State.NOT_AIRED
            assert str(NONE) in outcome.detail

    run(story())


def reading(at: float, relays: frozenset[int], *, present: bool | None) -> AmplifierStatus:
    return AmplifierStatus(relays, at, supply_mv=24_000 if present else 0, supply_present=present)


@pytest.mark.parametrize(("relays", "present", "patience_s"), [(CLOSED, False, COMES_S), (OPEN, True, GOES_S)])
def test_a_supply_has_its_time_to_follow(relays: frozenset[int], present: bool, patience_s: float) -> None:
    watch = ContactWatch("amp-17", frozenset({0}))
    assert watch.take(reading(100.0, CLOSED - relays, present=not present)) == ()
    assert watch.take(reading(101.0, relays, present=present)) == ()
    assert watch.take(reading(100.9 + patience_s, relays, present=present)) == ()
    assert len(watch.take(reading(101.0 + patience_s, relays, present=present))) == 1
    assert watch.take(reading(102.0 + patience_s, relays, present=not present)) == ()
    assert watch.take(reading(103.0 + patience_s, relays, present=present)) == ()


def test_what_measures_no_supply_or_has_no_relay_for_it_says_nothing() -> None:
    for watch, present in ((ContactWatch("a", frozenset({0})), None), (ContactWatch("a", frozenset()), True)):
        assert [watch.take(reading(at, OPEN, present=present)) for at in (0.0, 60.0, 120.0)] == [()] * 3
