"""Delivers receipts to the source until each is acknowledged, the oldest first; the journal keeps them meanwhile.

One that the source does not take, as one that a worn card damaged, holds up none behind it: it is passed over, stays in
the journal, and is tried again after the others. A source takes them in any order: each names the one before.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from ward_hub.journal import Journal, Ledger, Waiting
from ward_hub.links import ChannelLost, LinkDown, LinkState, PeerError, Refused, SourceError, SourceLink

log = logging.getLogger(__name__)
DELIVER_S = 20.0
FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 60.0
BATCH = 16


class Outbox:
    """One task that empties the journal's waiting receipts; `poke` when there is a new one."""

    def __init__(self, link: SourceLink, journal: Journal) -> None:
        self._link = link
        self._journal = journal
        self._new = asyncio.Event()
        self._passed = 0  # all that wait up to this one were tried, and come again after the last
        self._taken = 0
        # How many were taken when one was refused first; None once that was told.
        self._refused: dict[int, int | None] = {}

    def poke(self) -> None:
        """Say that there is something to deliver."""
        self._new.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        pause = FIRST_RETRY_S
        while True:
            self._new.clear()
            waiting = await self._journal.do(Ledger.waiting, BATCH, after=self._passed)
            if not waiting and not self._passed:
                await self._new.wait()
                continue
            before = self._taken
            await self._try_each(waiting)
            if self._taken != before:
                pause = FIRST_RETRY_S
                continue
            # Not wait_for: before Python 3.12 it swallows a cancel that meets what it waits for.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._new.wait()
            if len(waiting) < BATCH and not self._new.is_set():
                self._passed = 0
            pause = min(pause * 2, LONGEST_RETRY_S)

    async def _try_each(self, waiting: Sequence[Waiting]) -> None:
        """Deliver what the source takes; end where it takes none at the moment, or takes its time."""
        trouble: SourceError | None = None
        for receipt in waiting:
            try:
                await self._deliver(receipt)
            except SourceError as error:
                trouble = error
                if isinstance(error, ChannelLost) or (
                    isinstance(error, LinkDown) and self._link.state is LinkState.DOWN
                ):
                    break  # nobody said anything about this one
                self._pass_over(receipt.sequence, error)
                if isinstance(error, LinkDown) or (isinstance(error, Refused) and error.later):
                    break
        if trouble is not None:
            level = logging.WARNING if isinstance(trouble, ChannelLost) else logging.INFO
            log.log(level, "%d receipts or more wait: %s", len(waiting), trouble)

    async def _deliver(self, receipt: Waiting) -> None:
        acknowledged = await self._link.post_receipt(receipt.data, deadline=DELIVER_S)
        if acknowledged != receipt.digest:
            raise PeerError(f"receipt {receipt.sequence}: the source acknowledged something else")
        await self._journal.do(Ledger.acknowledge, receipt.sequence)
        self._taken += 1
        self._refused.pop(receipt.sequence, None)

    def _pass_over(self, sequence: int, error: SourceError) -> None:
        """Go on behind a receipt, and tell it once where the source took others between two tries of it."""
        self._passed = sequence
        first = self._refused.setdefault(sequence, self._taken)
        if first is not None and first != self._taken:
            self._refused[sequence] = None
            log.warning("receipt %d stays in the journal, the source does not take it: %s", sequence, error)
