"""Delivers receipts to the source, in order, until each is acknowledged; the journal keeps them meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from ward_hub.journal import Journal, Ledger, Waiting
from ward_hub.links import ChannelLost, SourceError, SourceLink

log = logging.getLogger(__name__)
DELIVER_S = 20.0
FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 60.0


class Outbox:
    """One task that empties the journal's waiting receipts; `poke` when there is a new one."""

    def __init__(self, link: SourceLink, journal: Journal) -> None:
        self._link = link
        self._journal = journal
        self._new = asyncio.Event()

    def poke(self) -> None:
        """Say that there is something to deliver."""
        self._new.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        pause = FIRST_RETRY_S
        while True:
            self._new.clear()
            waiting = await self._journal.do(Ledger.waiting)
            if not waiting:
                await self._new.wait()
                continue
            try:
                for receipt in waiting:
                    await self._deliver(receipt)
                pause = FIRST_RETRY_S
            except SourceError as error:
                level = logging.WARNING if isinstance(error, ChannelLost) else logging.INFO
                log.log(level, "%d receipts or more wait: %s", len(waiting), error)
                # Not wait_for: before Python 3.12 it swallows a cancel that meets what it waits for.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._new.wait()
                pause = min(pause * 2, LONGEST_RETRY_S)

    async def _deliver(self, receipt: Waiting) -> None:
        acknowledged = await self._link.post_receipt(receipt.data, deadline=DELIVER_S)
        if acknowledged != receipt.digest:
            raise SourceError(f"receipt {receipt.sequence}: the source acknowledged something else")
        await self._journal.do(Ledger.acknowledge, receipt.sequence)
