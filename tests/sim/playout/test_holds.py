"""Silence and blank from the command to the relay and the board: director, player and drivers, on a clock that jumps.

The lines run at their baud rate, so a second here is a second of the wire.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest
from tests.journals import FILE, HUB, HUB_KEY, Inline, receipts
from tests.sim.hw.virtual import Line, run
from tests.sim.playout.rigs import POLL_MS, SUPPLY, Horns, Lamps, board, hub_clock, now, running
from tests.statements import AREA, MINIMAL, NOW

from ward_hub.config import AiringSection, AmplifierSection, ZoneSection
from ward_hub.holds import Hold, What
from ward_hub.journal import State
from ward_hub.local_holds import LocalHolds
from ward_hub.playout.amplifiers import AmplifierOutput, interlock_of
from ward_hub.playout.director import Director
from ward_hub.playout.live import Live
from ward_hub.playout.player import Player
from ward_hub.playout.sound import Heard, Sound
from ward_hub.programme import Candidate
from ward_hw.bus import ModbusBus
from ward_hw.drivers.amplifier import Amplifier
from ward_hw.profile import load_profile
from ward_protocol.reasons import Reason
from ward_protocol.statements import Audience, Bulletin, Event, Priority, TimeTrust

SECOND = 1.0
ZONES_EACH = 7  # behind relays 1 to 7; relay 0 is the supply
SOUND_S = 60.0


class Voice:
    """Sound that lasts; `sounding` while it does."""

    def __init__(self) -> None:
        self.sounding = False

    async def play(
        self,
        bulletin: Bulletin,
        recording: Callable[[], Awaitable[Path | None]],
        heard: Heard,
        gap_s: float,
        notices: Sequence[str],
    ) -> None:
        heard.requested_ms = int(SOUND_S * 1000)
        self.sounding = True
        try:
            await asyncio.sleep(SOUND_S)
            heard.played_ms = heard.requested_ms
        finally:
            self.sounding = False


@dataclass
class Ward:
    """A ward at work: what the controllers do, and the commands at the hub."""

    folder: Path
    horns: list[Horns]
    lamps: list[Lamps]
    voice: Voice
    director: Director
    journal: Inline
    holds: LocalHolds
    number: int = 0

    def hold(self, priority: Priority = Priority.NORMAL, audience: Audience | None = None) -> None:
        """Let a bulletin air now."""
        self.number += 1
        start = NOW + int(now())
        digest = bytes([self.number]) * 32
        assert self.journal.ledger.accept("ward", self.number, digest, b"") is None
        bulletin = replace(
            MINIMAL, sequence=self.number, priority=priority, not_before=start, expires=start + 3600,
            audience=audience or Audience((AREA,)),
        )  # fmt: skip
        self.director.hold(Candidate(digest, bulletin))

    def closed(self) -> set[str]:
        """The zones that sound could leave from now."""
        return {
            f"zone-{unit}-{relay}"
            for unit, one in enumerate(self.horns)
            for relay in one.closed
            if relay != SUPPLY and SUPPLY in one.closed
        }

    def lit(self) -> list[bool]:
        return [one.lit() for one in self.lamps]


def zones(units: int) -> Iterator[str]:
    for unit in range(units):
        yield from (f"zone-{unit}-{relay}" for relay in range(1, ZONES_EACH + 1))


@asynccontextmanager
async def ward(folder: Path, *, amplifiers: int = 1, boards: int = 1) -> AsyncIterator[Ward]:
    """Amplifiers on one line of 19,200 baud, each with seven zones, and boards on lines of their own."""
    horns = [Horns(unit=17 + number) for number in range(amplifiers)]
    lamps = [Lamps() for _ in range(boards)]
    line, voice, clock = Line(19_200, units=[*horns]), Voice(), hub_clock()
    async with contextlib.AsyncExitStack() as stack:
        bus = await stack.enter_async_context(ModbusBus("virtual", 19_200, timeout=0.1, opener=line.open))
        outputs = [amplifier(bus, one, number) for number, one in enumerate(horns)]
        for output in outputs:
            await stack.enter_async_context(running(output.run))
        shown = [await stack.enter_async_context(board(one)) for one in lamps]
        player = Player(
            amplifiers=outputs,
            boards=shown,
            sound=cast("Sound", voice),
            live=cast("Live", None),
            settings=AiringSection(),
            language="vi",
            first_show_id=7,
        )
        journal = Inline(folder / FILE, HUB, HUB_KEY, clock)
        stack.callback(journal.close)
        director = Director(
            player,
            journal,
            clock,
            nothing,
            max_attempts=5,
            level_of={"ward": 3}.get,
            confirm=known_anyway,
            language="vi",
        )
        known = [zone for one in outputs for zone in one.zones]
        holds = LocalHolds(
            director=director, journal=journal, clock=clock, zones=known, boards=[one.id for one in shown]
        )
        await stack.enter_async_context(running(director.run))
        await asyncio.sleep(1)
        yield Ward(folder, horns, lamps, voice, director, journal, holds)


def amplifier(bus: ModbusBus, station: Horns, number: int) -> AmplifierOutput:
    section = AmplifierSection(
        name=f"amp-{number}",
        bus="bus-1",
        unit=station.unit,
        profile="wardhub/amp8",
        supply_relay=SUPPLY,
        warm_up_ms=1500,
        zones=tuple(ZoneSection(id=f"zone-{number}-{relay}", relay=relay) for relay in range(1, ZONES_EACH + 1)),
    )
    profile = load_profile("wardhub/amp8")
    driver = Amplifier(section.name, bus, station.unit, profile, clock=now, interlock=interlock_of(section))
    return AmplifierOutput(section, driver, hub_clock(), POLL_MS)


async def nothing(candidate: Candidate) -> Path | None:
    return None


async def known_anyway(_: float) -> TimeTrust:
    return TimeTrust.GOOD


async def until_on_air(at: Ward, count: int) -> None:
    """Wait until so many zones are closed, it sounds, and it went on for a while."""
    async with asyncio.timeout(60):
        while len(at.closed()) < count or not at.voice.sounding:
            await asyncio.sleep(0.05)
    await asyncio.sleep(5)


@pytest.mark.parametrize("priority", [Priority.NORMAL, Priority.EMERGENCY])
@pytest.mark.parametrize("amplifiers", [1, 8])
def test_all_zones_are_open_within_a_second_of_the_command(tmp_path: Path, priority: Priority, amplifiers: int) -> None:
    async def story() -> None:
        async with ward(tmp_path, amplifiers=amplifiers) as at:
            at.hold(priority)
            await until_on_air(at, amplifiers * ZONES_EACH)
            assert at.lit() == [True]
            await at.holds.silence({})
            await asyncio.sleep(SECOND)
            assert (at.closed(), at.voice.sounding) == (set(), False)
            await asyncio.sleep(2)
            assert at.lit() == [True]  # the boards go on
            await asyncio.sleep(120)
            assert at.closed() == set()

    run(story())


def test_an_order_is_as_fast(tmp_path: Path) -> None:
    async def story() -> None:
        async with ward(tmp_path, amplifiers=2) as at:
            at.hold(Priority.EMERGENCY)
            await until_on_air(at, 2 * ZONES_EACH)
            order = Hold(b"\x07" * 32, What.SILENCE, 1, Priority.EMERGENCY, issuer="province", sequence=7)
            at.director.hold_back([order])
            await asyncio.sleep(SECOND)
            assert (at.closed(), at.voice.sounding) == (set(), False)

    run(story())


def test_one_zone_is_open_within_a_second_and_the_others_go_on(tmp_path: Path) -> None:
    async def story() -> None:
        async with ward(tmp_path, amplifiers=2) as at:
            at.hold(Priority.EMERGENCY)
            await until_on_air(at, 2 * ZONES_EACH)
            await at.holds.silence({"only": ["zone-1-3"]})
            await asyncio.sleep(SECOND)
            assert "zone-1-3" not in at.closed()
            await asyncio.sleep(5)
            assert at.closed() == set(zones(2)) - {"zone-1-3"}
            assert at.voice.sounding
            await asyncio.sleep(SOUND_S)
            last = receipts(tmp_path)[-1]
            assert (last.event, last.reason) == (Event.PARTLY, Reason.SILENCED)
            assert last.detail == "closed by a command at the hub: zone-1-3"
            assert last.evidence is not None
            assert "zone-1-3" not in {one.zone for one in last.evidence.zones}

    run(story())


def test_boards_are_dark_within_a_second_and_the_sound_goes_on(tmp_path: Path) -> None:
    async def story() -> None:
        async with ward(tmp_path, boards=8) as at:
            at.hold()
            await until_on_air(at, ZONES_EACH)
            assert at.lit() == [True] * 8
            await at.holds.blank({})
            await asyncio.sleep(SECOND)
            assert at.lit() == [False] * 8
            await asyncio.sleep(5)
            assert (at.lit(), at.voice.sounding) == ([False] * 8, True)
            assert at.closed() == set(zones(1))

    run(story())


def test_a_controller_that_does_not_answer_holds_nobody_up_and_lets_go_by_its_lease(tmp_path: Path) -> None:
    async def story() -> None:
        async with ward(tmp_path, amplifiers=8) as at:
            at.hold()
            await until_on_air(at, 8 * ZONES_EACH)
            at.horns[3].deaf = [True] * 10_000
            await at.holds.silence({})
            await asyncio.sleep(SECOND)
            assert {zone.split("-")[1] for zone in at.closed()} <= {"3"}
            await asyncio.sleep(3)
            assert at.closed() == set()

    run(story())


def test_an_emergency_that_comes_meanwhile_closes_no_relay(tmp_path: Path) -> None:
    async def story() -> None:
        async with ward(tmp_path) as at:
            await at.holds.silence({})
            moves = len(at.horns[0].moves)
            at.hold(Priority.EMERGENCY)
            await asyncio.sleep(3)
            assert at.lit() == [True]
            await asyncio.sleep(60)
            assert (len(at.horns[0].moves), at.voice.sounding) == (moves, False)
            last = receipts(tmp_path)[-1]
            assert (last.event, last.reason) == (Event.PARTLY, Reason.SILENCED)

    run(story())


@pytest.mark.parametrize("audience", [None, Audience((AREA,), zones=("zone-0-1", "zone-0-2"))])
@pytest.mark.parametrize("only", [[], ["zone-0-1", "zone-0-2"]])
def test_a_ward_without_boards_keeps_an_emergency_until_it_may_sound(
    tmp_path: Path, audience: Audience | None, only: list[str]
) -> None:
    """To end it as not aired would lose it: nobody has heard it, and somebody will resume."""

    async def story() -> None:
        async with ward(tmp_path, boards=0) as at:
            await at.holds.silence({"only": only})
            at.hold(Priority.EMERGENCY, audience)
            await asyncio.sleep(60)
            waits = not only or audience is not None
            assert (at.closed() == set(), at.voice.sounding) == (waits, not waits)
            assert at.journal.ledger.state_of(b"\x01" * 32) is (State.ACCEPTED if waits else State.AIRING)
            await at.holds.resume({})
            await asyncio.sleep(100)
            assert receipts(tmp_path)[-1].event is Event.AIRED

    run(story())


def test_it_stands_when_the_hub_begins_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with ward(tmp_path) as at:
            await at.holds.silence({"only": ["zone-0-1"]})
        async with ward(tmp_path) as again:
            await again.holds.restore()
            again.number = 1
            again.hold(Priority.EMERGENCY)
            await until_on_air(again, ZONES_EACH - 1)
            assert again.closed() == set(zones(1)) - {"zone-0-1"}

    run(story())
