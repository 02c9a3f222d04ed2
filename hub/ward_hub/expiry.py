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

from ward_hub.alarms import Alarms
from ward_hub.trust import Trust
from ward_protocol.reasons import Reason
from ward_protocol.statements import Grants, Root

log = logging.getLogger(__name__)
DAY_S = 86_400
WARN_S = 30 * DAY_S
LOOK_S = 3600.0


@dataclass(frozen=True, slots=True)
class Ending:
    """Something that ends within 30 days or has ended: what, when (Unix seconds), and the seconds left then."""

    what: str
    at: int
    left_s: int
    remedy: str

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.left_s <= 0

    def __str__(self) -> str:
        day = datetime.fromtimestamp(self.at, UTC).date().isoformat()
        when = f"ended on {day}" if self.ended else f"ends in {-(-self.left_s // DAY_S)} days, on {day}"
        return f"{self.what} {when}: {self.remedy}"


def endings(root: Root | None, grants: Grants | None, now: float) -> tuple[Ending, ...]:
    """Return what of the documents ends within 30 days of `now` or has ended, the soonest first."""
    found: list[tuple[int, str, str]] = []
    if root is not None:
        found.append((root.expires, f"root {root.version}", "its officers must sign the next root"))
    if grants is not None:
        found.append((grants.expires, f"grants {grants.version}", "the grant office must sign newer ones"))
        found += [
            (one.not_after, f"authority {one.id}", "the grant office must sign newer grants")
            for one in grants.authorities
        ]
    all_of_them = (Ending(what, at, at - int(now), remedy) for at, what, remedy in sorted(found))
    return tuple(one for one in all_of_them if one.left_s <= WARN_S)


class ExpiryWatch:
    """Tells each ending once a day; `trust` gives the documents in force, `now` Unix time in seconds.

    While anything ends or has ended, the alarm stands.
    """

    def __init__(self, trust: Callable[[], Trust], now: Callable[[], float], alarms: Alarms) -> None:
        self._trust = trust
        self._now = now
        self._alarms = alarms
        self._told: dict[tuple[str, int], int] = {}

    def untold(self) -> tuple[Ending, ...]:
        """Return the endings that were not told today, and count them as told."""
        today = int(self._now()) // DAY_S
        new = tuple(one for one in self._endings() if self._told.get((one.what, one.at)) != today)
        self._told |= {(one.what, one.at): today for one in new}
        return new

    async def run(self) -> None:
        """Write them into the log, and keep the alarm, until cancelled."""
        while True:
            for one in self.untold():
                log.warning("%s", one)
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
        more = f"; and {len(others)} more" if others else ""
        self._alarms.sound(Reason.EXPIRING, f"{soonest}{more}")
