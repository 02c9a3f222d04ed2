"""A controller answers for an amplifier whose own is dead: nothing is claimed, it is told once, and status says it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.sim.hw.virtual import run
from tests.sim.line.rigs import PROFILE, Rig, now, rig
from tests.sim.playout.rigs import POLL_MS, SUPPLY, WARM_MS, ZONES, hub_clock, running

from ward_hub.alarm_words import Code, Detail, detail
from ward_hub.config import AmplifierSection, ZoneSection
from ward_hub.device_words import amplifier_in_words
from ward_hub.playout.amplifiers import LONGEST_PAUSE_S, LOOK_S, AmplifierOutput, interlock_of
from ward_hub.playout.watching import Told
from ward_hw.drivers.amplifier import Amplifier
from ward_hw.errors import Unconfirmed
from ward_hw.profile import load_profile
from ward_sim import faults as wrong

OWN, OTHER = 17, 18
DEAD = wrong.Cut(behind=(OWN,))
IMPOSTOR = wrong.Impostor(unit=OTHER, other=OWN)
SEEN = detail(Code.ANOTHER_ANSWERS, amplifier="amp-17", unit=OWN)
SECTION = AmplifierSection(
    name="amp-17",
    bus="bus-1",
    unit=OWN,
    profile=PROFILE,
    supply_relay=SUPPLY,
    warm_up_ms=WARM_MS,
    zones=tuple(ZoneSection(id=zone, relay=relay) for zone, relay in ZONES.items()),
)


@asynccontextmanager
async def stage() -> AsyncIterator[tuple[Rig, AmplifierOutput, list[Detail]]]:
    """Two controllers on a line, the output of the first of them, and what was told of it."""
    async with rig((OWN, OTHER)) as site:
        driver = Amplifier("amp-17", site.bus, OWN, load_profile(PROFILE), clock=now, interlock=interlock_of(SECTION))
        told: list[Detail] = []
        output = AmplifierOutput(SECTION, driver, hub_clock(), POLL_MS, Told(told.append))
        async with running(output.run):
            await asyncio.sleep(0.5)
            yield site, output, told


def test_what_it_closed_before_it_was_found_out_falls_open_by_its_lease() -> None:
    async def story() -> None:
        async with stage() as (site, output, told):
            await site.faults.switch(DEAD, on=True)
            await site.faults.switch(IMPOSTOR, on=True)
            with pytest.raises(Unconfirmed):
                await output.carry(["zone-1"], urgent=True)
            assert site.closed(OTHER) == {SUPPLY}
            await asyncio.sleep(3.5)
            assert output.carries, "the hub goes on trying"
            assert site.closed(OTHER) == frozenset()
            assert told == [SEEN]

    run(story())


@pytest.mark.parametrize("on_air", [True, False])
def test_it_is_found_out_told_once_and_given_nothing(on_air: bool) -> None:
    async def story() -> None:
        async with stage() as (site, output, told):
            if on_air:
                await output.carry(["zone-1"], urgent=False)
            await site.faults.switch(DEAD, on=True)
            await site.faults.switch(IMPOSTOR, on=True)
            await asyncio.sleep(2 * LOOK_S)
            assert told == [SEEN]
            assert "another controller answers to its number" in amplifier_in_words(output.summary(), "en")
            if on_air:
                with pytest.raises(Unconfirmed):
                    await output.release()
            with pytest.raises(Unconfirmed, match="another controller answers as unit 17"):
                await output.carry(["zone-2"], urgent=True)
            (track,) = [one for one in output.end_tracks() if one.zone == "zone-2"]
            assert (track.confirmed, "another controller" in track.cause) == (False, True)
            assert site.closed(OTHER) == frozenset()
            with pytest.raises(Unconfirmed):
                await output.release()

            await site.faults.switch(IMPOSTOR, on=False)
            await site.faults.switch(DEAD, on=False)
            await asyncio.sleep(2 * LONGEST_PAUSE_S)
            assert site.closed(OWN) == frozenset()
            await output.carry(["zone-1"], urgent=False)
            assert site.closed(OWN) == {SUPPLY, ZONES["zone-1"]}
            assert told == [SEEN]
            assert not output.summary()["another_answers"]

    run(story())
