"""One amplifier as an output: supply, warm-up, zones, the lease that keeps them closed, and what was heard.

The order is fixed: supply, warm-up, zones; then, after the sound, zones and supply together. A closed relay is
renewed by `run`, which reads the line level in the same transaction; nothing that is not read back counts as closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ward_hub.alarm_words import Code, detail
from ward_hub.clock import Clock
from ward_hub.config import AmplifierSection
from ward_hub.playout.tracks import ZoneTrack
from ward_hub.playout.watching import NOBODY, AmplifierWatch, Told, began_anew
from ward_hw.bus import Priority
from ward_hw.drivers.amplifier import Amplifier
from ward_hw.drivers.dialect import Interlock
from ward_hw.drivers.meter import Measurement
from ward_hw.drivers.readings import AmplifierStatus, RelayReading
from ward_hw.errors import HardwareError

log = logging.getLogger(__name__)
LONGEST_PAUSE_S = 10.0
LONGEST_STEP_S = 2.0
LOOK_S = 5.0  # how often an amplifier that is to be off is looked at
FIRST_LOOK_S = 0.5  # behind an order; what happens between them is not ours, and is told
WARM_UPS = 3  # of one airing, before its zones are ordered all the same
LEASE = "lease"  # of TRIP_NAMES


def interlock_of(section: AmplifierSection) -> Interlock | None:
    """Return what the amplifier's own controller shall insist on; None where no relay is the supply."""
    if section.supply_relay is None:
        return None
    return Interlock(
        frozenset({section.supply_relay}), frozenset(zone.relay for zone in section.zones), section.warm_up_ms
    )


