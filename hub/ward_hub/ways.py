"""The ways in beside the source: over the hub's own network, and on a stick. What comes goes to one `deliver`."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

from ward_hub.alarm_words import Code, detail
from ward_hub.alarms import Alarms
from ward_hub.config import Config, LanSection
from ward_hub.control import Act
from ward_hub.intake import Deliver
from ward_hub.journal import Journal, Ledger
from ward_hub.lan import LanServer
from ward_hub.lan.echo import SECRET_SIZE, Echo
from ward_hub.lan.gathering import Gathering
from ward_hub.lan.limits import Limits
from ward_hub.lan.resources import WAY
from ward_hub.lan.site import Site
from ward_hub.lan.spool import Bounds, Most, Spool
from ward_hub.recordings import Recordings
from ward_hub.staging import Staging
from ward_hub.tally import Tally
from ward_hub.usb.importer import Importer
from ward_hub.usb.watch import Watch
from ward_protocol.reasons import Reason

log = logging.getLogger(__name__)
MIB = 2**20
SUM_UP_S = 30.0
ABUSE = 50  # in that time: who is honest and too fast is told so a few times, and waits


class Ways:
    """Built from the configuration: `parts` run in the agent, `acts` are for its control socket.

    `clock` gives seconds that only grow: those of the running loop.
    """

    def __init__(
        self,
        config: Config,
        deliver: Deliver,
        recordings: Recordings,
        journal: Journal,
        *,
        tally: Tally,
        alarms: Alarms,
        clock: Callable[[], float],
    ) -> None:
        self._journal = journal
        self._tally = tally
        self._alarms = alarms
        self._seen: Counter[str] = Counter()
        self._clock = clock
        staging = Staging(Path(config.hub.state) / "incoming", config.media.keep_free_mib * MIB)
        self._importer = Importer(deliver, recordings, staging, journal, tally)
        self._watch = Watch(Path(config.usb.mount), self._importer) if config.usb is not None else None
        self._lan: LanServer | None = None
        if config.lan is not None:
            spool, limits = Spool(staging, bounds_of(config.lan)), Limits(clock())
            site = Site(
                deliver=deliver,
                store=recordings,
                gathering=Gathering(spool, limits, tally, clock),
                limits=limits,
                echo=Echo(os.urandom(SECRET_SIZE)),
                tally=tally,
                clock=clock,
            )
            host, port = config.lan.endpoint()
            self._lan = LanServer(host, port, site=site, limits=limits, spool=spool, tally=tally, clock=clock)

    @property
    def acts(self) -> dict[str, Act]:
        """What the ways do for commands at the hub."""
        return {"import": self._importer.asked}

    def parts(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Return what is to run; a way that is not configured does not."""
        parts: dict[str, Callable[[], Awaitable[None]]] = {"tally": self._sum_up}
        if self._lan is not None:
            parts["lan"] = self._lan.run
        if self._watch is not None:
            parts["usb"] = self._watch.run
        return parts

    def status(self) -> dict[str, object]:
        """Return what is known of each way."""
        address = None if self._lan is None else self._lan.address
        bundle = self._importer.last
        return {
            "lan": None if address is None else {"host": address[0], "port": address[1]},
            "bundle": None if bundle is None else bundle.counts(),
        }

    async def _sum_up(self) -> None:
        """Write the sums of what was too much to be written one by one, until cancelled; then the rest."""
        try:
            while True:
                await asyncio.sleep(SUM_UP_S)
                self._judge_lan()
                await self._write_sums()
        finally:
            await self._write_sums(all_of_it=True)

    def _judge_lan(self) -> None:
        """Alarm where the network brought more in the last while that is not to be taken than honest senders do."""
        seen = self._tally.seen(WAY)
        new, self._seen = seen - self._seen, seen
        if new.total() >= ABUSE:
            within = round(SUM_UP_S)
            told = (detail(Code.REFUSED, reason=word, count=n, within_s=within) for word, n in new.most_common())
            self._alarms.sound(Reason.LAN_ABUSED, *told)
        else:
            self._alarms.still(Reason.LAN_ABUSED)

    async def _write_sums(self, *, all_of_it: bool = False) -> None:
        for one in self._tally.due(self._clock(), all_of_it=all_of_it):
            await self._journal.do(Ledger.note, "counted", {"place": one.way, "s": int(one.seconds), **one.counts})
            self._tally.settled(one, self._clock())
            log.warning("refused beside those told one by one: %s", one)


def bounds_of(section: LanSection) -> Bounds:
    """Return how much may be on its way by the configuration."""
    return Bounds(
        peer=Most(section.max_uploads_per_peer, section.max_mib_per_peer * MIB),
        total=Most(section.max_uploads, section.max_mib * MIB),
    )
