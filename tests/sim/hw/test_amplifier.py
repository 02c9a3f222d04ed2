"""The amplifier driver against stations on a virtual line: what it reports closed is closed, or it says so."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import Self

import pytest
from tests.sim.hw.units import Amp8, Station, Waveshare
from tests.sim.hw.virtual import Line, Reply, run

from ward_hw.bus import ModbusBus, Priority
from ward_hw.drivers.amplifier import Amplifier
from ward_hw.drivers.dialect import Interlock
from ward_hw.errors import LinkError, LinkTimeout, MisuseError, PeerError, Unconfirmed, WrongController
from ward_hw.profile import load_profile

TIMEOUT = 0.1
OURS = "wardhub/amp8"
STOCK = "waveshare/modbus-rtu-relay-8ch"
STATIONS = {OURS: Amp8, STOCK: Waveshare}
both = pytest.mark.parametrize("profile", [OURS, STOCK])


def now() -> float:
    return asyncio.get_running_loop().time()


class Site:
    """One controller on a line, with bus and driver."""

    def __init__(self, profile: str) -> None:
        self.station: Station = STATIONS[profile]()
        self.line = Line(19_200, units=[self.station])
        self.bus = ModbusBus("virtual", 19_200, timeout=TIMEOUT, opener=self.line.open)
        self.amplifier = Amplifier(
            "amp-1",
            self.bus,
            self.station.unit,
            load_profile(profile),
            clock=now,
        )

    async def __aenter__(self) -> Self:
        await self.bus.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.bus.__aexit__(None, None, None)

    @property
    def ours(self) -> Amp8:
        assert isinstance(self.station, Amp8)
        return self.station

    @property
    def closed(self) -> frozenset[int]:
        return frozenset(number for number, on in enumerate(self.station.relays) if on)


@both
@pytest.mark.parametrize("closed", [{0}, {0, 1, 4}, set(range(8)), set()], ids=str)
def test_relays_close_and_are_read_back(profile: str, closed: set[int]) -> None:
    async def story() -> None:
        async with Site(profile) as site:
            reading = await site.amplifier.set_relays(frozenset(closed))
            assert reading.relays == closed == site.closed
            assert reading.at == asyncio.get_running_loop().time()

    run(story())


@both
def test_an_order_opens_what_it_does_not_name(profile: str) -> None:
    async def story() -> None:
        async with Site(profile) as site:
            await site.amplifier.set_relays(frozenset({0, 1, 2, 3}))
            await site.amplifier.set_relays(frozenset({0, 2}))
            assert site.closed == {0, 2}

    run(story())


@both
@pytest.mark.parametrize("seed", range(20))
def test_reported_closed_is_closed_whatever_the_answers_do(profile: str, seed: int) -> None:
    """Requests and answers lost, answers late within and far beyond the quarantine: never a false confirm.

    Few different orders, so that an old answer often says just what the present order wants to hear.
    """
    rng = random.Random(seed)
    times = [0.002, 0.002, 0.002, 0.05, None, TIMEOUT + 0.02, TIMEOUT + 0.05, 2 * TIMEOUT - 0.02]
    if profile == OURS:  # a nonce holds at any lateness; a stock board is believed within the quarantine
        times += [2.2 * TIMEOUT, 3 * TIMEOUT, 5 * TIMEOUT, 11 * TIMEOUT]

    async def story() -> None:
        confirmed = 0
        async with Site(profile) as site:
            for _ in range(100):
                site.station.delays = [rng.choice(times) for _ in range(6)]
                site.station.deaf = [rng.random() < 0.4 for _ in range(6)]
                wanted = frozenset(rng.choice([{0}, {1}, set()]))
                try:
                    reading = await site.amplifier.set_relays(wanted, budget_s=rng.choice([0.15, 0.5, 2.0]))
                except Unconfirmed:
                    continue
                confirmed += 1
                assert reading.relays == wanted == site.closed
        assert confirmed > (20 if profile == OURS else 5)  # a stock board waits out every quarantine

    run(story())


def test_a_stuck_relay_is_unconfirmed_and_says_what_was_read() -> None:
    async def story() -> None:
        async with Site(OURS) as site:
            site.ours.stuck = True
            with pytest.raises(Unconfirmed, match=r"amp-1: set relays \[0, 1\].*read back \[\]"):
                await site.amplifier.set_relays(frozenset({0, 1}))

    run(story())


@both
def test_a_dead_controller_is_unconfirmed_within_the_budget(profile: str) -> None:
    async def story() -> None:
        async with Site(profile) as site:
            site.line.units.clear()
            begin = asyncio.get_running_loop().time()
            with pytest.raises(Unconfirmed, match="fall open within"):
                await site.amplifier.set_relays(frozenset({0}), budget_s=1.0)
            assert asyncio.get_running_loop().time() - begin <= 1.0 + 1e-6

    run(story())


@both
def test_a_lease_that_is_renewed_holds_and_one_that_is_not_ends(profile: str) -> None:
    async def story() -> None:
        async with Site(profile) as site:
            await site.amplifier.configure()
            await site.amplifier.set_relays(frozenset({0, 3}))
            for _ in range(20):
                await asyncio.sleep(1.0)
                assert (await site.amplifier.renew()).relays == {0, 3}
            for _ in range(9):  # reading renews nothing
                await asyncio.sleep(1.0)
                await site.amplifier.read()
            assert (await site.amplifier.read()).relays == site.closed == frozenset()
            assert (await site.amplifier.renew()).relays == frozenset()  # and renewing closes nothing again

    run(story())


def test_the_status_of_our_controller_is_scaled() -> None:
    async def story() -> None:
        async with Site(OURS) as site:
            await site.amplifier.set_relays(frozenset({1}))
            status = await site.amplifier.read()
            assert status.relays == {1}
            assert (status.line_level_mv, status.supply_mv, status.temperature_dc) == (775, 24_000, -55)
            assert (status.lease_left_ms, status.uptime_s, status.reset_cause, status.trips) == (
                3000,
                100,
                1,
                0,
            )

    run(story())


def test_a_stock_board_has_no_measurements() -> None:
    async def story() -> None:
        async with Site(STOCK) as site:
            status = await site.amplifier.read()
            assert (status.line_level_mv, status.supply_mv, status.reset_cause) == (None, None, None)

    run(story())


def test_settings_that_the_controller_does_not_take_are_the_controllers_fault() -> None:
    async def story() -> None:
        async with Site(OURS) as site:
            site.ours.least_lease_ms = 5000
            with pytest.raises(PeerError, match="configure"):
                await site.amplifier.configure()

    run(story())


def test_a_foreign_nonce_in_the_status_is_told() -> None:
    async def story() -> None:
        async with Site(OURS) as site:
            await site.amplifier.renew()
            site.ours.holding[2] ^= 0x5555
            with pytest.raises(PeerError, match="second master"):
                await site.amplifier.read()
            site.ours.holding[2] = 0  # a restarted controller
            await site.amplifier.read()

    run(story())


def test_what_another_controller_answers_is_refused_and_confirms_nothing() -> None:
    async def story() -> None:
        async with Site(OURS) as site:
            await site.amplifier.renew()
            site.ours.identity ^= 1
            with pytest.raises(Unconfirmed, match="another controller answers as unit 17: identity 0x1de6, not 0x1de7"):
                await site.amplifier.set_relays(frozenset({0}))
            for ask in (site.amplifier.renew, site.amplifier.read):
                with pytest.raises(WrongController, match="configure its serial number or restart"):
                    await ask()
            site.ours.identity ^= 1
            assert (await site.amplifier.set_relays(frozenset({0}))).relays == {0}

    run(story())


def test_the_serial_number_that_is_configured_must_answer() -> None:
    async def story() -> None:
        async with Site(OURS) as site:
            profile = site.amplifier.profile
            site.ours.identity = 0x672F  # CRC-16 of "00c0ffee", made bit by bit
            named = Amplifier("amp-1", site.bus, site.station.unit, profile, clock=now, serial="00C0FFEE")
            assert (await named.set_relays(frozenset({3}))).relays == {3}
            other = Amplifier("amp-1", site.bus, site.station.unit, profile, clock=now, serial="00c0ffef")
            with pytest.raises(WrongController, match="not 0x"):
                await other.read()

    run(story())


def test_a_stock_board_has_no_serial_number_to_insist_on() -> None:
    async def story() -> None:
        async with Site(STOCK) as site:
            with pytest.raises(MisuseError, match="leave the serial number out"):
                Amplifier("amp-1", site.bus, 1, site.amplifier.profile, clock=now, serial="00c0ffee")

    run(story())


LOCK = Interlock(frozenset({0}), frozenset({1, 2}), 800)


def locked(site: Site, warm_up_ms: int = 800) -> Amplifier:
    return Amplifier(
        "amp-1", site.bus, site.station.unit, site.amplifier.profile, clock=now,
        interlock=replace(LOCK, warm_up_ms=warm_up_ms),
    )  # fmt: skip


def test_the_interlock_is_set_with_the_lease_and_read_back() -> None:
    async def story() -> None:
        async with Site(OURS) as site:
            await locked(site).configure()
            assert site.ours.holding[3:] == [1, 6, 800]
            await locked(site, warm_up_ms=90_000).configure()
            assert site.ours.holding[5] == 60_000  # as long as the controller can; the hub waits longer by itself

    run(story())


def test_an_order_that_breaks_the_interlock_is_unconfirmed_and_leaves_the_supply_on() -> None:
    async def story() -> None:
        async with Site(OURS) as site:
            amplifier = locked(site)
            await amplifier.configure()
            with pytest.raises(Unconfirmed, match="exception 4"):
                await amplifier.set_relays(frozenset({0, 1, 5}))
            assert site.closed == {0, 5}
            with pytest.raises(Unconfirmed):
                await amplifier.set_relays(frozenset({0, 1, 5}))
            await asyncio.sleep(0.8)
            assert (await amplifier.set_relays(frozenset({0, 1, 5}))).relays == {0, 1, 5} == site.closed

    run(story())


def test_an_order_without_its_supply_stays_refused() -> None:
    async def story() -> None:
        async with Site(OURS) as site:
            amplifier = locked(site)
            await amplifier.configure()
            with pytest.raises(Unconfirmed, match="exception 4"):
                await amplifier.set_relays(frozenset({1}))
            assert site.closed == frozenset()

    run(story())


def test_an_old_refusal_opens_no_zone() -> None:
    async def story() -> None:
        async with Site(OURS) as site:
            amplifier = locked(site, warm_up_ms=0)
            await amplifier.configure()
            await amplifier.set_relays(frozenset({0}))
            await amplifier.set_relays(frozenset({0, 1}))
            seen = [site.closed]
            honest = site.ours.answer

            def liar(pdu: bytes) -> bytes:
                answer = honest(pdu)
                seen.append(site.closed)
                return bytes((pdu[0] | 0x80, 4)) if pdu[0] == 15 and len(seen) == 2 else answer

            site.ours.answer = liar  # type: ignore[method-assign]  # an answer to something else, in place of ours
            assert (await amplifier.set_relays(frozenset({0, 1, 2}))).relays == {0, 1, 2}
            assert all({0, 1} <= one for one in seen)

    run(story())


def test_a_stock_board_keeps_no_interlock() -> None:
    async def story() -> None:
        async with Site(STOCK) as site:
            amplifier = locked(site)
            await amplifier.configure()
            assert (await amplifier.set_relays(frozenset({0, 1}))).relays == {0, 1}

    run(story())


@both
def test_relays_the_product_lacks_are_refused(profile: str) -> None:
    async def story() -> None:
        async with Site(profile) as site:
            with pytest.raises(MisuseError, match="relays are 0 to 7"):
                await site.amplifier.set_relays(frozenset({8}))

    run(story())


@pytest.mark.parametrize(("lease_ms", "max_on_s"), [(499, None), (10_001, None), (None, 0), (None, 7201)])
def test_limits_of_the_lease_are_kept(lease_ms: int | None, max_on_s: int | None) -> None:
    async def story() -> None:
        async with Site(OURS) as site:
            with pytest.raises(MisuseError, match="choose"):
                Amplifier("amp", site.bus, 1, site.amplifier.profile, clock=now, lease_ms=lease_ms, max_on_s=max_on_s)

    run(story())


@pytest.mark.parametrize("interlock", [True, False])
def test_a_confirmed_order_takes_little_more_than_its_wire_time(interlock: bool) -> None:
    async def story() -> None:
        async with Site(OURS) as site:
            site.station.delay = 0.0
            amplifier = locked(site, warm_up_ms=0) if interlock else site.amplifier
            await amplifier.configure()
            await asyncio.sleep(1)
            begin = asyncio.get_running_loop().time()
            await amplifier.set_relays(frozenset({0, 1}), priority=Priority.EMERGENCY)
            took = asyncio.get_running_loop().time() - begin
            # FC 15: 10 out, 8 back; FC 23 with one nonce in and three words out: 15 out, 11 back; t3.5 between
            # them.
            wire = (10 + 8 + 15 + 11) * site.line.character_s + 38.5 / 19_200
            assert wire - 1e-6 <= took <= wire + 0.003  # virtual time: nothing of the machine is in it

    run(story())


def test_the_order_of_an_emergency_waits_for_no_poll_of_a_dead_unit() -> None:
    async def story() -> None:
        async with Site(OURS) as site:
            dead = Amplifier("amp-2", site.bus, 99, site.amplifier.profile, clock=lambda: 0.0)
            polls = [asyncio.create_task(dead.read()) for _ in range(10)]
            await asyncio.sleep(0.02)
            begin = asyncio.get_running_loop().time()
            await site.amplifier.set_relays(frozenset({0}), priority=Priority.EMERGENCY)
            assert asyncio.get_running_loop().time() - begin < 0.12
            for poll in polls:
                with pytest.raises(LinkError):
                    await poll

    run(story())


def test_an_order_to_open_is_tried_at_once_however_long_the_controller_was_dead() -> None:
    async def story() -> None:
        async with Site(OURS) as site:
            await site.amplifier.set_relays(frozenset({0}))
            site.line.units.clear()
            for _ in range(30):
                with pytest.raises(LinkError):
                    await site.amplifier.renew()
            renewals = len(site.line.sent)
            site.line.units.append(site.station)
            await site.amplifier.set_relays(frozenset({1}), budget_s=0.2, priority=Priority.SAFETY)
            assert site.closed == {1}
            await site.amplifier.renew(budget_s=0.2)  # one answer, and all is as before
            assert renewals < 2 + 12  # in the minute before

    run(story())


@pytest.mark.parametrize("noise", [b"\0", b"\xff\xff", bytes((17, 23, 4))])
def test_noise_before_every_answer_costs_nothing(noise: bytes) -> None:
    async def story() -> None:
        async with Site(OURS) as site:

            def noisy(frame: bytes) -> list[Reply]:
                return [Reply(noise + reply.data, reply.after) for reply in site.station(frame)]

            site.line.units[:] = [noisy]
            for number in range(8):
                assert (await site.amplifier.set_relays(frozenset({number}))).relays == {number}
            assert len(site.line.sent) == 16

    run(story())


def test_a_read_of_a_silent_unit_names_the_unit() -> None:
    async def story() -> None:
        async with Site(OURS) as site:
            site.line.units.clear()
            with pytest.raises(LinkTimeout, match=r"virtual unit 17.*check power"):
                await site.amplifier.read()

    run(story())
