"""What of the documents in force ends soon, or has ended: told weeks ahead, so that nobody is surprised.

What an end means is in docs/protocol.md: an authority, or the grants as a whole, may issue nothing any more; under a
root that has ended no newer grants are taken, only the next root. The hub itself goes on in every case.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from ward_hub.alarm_words import Code, Detail, detail
from ward_hub.alarms import Alarms
from ward_hub.trust import Trust
from ward_protocol.reasons import Reason
from ward_protocol.statements import Grants, Root

log = logging.getLogger(__name__)
DAY_S = 86_400
WARN_S = 30 * DAY_S
LOOK_S = 3600.0
What = Literal["root", "grants", "authority"]


@dataclass(frozen=True, slots=True)
class Ending:
    """Something that ends within 30 days or has ended: what and its name, when (Unix seconds), the seconds left."""

    what: What
    name: str
    at: int
    left_s: int

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.left_s <= 0

    def detail(self) -> Detail:
        """Return it as an alarm shows it."""
        day = datetime.fromtimestamp(self.at, UTC).date().isoformat()
        if self.ended:
            return detail(Code(f"{self.what}-ended"), name=self.name, day=day)
        return detail(Code(f"{self.what}-ends"), name=self.name, day=day, days=-(-self.left_s // DAY_S))


def endings(root: Root | None, grants: Grants | None, now: float) -> tuple[Ending, ...]:
    """Return what of the documents ends within 30 days of `now` or has ended, the soonest first."""
    found: list[tuple[int, What, str]] = []
    if root is not None:
        found.append((root.expires, "root", str(root.version)))
    if grants is not None:
        found.append((grants.expires, "grants", str(grants.version)))
        found.extend((one.not_after, "authority", one.id) for one in grants.authorities)
    all_of_them = (Ending(what, name, at, at - int(now)) for at, what, name in sorted(found))
    return tuple(one for one in all_of_them if one.left_s <= WARN_S)


class ExpiryWatch:
    """Tells each ending once a day; `trust` gives the documents in force, `now` Unix time in seconds.

    While anything ends or has ended, the alarm stands.
    """

    def __init__(self, trust: Callable[[], Trust], now: Callable[[], float], alarms: Alarms) -> None:
        self._trust = trust
        self._now = now
        self._alarms = alarms
        self._told: dict[tuple[str, str, int], int] = {}

    def untold(self) -> tuple[Ending, ...]:
        """Return the endings that were not told today, and count them as told."""
        today = int(self._now()) // DAY_S
        new = tuple(one for one in self._endings() if self._told.get((one.what, one.name, one.at)) != today)
        self._told |= {(one.what, one.name, one.at): today for one in new}
        return new

    async def run(self) -> None:
        """Write them into the log, and keep the alarm, until cancelled."""
        while True:
            for one in self.untold():
                log.warning("%s", one.detail())
            self._alarm(self._endings())
            await asyncio.sleep(LOOK_S)

    def _endings(self) -> tuple[Ending, ...]:
        trust = self._trust()
        return endings(trust.root, trust.grants, self._now())

    def _alarm(self, found: tuple[Ending, ...]) -> None:
        if not found:
            self._alarms.still(Reason.EXPIRING)
            return
        soonest, *others = found
        more = (detail(Code.MORE_END, count=len(others)),) if others else ()
        self._alarms.sound(Reason.EXPIRING, soonest.detail(), *more)
