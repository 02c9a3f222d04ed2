"""Outputs of the hub over the real drivers, on simulated controllers and a clock that jumps."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.clocks import clock
from tests.sim.hw.units import Amp8, Station, Waveshare
from tests.sim.hw.virtual import Line, Reply
from tests.statements import NOW
from tests.unit.firmware.ports import board as controller

from ward_hub.alarm_words import Detail
from ward_hub.clock import Clock
from ward_hub.config import AmplifierSection, ZoneSection
from ward_hub.playout.amplifiers import AmplifierOutput, interlock_of
from ward_hub.playout.boards import BoardOutput
from ward_hub.playout.watching import Told
from ward_hw.bus import ModbusBus
from ward_hw.drivers.amplifier import Amplifier
from ward_hw.drivers.board import Board
from ward_hw.profile import load_profile
from ward_protocol.portable.amplifier import TRIP_LEASE

POLL_MS, WARM_MS = 250, 1500
ZONES = {"zone-1": 1, "zone-2": 2}
SUPPLY = 0


def now() -> float:
    return asyncio.get_running_loop().time()


def hub_clock() -> Clock:
    """The hub's own clock, which begins at NOW with the loop."""
    return clock(lambda: NOW + now())


@dataclass
class Horns(Amp8):
    """Our controller with horns behind it: what its line measures while the supply relay is closed."""

    level_mv: int = 775
    trips: int = 0
    last_trip: int = TRIP_LEASE
    begun: float = 0.0
    moves: list[tuple[float, frozenset[int]]] = field(default_factory=list)

    def answer(self, pdu: bytes) -> bytes:
        answer = super().answer(pdu)
        self.note()
        return answer

    def block(self) -> list[int]:
        words = super().block()
        words[3] = self.level_mv if self.relays[SUPPLY] else 0
        words[7] = int(now() - self.begun) & 0xFFFF
        words[9] = self.trips
        words[15] = self.last_trip if self.trips else 0
        return words

    def open_all(self) -> None:
        self.trips += any(self.relays)
        super().open_all()
        self.note()

    def power_cut(self) -> None:
        """Off and on again at once: relays open, counters from nought, settings as the factory leaves them."""
        self.relays = [False] * 8
        self.trips, self.begun = 0, now()
        self.holding = [3000, 3600, 0, 0, 0, 0]
        self.note()

    @property
    def closed(self) -> frozenset[int]:
        return frozenset(number for number, on in enumerate(self.relays) if on)

    def note(self) -> None:
        if not self.moves or self.moves[-1][1] != self.closed:
            self.moves.append((now(), self.closed))


@asynccontextmanager
async def running(part: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Run one part of the agent meanwhile; an error of its own is the test's."""

    async def whole() -> None:
        await part()

    task = asyncio.create_task(whole())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def amplifier(
    station: Station,
    profile: str = "wardhub/amp8",
    *,
    warm_up_ms: int = WARM_MS,
    tampered: Callable[[Detail], None] = lambda _what: None,
) -> AsyncIterator[AmplifierOutput]:
    """The output of one amplifier on a line of its own, running and started."""
    line = Line(19_200, units=[station])
    section = AmplifierSection(
        name="amp-1",
        bus="bus-1",
        unit=station.unit,
        profile=profile,
        supply_relay=SUPPLY,
        warm_up_ms=warm_up_ms,
        zones=tuple(ZoneSection(id=zone, relay=relay) for zone, relay in ZONES.items()),
    )
    async with ModbusBus("virtual", 19_200, timeout=0.1, opener=line.open) as bus:
        driver = Amplifier(
            "amp-1", bus, station.unit, load_profile(profile), clock=now, interlock=interlock_of(section)
        )
        output = AmplifierOutput(section, driver, hub_clock(), POLL_MS, Told(tampered=tampered))
        async with running(output.run):
            await asyncio.sleep(0.5)
            yield output


def stock() -> Waveshare:
    """A board of the trade that measures nothing."""
    return Waveshare()


class Lamps:
    """A board controller, the firmware's own core, on a virtual line; silent while `dead`."""

    def __init__(self, width: int = 64, height: int = 32) -> None:
        self.dead = False
        self.line = Line(115_200, units=[self._station])
        self.restart(width, height)

    def restart(self, width: int = 64, height: int = 32) -> None:
        """Power it up as a board of that size."""
        self.core = controller(now_us=int(now() * 1e6), modules_wide=width // 32, modules_high=height // 16)

    def second_line(self) -> Line:
        """Another way to the same board, as an intruder would find it."""
        return Line(115_200, units=[self._station])

    def lit(self) -> bool:
        """Whether anything shines."""
        self.core.tick(int(now() * 1e6))
        return any(self.core.frame)

    def _station(self, data: bytes) -> list[Reply]:
        if self.dead:
            return []
        answer = self.core.rx(data, int(now() * 1e6))
        return [Reply(answer)] if answer else []


@asynccontextmanager
async def board(lamps: Lamps, tampered: Callable[[Detail], None] = lambda _what: None) -> AsyncIterator[BoardOutput]:
    """The output of one board, running."""
    async with Board("board-1", "virtual", 115_200, clock=now, opener=lamps.line.open) as driver:
        output = BoardOutput("board-1", driver, hub_clock(), tampered)
        async with running(output.run):
            await asyncio.sleep(0.5)
            yield output
