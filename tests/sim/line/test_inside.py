"""The line in one process: real cores answer the real driver, every fault of a ward's file is seen to fire."""

from __future__ import annotations

import asyncio

import pytest
from tests.sim.line.rigs import TIMEOUT_S, Rig, now, rig

from ward_hw.errors import HardwareError, LinkError, Unconfirmed, WrongController
from ward_sim import faults as wrong
from ward_sim.line.clock import run

CLOSED = frozenset({0, 3})


async def failures(site: Rig, unit: int = 17, count: int = 20) -> int:
    """How many of so many fresh readings fail."""
    failed = 0
    for _ in range(count):
        try:
            await site.drivers[unit].renew(budget_s=10 * TIMEOUT_S)
        except HardwareError:
            failed += 1
    return failed


def test_cores_obey_their_driver_and_let_go_by_themselves() -> None:
    async def story() -> None:
        async with rig((17, 18)) as site:
            for unit in (17, 18):
                await site.drivers[unit].configure()
                reading = await site.drivers[unit].set_relays(CLOSED)
                assert reading.relays == CLOSED == site.closed(unit)
            site.devices[17].level_mv = 775
            assert (await site.drivers[17].renew()).line_level_mv == 775
            await asyncio.sleep(2.9)
            assert site.closed(17) == CLOSED
            await asyncio.sleep(0.2)
            assert site.closed(17) == site.closed(18) == frozenset()

    run(story())


def test_a_transaction_takes_its_time_on_the_wire() -> None:
    async def story() -> None:
        async with rig() as site:
            await site.drivers[17].renew()
            began = now()
            await site.drivers[17].renew()
            frames = (15 + 37) * 10 / 19_200
            silences = 2 * 38.5 / 19_200  # before the request, and of the unit before its answer
            assert now() - began == pytest.approx(frames + silences, abs=2e-5)

    run(story())


def test_the_same_seed_gives_the_same_faults() -> None:
    async def story(seed: int) -> tuple[int, int, float]:
        async with rig(seed=seed) as site:
            await site.faults.switch(wrong.Noise(ber=2e-3), on=True)
            failed = await failures(site, count=100)
            return failed, site.line.stats.flipped, now()

    first = run(story(7))
    assert first == run(story(7)) != run(story(8))
    assert 0 < first[0] < 100


SOUND = "the reading is right all the same"
FAILS = "it fails, and says so"
FAULTS: list[tuple[wrong.AnyFault, str]] = [
    (wrong.Noise(ber=0.1), FAILS),
    (wrong.Lost(rate=0.1), FAILS),
    (wrong.Inserted(rate=0.1), FAILS),
    (wrong.Echo(), SOUND),
    (wrong.Unplugged(), FAILS),
    (wrong.Cut(behind=(17,)), FAILS),
    (wrong.Baud(unit=17, baudrate=9600), FAILS),
    (wrong.Baud(baudrate=38400), FAILS),
    (wrong.Torn(pause_us=850), SOUND),
    (wrong.Torn(pause_us=1000), FAILS),
    (wrong.Late(unit=17, late_ms=30), SOUND),
    (wrong.Late(unit=17, late_ms=150), FAILS),
    (wrong.Mute(unit=17), FAILS),
    (wrong.Deaf(unit=17), FAILS),
    (wrong.LeadingZero(unit=17), SOUND),
    (wrong.Truncated(unit=17), FAILS),
    (wrong.Duplicated(unit=17), SOUND),
    (wrong.Foreign(unit=17, other=18), SOUND),
    (wrong.Impostor(unit=17, other=99), SOUND),
    (wrong.BrownOut(unit=17), FAILS),
]


@pytest.mark.parametrize(("fault", "outcome"), FAULTS, ids=lambda one: getattr(one, "kind", ""))
def test_each_fault_fires_and_ends(fault: wrong.AnyFault, outcome: str) -> None:
    async def story() -> None:
        async with rig((17, 18)) as site:
            await site.faults.switch(fault, on=True)
            failed = await failures(site)
            assert failed == 0 if outcome == SOUND else failed > 10
            await site.faults.switch(fault, on=False)
            await asyncio.sleep(15)
            assert await failures(site) == 0
            if fault.units:
                assert await failures(site, 18) == 0

    run(story())


def test_faults_play_at_their_times_and_are_told() -> None:
    told: list[tuple[float, str, bool]] = []

    async def story() -> None:
        async with rig() as site:
            plan = (wrong.Mute(unit=17, from_s=1.0, until_s=2.0), wrong.BrownOut(unit=17, from_s=3.0, until_s=3.5))
            await site.faults.play(plan, lambda fault, begins: told.append((now(), fault.kind, begins)))

    run(story())
    told = [(round(at, 6), kind, begins) for at, kind, begins in told]
    assert told == [(1.0, "mute", True), (2.0, "mute", False), (3.0, "brown-out", True), (3.5, "brown-out", False)]


def test_a_fault_without_an_end_lasts() -> None:
    async def story() -> None:
        async with rig() as site, asyncio.TaskGroup() as tasks:
            playing = tasks.create_task(site.faults.play((wrong.Mute(unit=17),)))
            await asyncio.sleep(1000)
            assert await failures(site, count=3) == 3
            playing.cancel()

    run(story())