class AmplifierOutput:
    """Drives one amplifier for the player; `run` must be running while relays are to stay closed.

    With `metered`, what was heard is told by `hear` alone, and not by the controller's own line level.
    """

    def __init__(
        self,
        section: AmplifierSection,
        amplifier: Amplifier,
        clock: Clock,
        poll_ms: int,
        told: Told = NOBODY,
        *,
        metered: bool = False,
    ) -> None:
        self._watch = AmplifierWatch(section, amplifier.max_on_s, told)
        self.name = section.name
        self.zones: Mapping[str, int] = {zone.id: zone.relay for zone in section.zones}
        self._section = section
        self._amplifier = amplifier
        self._clock = clock
        self._poll_s = poll_ms / 1000
        supply = section.supply_relay
        self._supply: frozenset[int] = frozenset() if supply is None else frozenset({supply})
        self._warms_up = bool(self._supply and section.warm_up_ms)
        self._closed: frozenset[int] = frozenset()
        self._tracks: dict[str, ZoneTrack] = {}
        self._changed = asyncio.Event()
        self._orders = 0
        self._trips: int | None = None
        self._looked = False  # since the last order
        self._idle_trips: int | None = None  # at that look
        self._released_trips: int | None = None  # before it, when nothing of ours could fall open by its lease any more
        self._in_doubt = False
        self._taken_over = False
        self._is_configured = False
        self._asked: AmplifierStatus | None = None  # the reading before, for the uptime in it
        self._warm_at: float | None = None
        self._metered = metered
        self.status: AmplifierStatus | None = None
        self.measured: Measurement | None = None

    @property
    def carries(self) -> bool:
        """Whether any relay is ordered closed."""
        return bool(self._closed)

    def summary(self) -> dict[str, object]:
        """Return what is known of it, for a person: zones ordered closed that did not trip, and its last reading."""
        reading = self.status
        latched = frozenset[int]() if reading is None else reading.latched
        closed = [zone for zone, relay in self.zones.items() if relay in self._closed - latched]
        return {
            "name": self.name,
            "closed": closed,
            "in_doubt": self._in_doubt,
            "another_answers": self._amplifier.another_answers,
            "supply_mv": None if reading is None else reading.supply_mv,
            "current_ma": None if reading is None else reading.current_ma,
            "temperature_dc": None if reading is None else reading.temperature_dc,
            "trips": None if reading is None else reading.trips,
            "last_trip": None if reading is None else reading.last_trip,
            "lasting": [] if reading is None else sorted(reading.lasting),
            "latched": sorted(latched),
            "meter": None if self.measured is None else {"value": self.measured.value, "unit": self.measured.unit},
        }

    async def carry(self, zones: Iterable[str], *, urgent: bool) -> None:
        """Begin a new airing on those of `zones` that are here: returns once their relays are confirmed closed.

        Relays that both airings use stay closed, and a warm amplifier is not warmed up again. Raises HardwareError
        when it cannot be confirmed; what is then closed falls open by its lease.
        """
        relays = frozenset(self.zones[zone] for zone in zones)
        tracks = {zone: ZoneTrack(zone) for zone in zones}
        self._finish_tracks()
        self._tracks, self._taken_over = tracks, True
        priority = Priority.EMERGENCY if urgent else Priority.COMMAND
        try:
            reading = await self._close(relays, priority)
        except HardwareError as error:
            for track in tracks.values():
                track.cause = error.problem
            raise
        for track in tracks.values():
            track.closed_ms, track.confirmed, track.measured_at = self._clock.ms(), True, reading.at

    async def _close(self, relays: frozenset[int], priority: Priority) -> RelayReading:
        """Close supply, and after the warm-up zones; what a trip keeps open is ordered open first, and starts cold."""
        if self.status is not None and self.status.latched:
            await self._set(frozenset(), priority)
        if relays and self._warms_up:
            await self._warm_up(priority)
        return await self._set((self._supply | relays) if relays else frozenset(), priority)

    async def release(self) -> None:
        """Open everything and end the airing's measurements; raises HardwareError when it is not confirmed."""
        if self._in_doubt:
            self._unconfirm()  # whether they were closed until now, nobody will know any more
        try:
            if self._closed:
                await self._set(frozenset(), Priority.COMMAND)
        finally:
            self._finish_tracks()

    async def make_safe(self) -> None:
        """Open everything, whatever was believed before; raises HardwareError when it is not confirmed."""
        await self._set(frozenset(), Priority.SAFETY)

    def end_tracks(self) -> list[ZoneTrack]:
        """Return what was measured since `carry`, ended now at the latest, and forget it."""
        self._finish_tracks()
        tracks, self._tracks = list(self._tracks.values()), {}
        return tracks

    async def run(self) -> None:
        """Start the controller, then keep closed relays closed and measure, until cancelled.

        An opening that nobody confirmed is ordered again from here, so that no airing has to wait for a dead amplifier.
        """
        await self._start()
        while True:
            self._watch.answered(another=self._amplifier.another_answers)
            if self._closed:
                await asyncio.sleep(self._poll_s)
                await self._renew()
            elif self._in_doubt:
                await self._wait(LONGEST_PAUSE_S)
                await self._open_again()
            else:
                await self._wait(LOOK_S if self._looked else FIRST_LOOK_S)
                await self._look()

    async def _look(self) -> None:
        """Open what is closed and was not ordered: nothing but a verified order gives an amplifier power.

        What was closed and fell open by its lease since the last look shows in the controller's count of trips, and so
        does what did between our opening it and the first look.
        """
        order = self._orders
        if self._closed or self._in_doubt:
            return
        with contextlib.suppress(HardwareError):  # whoever needs it next will be told
            try:
                self.status = status = await self._amplifier.read()
            finally:
                self._looked = order == self._orders  # else it is looked at again behind that order
            self._note_cause(self._watch.take(status))
            await self._keep_configured(status)
            if not self._looked:
                return
            if status.relays:
                self._watch.tampered(detail(Code.RELAYS_CLOSED, amplifier=self.name, relays=sorted(status.relays)))
                await self._set(frozenset(), Priority.SAFETY)
            elif self._fell_open(status):
                self._watch.tampered(detail(Code.RELAYS_FELL_OPEN, amplifier=self.name))
            self._idle_trips, self._released_trips = status.trips, None

    def _fell_open(self, status: AmplifierStatus) -> bool:
        """Say whether relays fell open that nobody had ordered closed."""
        if status.trips is None:
            return False
        if self._idle_trips is not None:
            return status.trips > self._idle_trips
        # The end of the airing itself may have tripped for another cause.
        released = self._released_trips
        return released is not None and status.trips > released and status.last_trip == LEASE

    async def _wait(self, pause: float | None) -> None:
        """Wait for so long, or until there is an order: what it closes must be renewed at once."""
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._changed.wait()

    async def _open_again(self) -> None:
        if self._in_doubt and not self._closed:
            with contextlib.suppress(HardwareError):  # it was reported when it was ordered first
                await self._set(frozenset(), Priority.SAFETY)

    async def _warm_up(self, priority: Priority) -> None:
        """Return once the amplifier has had supply for as long as it needs, also where an airing before began it."""
        loop = asyncio.get_running_loop()
        if self._warm_at is not None:
            await self._look_for_supply(priority)
        for _ in range(WARM_UPS):  # more than one where the supply is lost meanwhile
            if self._warm_at is None:
                await self._begin_warm_up(priority)
            left_s = 0.0 if self._warm_at is None else self._warm_at - loop.time()
            if left_s <= 0:
                return
            await asyncio.sleep(left_s)

    async def _begin_warm_up(self, priority: Priority) -> None:
        """Close the supply alone. It counts from when that is seen: the controller counts too, and refuses before."""
        await self._set(self._supply, priority)
        if self._warm_at is None:
            self._warm_at = asyncio.get_running_loop().time() + self._section.warm_up_ms / 1000

    async def _look_for_supply(self, priority: Priority) -> None:
        """Find out whether what was warm lost its supply: it is cold then, and its controller would refuse zones."""
        order = self._orders
        with contextlib.suppress(HardwareError):  # the order that follows is what gets told
            seen = (await self._amplifier.read(priority=priority)).relays
            if order == self._orders and not self._supply <= seen:
                self._warm_at = None

    async def _close_again(self, seen: frozenset[int]) -> None:
        """Close what fell open; an amplifier that lost its supply gets that alone first, and its zones when warm."""
        wanted, order = self._closed, self._orders
        if not self._supply <= seen:
            self._warm_at = None
        warm = self._warm_at is not None and self._warm_at <= asyncio.get_running_loop().time()
        if warm or not self._warms_up:
            await self._set(wanted, Priority.SAFETY)
        elif self._warm_at is None or seen != self._supply:
            try:
                await self._begin_warm_up(Priority.SAFETY)
            finally:
                if self._orders == order + 2:  # nobody ordered anything else meanwhile
                    self._closed = wanted

    async def _renew(self) -> None:
        order = self._orders
        try:
            status = await self._amplifier.renew()
            self._measure(status)
            await self._keep_configured(status)
            if order != self._orders:
                return
            self._note_cause(self._watch.take(status))
            if not self._still_closed(status) and not self._watch.tripped:
                await self._close_again(status.relays)
        except HardwareError as error:
            # One lost answer is no open relay: the next reading says whether the lease ran out meanwhile.
            if not self._in_doubt:  # else it was said before
                log.warning("%s", error)
            self._in_doubt = True

    def _note_cause(self, cause: str) -> None:
        """Keep why what is on air is not heard."""
        for track in self._tracks.values():
            if cause and not track.opened_ms:
                track.cause = cause

    async def _start(self) -> None:
        """Open what an earlier run may have left, and set the lease, as soon as the controller answers."""
        pause = self._poll_s
        while not self._taken_over:
            try:
                await self._set(frozenset(), Priority.SAFETY)
                await self._amplifier.configure()
                self._is_configured = True
                return
            except HardwareError as error:
                log.warning("%s", error)
            if not self._taken_over:
                await self._wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)

    async def _keep_configured(self, status: AmplifierStatus) -> None:
        """Set lease and interlock of a controller that began anew and has forgotten them, or was never told."""
        before, self._asked = self._asked, status
        if before is not None and began_anew(before, status):
            log.warning("%s: the controller began anew, reset cause %s", self.name, status.reset_cause)
            self._is_configured = False
        if not self._is_configured:
            await self._amplifier.configure()
            self._is_configured = True

    async def _set(self, closed: frozenset[int], priority: Priority) -> RelayReading:
        self._orders += 1
        self._looked, self._idle_trips, self._released_trips = False, None, None
        self._closed = self._closed | closed
        if not self._supply <= closed:
            self._warm_at = None  # confirmed or not
        self._changed.set()
        try:
            reading = await self._amplifier.set_relays(closed, priority=priority)
        except HardwareError:
            self._closed = closed
            self._in_doubt = True
            raise
        finally:
            self._orders += 1
        self._closed, self._in_doubt = closed, False
        before = self.status
        if before is not None and not closed and reading.at - before.at < self._amplifier.lease_ms / 1000:
            self._released_trips = before.trips
        if self.status is not None:  # what was written open may close again
            self.status = replace(self.status, latched=self.status.latched & closed)
        return reading

    def _still_closed(self, status: AmplifierStatus) -> bool:
        """Say whether the reading shows what was ordered; a gap since the last one unconfirms what is on air.

        A controller that counts its trips shows with them whether relays fell open while we could not read it.
        """
        tripped = status.trips != self._trips
        doubtful = self._in_doubt and (tripped or status.trips is None)
        self._trips, self._in_doubt = status.trips, False
        if status.relays == self._closed and not doubtful:
            return True
        if doubtful:
            log.error("%s: relays %s may have been open while it did not answer", self.name, sorted(self._closed))
        elif not self._watch.tripped and (status.relays != self._supply or self._warm_at is None):
            log.error("%s: relays %s are closed, not %s", self.name, sorted(status.relays), sorted(self._closed))
        self._unconfirm()
        return status.relays == self._closed

    def _measure(self, status: AmplifierStatus) -> None:
        self.status = status
        if status.line_level_mv is not None and not self._metered:
            self._count(loud=status.line_level_mv >= self._section.heard_mv, at=status.at)

    def hear(self, *, loud: bool, at: float) -> None:
        """Take a reading of the amplifier's own meter, of the driver's clock `at`.

        Behind a relay that was not read back closed just before, nothing counts as heard.
        """
        self._count(loud=loud and not self._in_doubt, at=at)

    def _count(self, *, loud: bool, at: float) -> None:
        """Count the time since the reading before this one as heard, where this one finds sound behind the relay.

        By the driver's clock, as ours may be set meanwhile; and not the whole of a long gap, in which nobody listened.
        """
        closed = frozenset[int]() if self.status is None else self.status.relays
        for track in self._tracks.values():
            if track.opened_ms or not track.closed_ms:
                continue
            passed_s = min(max(0.0, at - track.measured_at), LONGEST_STEP_S)
            track.measured_at = at
            heard = loud and self.zones[track.zone] in closed
            track.heard_ms = (track.heard_ms or 0) + (round(passed_s * 1000) if heard else 0)

    def _unconfirm(self) -> None:
        for track in self._tracks.values():
            if not track.opened_ms:
                track.confirmed = False

    def _finish_tracks(self) -> None:
        if self._in_doubt:
            self._unconfirm()
        for track in self._tracks.values():
            track.opened_ms = track.opened_ms or self._clock.ms()
