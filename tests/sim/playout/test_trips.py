"""The real core trips under the real driver and output: what is refused, told, shown, and not claimed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from pymodbus.pdu.register_message import WriteSingleRegisterRequest
from tests.sim.hw.virtual import run
from tests.sim.line.rigs import PROFILE, Rig, now, rig
from tests.sim.playout.rigs import POLL_MS, SUPPLY, WARM_MS, ZONES, hub_clock, running

from ward_hub.alarm_words import Code, Detail, detail
from ward_hub.config import AmplifierSection, ZoneSection
from ward_hub.device_words import amplifier_in_words
from ward_hub.journal import State
from ward_hub.playout.amplifiers import LOOK_S, AmplifierOutput, interlock_of
from ward_hub.playout.outcome import Outcome, judge
from ward_hub.playout.watching import Told
from ward_hw.bus import Priority
from ward_hw.drivers.amplifier import Amplifier
from ward_hw.errors import Unconfirmed
from ward_hw.profile import load_profile
from ward_protocol.portable.amplifier import SUPPLY_MIN_CV
from ward_protocol.reasons import Reason
from ward_protocol.statements import Evidence
from ward_sim import faults as wrong

HOT = wrong.Hot(unit=17, rise_c=61)
SHORT = wrong.Short(unit=17, leak_ma=15_000)
TOO_HOT = detail(Code.TOO_HOT, amplifier="amp-17", temperature_c=86)
TOO_MUCH = detail(Code.TOO_MUCH_CURRENT, amplifier="amp-17", current_ma=15_350)
SECTION = AmplifierSection(
    name="amp-17",
    bus="bus-1",
    unit=17,
    profile=PROFILE,
    supply_relay=SUPPLY,
    warm_up_ms=WARM_MS,
    zones=tuple(ZoneSection(id=zone, relay=relay) for zone, relay in ZONES.items()),
)


@dataclass
class Stage:
    """An output over its controller, what was told of it, and the line."""

    site: Rig
    output: AmplifierOutput
    shown: list[Sequence[Detail]] = field(default_factory=list)
    tampered: list[Detail] = field(default_factory=list)
    stuck: list[Sequence[Detail]] = field(default_factory=list)

    @property
    def closed(self) -> frozenset[int]:
        return self.site.closed(17)

    def latest(self) -> list[Detail]:
        """What the last reading showed."""
        return list(self.shown[-1])

    async def switch(self, fault: wrong.AnyFault, *, on: bool) -> None:
        await self.site.faults.switch(fault, on=on)

    def outcome(self, asked_ms: int) -> Outcome:
        """What the receipt of the airing that just ended says."""
        tracks = self.output.end_tracks()
        evidence = Evidence(tuple(one.evidence() for one in tracks), (), asked_ms, asked_ms, attempts=1)
        return judge(evidence, None, {one.zone: one.cause for one in tracks})


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    async with rig() as site:
        site.devices[17].level_mv = 775
        driver = Amplifier("amp-17", site.bus, 17, load_profile(PROFILE), clock=now, interlock=interlock_of(SECTION))
        shown: list[Sequence[Detail]] = []
        tampered: list[Detail] = []
        stuck: list[Sequence[Detail]] = []
        told = Told(tampered.append, shown.append, stuck.append)
        output = AmplifierOutput(SECTION, driver, hub_clock(), POLL_MS, told)
        async with running(output.run):
            await asyncio.sleep(0.5)
            yield Stage(site, output, shown, tampered, stuck)


@pytest.mark.parametrize(("fault", "told"), [(HOT, TOO_HOT), (SHORT, TOO_MUCH)], ids=["hot", "short"])
def test_an_airing_that_a_trip_cut_is_not_claimed_and_says_why(fault: wrong.AnyFault, told: Detail) -> None:
    async def story() -> None:
        async with stage() as one:
            await one.output.carry(["zone-1"], urgent=False)
            await asyncio.sleep(3)
            assert not any(one.shown)
            await one.switch(fault, on=True)
            await asyncio.sleep(1)
            assert one.closed == frozenset()
            assert one.latest() == [told]
            assert one.output.summary()["closed"] == []
            await one.switch(fault, on=False)
            await asyncio.sleep(6)
            assert one.closed == frozenset(), "what tripped stays open until the airing has ended"
            await one.output.release()
            outcome = one.outcome(10_000)
            assert (outcome.state, outcome.reason) == (State.NOT_AIRED, Reason.RELAY_UNCONFIRMED)
            assert outcome.detail == f"zone zone-1: relay not confirmed ({told})"
            (zone,) = outcome.evidence.zones
            assert zone.heard_ms == pytest.approx(3300, abs=500)
            await asyncio.sleep(LOOK_S)
            assert one.latest() == []
            await one.output.carry(["zone-1"], urgent=False)
            assert one.closed == {SUPPLY, 1}
            assert one.tampered == []

    run(story())


def test_an_order_while_it_is_too_hot_is_refused_in_time_and_says_why() -> None:
    async def story() -> None:
        async with stage() as one:
            await one.switch(HOT, on=True)
            await asyncio.sleep(LOOK_S + 1)
            assert one.latest() == [TOO_HOT], "it is told before anybody needs the amplifier"
            began = now()
            with pytest.raises(Unconfirmed, match=r"exception 4; the controller forbids it: temperature at 86\.0 °C"):
                await one.output.carry(["zone-1"], urgent=True)
            assert now() - began < 2
            await one.output.release()
            outcome = one.outcome(10_000)
            assert (outcome.state, outcome.reason) == (State.NOT_AIRED, Reason.RELAY_UNCONFIRMED)
            assert "forbids it: temperature at 86.0 °C" in outcome.detail
            assert one.closed == frozenset()
            await one.switch(HOT, on=False)
            await asyncio.sleep(LOOK_S + 1)
            assert one.latest() == []
            await one.output.carry(["zone-1"], urgent=False)
            assert one.closed == {SUPPLY, 1}

    run(story())


def test_a_latched_relay_is_never_confirmed_and_the_driver_says_so() -> None:
    async def story() -> None:
        async with rig() as site:
            driver = site.drivers[17]
            await driver.set_relays(frozenset({SUPPLY, 1}))
            await site.faults.switch(SHORT, on=True)
            await asyncio.sleep(0.6)
            await site.faults.switch(SHORT, on=False)
            await asyncio.sleep(0.3)
            status = await driver.read()
            assert (status.relays, status.lasting, status.last_trip) == (frozenset(), frozenset(), "current")
            assert status.latched == frozenset(range(8))
            began = now()
            with pytest.raises(Unconfirmed, match=r"keeps relays \[0, 1\] open, last trip: current"):
                await driver.set_relays(frozenset({SUPPLY, 1}))
            assert now() - began < 2
            assert site.closed(17) == frozenset()
            await driver.set_relays(frozenset())
            assert (await driver.set_relays(frozenset({SUPPLY, 1}))).relays == {SUPPLY, 1}

    run(story())


def test_the_airing_that_follows_at_once_begins_cold_and_carries() -> None:
    """An emergency that cuts short what tripped finds everything latched."""

    async def story() -> None:
        async with stage() as one:
            await one.output.carry(["zone-1"], urgent=False)
            await one.switch(SHORT, on=True)
            await asyncio.sleep(1)
            await one.switch(SHORT, on=False)
            await asyncio.sleep(1)
            one.output.end_tracks()
            began = now()
            await one.output.carry(["zone-2"], urgent=True)
            assert now() - began >= WARM_MS / 1000
            assert one.closed == {SUPPLY, 2}
            await asyncio.sleep(4)
            await one.output.release()
            assert one.outcome(4000).state is State.AIRED

    run(story())


def test_a_trip_that_was_over_before_anybody_looked_is_told() -> None:
    async def story() -> None:
        async with stage() as one:
            await one.output.carry(["zone-1"], urgent=False)
            await asyncio.sleep(1)
            await one.site.faults.switch(wrong.Mute(unit=17), on=True)
            await one.switch(HOT, on=True)
            await asyncio.sleep(0.6)
            await one.switch(HOT, on=False)
            await one.site.faults.switch(wrong.Mute(unit=17), on=False)
            await one.output.release()
            await asyncio.sleep(2)
            assert any(str(each).startswith("amplifier amp-17 was too hot") for shown in one.shown for each in shown)
            assert one.latest() == []
            assert one.outcome(1000).state is State.NOT_AIRED

    run(story())


def test_too_little_supply_is_told_with_what_was_left() -> None:
    async def story() -> None:
        async with stage() as one:
            least = WriteSingleRegisterRequest(address=SUPPLY_MIN_CV, registers=[2000])
            await one.site.bus.request(least, unit=17, deadline=now() + 1, priority=Priority.COMMAND)
            await one.output.carry(["zone-1"], urgent=False)
            await one.switch(wrong.Sag(unit=17, drop_mv=3000), on=True)
            await asyncio.sleep(1)
            assert one.closed == {SUPPLY, 1}
            await one.switch(wrong.Sag(unit=17, drop_mv=2000), on=True)  # they add up
            await asyncio.sleep(1)
            assert one.closed == frozenset()
            assert one.latest() == [detail(Code.SUPPLY_TOO_LOW, amplifier="amp-17", supply_mv=19_000)]

    run(story())


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            (
                "amp-17: everything open; supply 0.0 V; current 0.00 A; temperature 86.0 °C; "
                "fell open by itself 1 times; last time: too hot; forbids to close relays: too hot; "
                "keeps relays 0, 1, 2, 3, 4, 5, 6, 7 open until they are ordered open"
            ),
        ),
        (
            "vi",
            (
                "amp-17: mọi rơ-le đều ngắt; nguồn 0.0 V; dòng điện 0.00 A; nhiệt độ 86.0 °C; tự ngắt 1 lần; "
                "lần cuối: quá nóng; không cho đóng rơ-le: quá nóng; "
                "giữ rơ-le 0, 1, 2, 3, 4, 5, 6, 7 ngắt cho đến khi có lệnh ngắt"
            ),
        ),
    ],
)
def test_the_status_says_all_of_it(language: str, words: str) -> None:
    async def story() -> None:
        async with stage() as one:
            await one.output.carry(["zone-1"], urgent=False)
            await one.switch(HOT, on=True)
            await asyncio.sleep(1)
            assert amplifier_in_words(one.output.summary(), language) == words

    run(story())
