"""What somebody else did at the outputs: written into the audit trail, and an alarm, whoever saw it."""

from __future__ import annotations

import asyncio
from collections import deque

from ward_hub.alarm_words import Detail
from ward_hub.alarms import Alarms
from ward_hub.journal import Journal, Ledger
from ward_protocol.reasons import Reason

KEPT = 64


class Tampering:
    """Takes what the outputs see, and writes it; what the journal fails to take is written later."""

    def __init__(self, journal: Journal, alarms: Alarms) -> None:
        self._journal = journal
        self._alarms = alarms
        self._seen: deque[Detail] = deque(maxlen=KEPT)
        self._new = asyncio.Event()

    def seen(self, what: Detail) -> None:
        """Say what was found that this hub did not order."""
        self._seen.append(what)
        self._new.set()
        self._alarms.sound(Reason.OUTPUT_TAMPERED, what)
        self._alarms.still(Reason.OUTPUT_TAMPERED)  # undone by now; who does it again is seen again

    async def run(self) -> None:
        """Write until cancelled."""
        self._alarms.still(Reason.OUTPUT_TAMPERED)  # of the last run
        while True:
            self._new.clear()
            while self._seen:
                what = self._seen[0]
                await self._journal.do(Ledger.note, "tampered", {"what": str(what)})
                if self._seen[0] is what:  # else a newer one took its place meanwhile
                    self._seen.popleft()
            await self._new.wait()
