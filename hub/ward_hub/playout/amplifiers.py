"""One amplifier as an output: supply, warm-up, zones, the lease that keeps them closed, and what was heard.

The order is fixed: supply, warm-up, zones; then, after the sound, zones and supply together. A closed relay is
renewed by `run`, which reads the line level in the same transaction; nothing that is not read back counts as closed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ward_hub.clock import Clock
from ward_hub.config import AmplifierSection
from ward_hw.bus import Priority
from ward_hw.drivers.amplifier import Amplifier
from ward_hw.drivers.readings import AmplifierStatus
from ward_hw.errors import HardwareError
from ward_protocol.statements import ZoneEvidence

log = logging.getLogger(__name__)
LONGEST_PAUSE_S = 10.0


@dataclass(slots=True)
class ZoneTrack:
    """What is measured of one zone during one airing; moments are Unix milliseconds, 0 for never."""

    zone: str
    closed_ms: int = 0
    opened_ms: int = 0
    confirmed: bool = False
    heard_ms: int = 0

    def evidence(self) -> ZoneEvidence:
        """Return what goes into the receipt."""
        return ZoneEvidence(self.zone, self.closed_ms, self.opened_ms, self.confirmed, self.heard_ms)


class AmplifierOutput:
    """Drives one amplifier for the player; `run` must be running while relays are to stay closed."""

    def __init__(self, section: AmplifierSection, amplifier: Amplifier, clock: Clock, poll_ms: int) -> None:
        self.name = section.name
        self.zones: Mapping[str, int] = {zone.id: zone.relay for zone in section.zones}
        self._section = section
        self._amplifier = amplifier
        self._clock = clock
        self._poll_s = poll_ms / 1000
        self._supply = frozenset() if section.supply_relay is None else frozenset({section.supply_relay})
        self._closed: frozenset[int] = frozenset()
        self._tracks: dict[str, ZoneTrack] = {}
        self._changed = asyncio.Event()
        self.status: AmplifierStatus | None = None

    async def carry(self, zones: Iterable[str], *, urgent: bool) -> None:
        """Begin a new airing on those of `zones` that are here: returns once their relays are confirmed closed.

        Relays that both airings use stay closed, and a warm amplifier is not warmed up again. Raises HardwareError
        when it cannot be confirmed; what is then closed falls open by its lease.
        """
        relays = frozenset(self.zones[zone] for zone in zones)
        tracks = {zone: ZoneTrack(zone) for zone in zones}
        self._finish_tracks()
        self._tracks = tracks
        priority = Priority.EMERGENCY if urgent else Priority.COMMAND
        if relays and self._section.warm_up_ms and not self._supply <= self._closed:
            await self._set(self._supply, priority)
            await asyncio.sleep(self._section.warm_up_ms / 1000)
        await self._set((self._supply | relays) if relays else frozenset(), priority)
        for track in tracks.values():
            track.closed_ms, track.confirmed = self._clock.ms(), True

    async def release(self) -> None:
        """Open everything and end the airing's measurements; raises HardwareError when it is not confirmed."""
        try:
            await self._set(frozenset(), Priority.COMMAND)
        finally:
            self._finish_tracks()

    def end_tracks(self) -> list[ZoneTrack]:
        """Return what was measured since `carry`, ended now at the latest."""
        self._finish_tracks()
        return list(self._tracks.values())

    async def run(self) -> None:
        """Start the controller, then keep closed relays closed and measure, until cancelled."""
        await self._start()
        while True:
            if not self._closed:
                self._changed.clear()
                await self._changed.wait()
            began = self._clock.ms()
            await asyncio.sleep(self._poll_s)
            try:
                self._measure(await self._amplifier.renew(), began)
            except HardwareError as error:
                log.warning("%s", error)
                self._doubt()

    async def _start(self) -> None:
        """Open what an earlier run may have left, and set the lease, as soon as the controller answers."""
        pause = self._poll_s
        while not self._tracks:
            try:
                await self._set(frozenset(), Priority.SAFETY)
                await self._amplifier.configure()
                return
            except HardwareError as error:
                log.warning("%s", error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)

    async def _set(self, closed: frozenset[int], priority: Priority) -> None:
        self._closed = self._closed | closed
        self._changed.set()
        try:
            await self._amplifier.set_relays(closed, priority=priority)
        except HardwareError:
            self._closed = frozenset() if not closed else self._closed
            self._doubt()
            raise
        self._closed = closed

    def _measure(self, status: AmplifierStatus, began: int) -> None:
        self.status = status
        if status.relays != self._closed:
            log.error("%s: relays %s are closed, not %s", self.name, sorted(status.relays), sorted(self._closed))
            self._doubt()
        loud = (status.line_level_mv or 0) >= self._section.heard_mv
        for track in self._tracks.values():
            if loud and not track.opened_ms and self.zones[track.zone] in status.relays and track.closed_ms:
                track.heard_ms += self._clock.ms() - max(began, track.closed_ms)

    def _doubt(self) -> None:
        for track in self._tracks.values():
            if not track.opened_ms:
                track.confirmed = False

    def _finish_tracks(self) -> None:
        for track in self._tracks.values():
            track.opened_ms = track.opened_ms or self._clock.ms()
