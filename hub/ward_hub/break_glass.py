"""Whether a sealed key was used that nobody above the ward has looked at: an alarm until it is cleared."""

from __future__ import annotations

import asyncio

from ward_hub.alarm_words import Code, detail
from ward_hub.alarms import Alarms
from ward_hub.journal import Journal, Ledger
from ward_protocol.reasons import Reason


class BreakGlassWatch:
    """Looks into the journal whenever a receipt was written: no use is without one, and no clearing either."""

    def __init__(self, journal: Journal, alarms: Alarms) -> None:
        self._journal = journal
        self._alarms = alarms
        self._new = asyncio.Event()

    def poke(self) -> None:
        """Say that a receipt was written."""
        self._new.set()

    async def run(self) -> None:
        """Keep the alarm until cancelled."""
        while True:
            self._new.clear()
            uses = await self._journal.do(Ledger.uncleared_uses)
            if uses:
                told = (detail(Code.SEALED_KEY_USED, key=kid.hex(), times=count) for kid, count in uses.items())
                self._alarms.sound(Reason.BREAK_GLASS_USED, *told)
            else:
                self._alarms.still(Reason.BREAK_GLASS_USED)
            await self._new.wait()
