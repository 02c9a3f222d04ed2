"""What somebody else did at the outputs: written into the audit trail, whoever saw it."""

from __future__ import annotations

import asyncio
from collections import deque

from ward_hub.journal import Journal, Ledger

KEPT = 64


class Tampering:
    """Takes what the outputs see, and writes it; what the journal fails to take is written later."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._seen: deque[str] = deque(maxlen=KEPT)
        self._new = asyncio.Event()

    def seen(self, what: str) -> None:
        """Say what was found that this hub did not order."""
        self._seen.append(what)
        self._new.set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            self._new.clear()
            while self._seen:
                await self._journal.do(Ledger.note, "tampered", {"what": self._seen[0]})
                self._seen.popleft()
            await self._new.wait()