def test_a_brown_out_opens_relays_and_a_hang_ends_with_the_watchdog() -> None:
    async def story() -> None:
        async with rig() as site:
            for fault in (wrong.BrownOut(unit=17), wrong.Hang(unit=17)):
                await site.drivers[17].set_relays(CLOSED)
                assert site.closed(17) == CLOSED
                await site.faults.switch(fault, on=True)
                assert not site.devices[17].alive
                await asyncio.sleep(1.1)
                assert site.closed(17) == frozenset()
                await site.faults.switch(fault, on=False)
                assert site.devices[17].alive

    run(story())


def test_a_contact_that_does_not_follow_shows_behind_it_only() -> None:
    async def story() -> None:
        async with rig() as site:
            driver, device = site.drivers[17], site.devices[17]
            await site.faults.switch(wrong.Stuck(unit=17, relay=0), on=True)
            await driver.set_relays(CLOSED)  # the pins are as ordered, and pins are what a controller reads
            assert site.closed(17) == {3}
            assert (await driver.renew()).supply_mv == 0
            await site.faults.switch(wrong.Stuck(unit=17, relay=0), on=False)
            assert site.closed(17) == CLOSED
            await site.faults.switch(wrong.Welded(unit=17, relay=0), on=True)
            await driver.set_relays(frozenset())
            assert site.closed(17) == {0}
            assert (await driver.renew()).supply_mv == 24_000
            await site.faults.switch(wrong.Welded(unit=17, relay=0), on=False)
            assert device.relays == (False,) * 8

    run(story())


def test_an_impostor_answers_where_nobody_is_and_collides_where_somebody_is() -> None:
    async def story() -> None:
        async with rig((17, 18)) as site:
            await site.faults.switch(wrong.Cut(behind=(18,)), on=True)
            await site.faults.switch(wrong.Impostor(unit=17, other=18), on=True)
            assert await failures(site, 18) == 0
            await site.faults.switch(wrong.Cut(behind=(18,)), on=False)
            assert await failures(site, 18) > 10
            assert site.line.stats.collided > 0

    run(story())


def test_an_impostor_of_one_that_is_known_is_refused_by_its_identity_until_that_one_is_back() -> None:
    async def story() -> None:
        async with rig((17, 18)) as site:
            await site.drivers[18].renew()
            await site.faults.switch(wrong.Cut(behind=(18,)), on=True)
            await site.faults.switch(wrong.Impostor(unit=17, other=18), on=True)
            with pytest.raises(Unconfirmed, match="another controller answers as unit 18"):
                await site.drivers[18].set_relays(frozenset({0}))
            assert site.closed(17) == {0}  # it was given the order; nobody renews it
            with pytest.raises(WrongController):
                await site.drivers[18].read()
            await asyncio.sleep(3.1)
            with pytest.raises(Unconfirmed, match="another controller"):
                await site.drivers[18].set_relays(frozenset({1}))
            assert site.closed(17) == frozenset()  # it is known by now, so nothing more is ordered there
            await site.faults.switch(wrong.Impostor(unit=17, other=18), on=False)
            await site.faults.switch(wrong.Cut(behind=(18,)), on=False)
            await asyncio.sleep(2.0)
            assert (await site.drivers[18].set_relays(frozenset({3}))).relays == {3} == site.closed(18)

    run(story())


@pytest.mark.parametrize("late_ms", [120, 190])
@pytest.mark.parametrize("share", [0.5, 1.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_late_answer_in_anothers_name_proves_nothing(late_ms: int, share: float, seed: int) -> None:
    """Both are asked in step; were their nonces the same, some of these orders would be confirmed falsely."""

    async def order(site: Rig, unit: int, wanted: frozenset[int]) -> None:
        try:
            await site.drivers[unit].set_relays(wanted)
        except Unconfirmed:
            return
        assert site.closed(unit) == wanted

    async def story() -> None:
        async with rig((17, 18), seed=seed) as site:
            for driver in site.drivers.values():
                await driver.configure()
            for fault in (
                wrong.Foreign(unit=17, other=18),
                wrong.Late(unit=17, late_ms=late_ms),
                wrong.Deaf(unit=18, share=share),
            ):
                await site.faults.switch(fault, on=True)
            for wanted in (frozenset[int](), frozenset({0})) * 10:
                await asyncio.gather(order(site, 17, wanted), order(site, 18, wanted))

    run(story())


def test_a_port_is_opened_by_one_and_comes_back() -> None:
    async def story() -> None:
        async with rig() as site:
            await site.drivers[17].renew()
            with pytest.raises(OSError, match="opened by somebody else"):
                site.port.open("virtual", 19_200, site.bus)
            site.port.unplug()
            with pytest.raises(LinkError):
                await site.drivers[17].renew(budget_s=0.5)
            with pytest.raises(Unconfirmed):
                await site.drivers[17].set_relays(CLOSED, budget_s=0.5)
            site.port.plug()
            assert (await site.drivers[17].set_relays(CLOSED, budget_s=5.0)).relays == CLOSED

    run(story())
