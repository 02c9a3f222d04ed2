"""What is wrong with this hub and stays so: alarms, each told once when it begins and once when it is over.

A part says what it sees, as often as it likes: `sound` while something is wrong, `still` while it is not. Only the two
edges are written: an entry of the audit trail, a receipt, a line of the log. An alarm is over when it was still for a
while, and the longer the more often it came back; so whatever flaps cannot fill the journal. What was done once, and
seldom, is told each time it is done, and stands for a day.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from ward_hub.alarm_words import Detail
from ward_hub.clock import Clock
from ward_hub.journal import Journal, Ledger, Standing
from ward_protocol.reasons import Reason

log = logging.getLogger(__name__)
Alarm = Literal[
    Reason.BEAT_FROZEN,
    Reason.BEAT_ROLLED_BACK,
    Reason.SOURCE_SILENT,
    Reason.CLOCK_STEPPED,
    Reason.TIME_STEP_REFUSED,
    Reason.CONFIGURATION_CHANGED,
    Reason.BREAK_GLASS_USED,
    Reason.EXPIRING,
    Reason.LAN_ABUSED,
    Reason.OUTPUT_TAMPERED,
    Reason.OUTPUT_TRIPPED,
    Reason.OUTPUT_STUCK,
]
ALARMS: frozenset[Reason] = frozenset(get_args(Alarm))
FIRST_STILL_S = 300.0
LONGEST_STILL_S = 3600.0
FORGIVEN_S = 86_400.0
DONE_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Edge:
    """An alarm that began, or one that is over."""

    began: bool
    alarm: Standing


@dataclass(slots=True)
class Patience:
    """How long a kind must be still to be over, and when it was over last, in loop time."""

    still_s: float = FIRST_STILL_S
    over_at: float | None = None


class Alarms:
    """The standing alarms of this hub. Used from the loop alone."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._standing: dict[Reason, Standing] = {}
        self._still_since: dict[Reason, float] = {}
        self._patience: dict[Reason, Patience] = {}
        self._edges: deque[Edge] = deque()
        self._changed = asyncio.Event()

    @property
    def standing(self) -> list[Standing]:
        """The alarms that stand, the oldest first."""
        return sorted(self._standing.values(), key=lambda one: (one.since_ms, one.kind))

    def restore(self, standing: Iterable[Standing]) -> None:
        """Take those that stood when the last run ended; whoever looks after them says whether they still do.

        Nobody looks after what was done: that goes on standing for the rest of its day.
        """
        self._standing |= {one.kind: one for one in standing}
        done = self._standing.get(Reason.CONFIGURATION_CHANGED)
        if done is not None:
            passed = max(0.0, (self._clock.ms() - done.since_ms) / 1000)
            self._stand(done.kind, max(0.0, DONE_S - passed))

    def sound(self, kind: Alarm, *details: Detail) -> None:
        """Say that something is wrong now, and how it shows."""
        self._still_since.pop(kind, None)
        known = self._standing.get(kind)
        if known is not None:
            self._standing[kind] = Standing(kind, known.since_ms, details)
            return
        self._be_patient(kind)
        self._standing[kind] = Standing(kind, self._clock.ms(), details)
        self._tell(Edge(True, self._standing[kind]))

    def still(self, kind: Alarm) -> None:
        """Say that this is not wrong now."""
        if kind in self._standing and kind not in self._still_since:
            self._still_since[kind] = asyncio.get_running_loop().time()
            self._changed.set()

    def changed(self, how: Detail) -> None:
        """Say that the configuration was changed, and how."""
        kind = Reason.CONFIGURATION_CHANGED
        self._standing[kind] = Standing(kind, self._clock.ms(), (how,))
        self._stand(kind, DONE_S)
        self._tell(Edge(True, self._standing[kind]))

    async def run(self) -> None:
        """Write what began and what is over, until cancelled; what the journal fails to take is written later."""
        while True:
            self._changed.clear()
            self._end_what_is_over()
            while self._edges:
                edge = self._edges[0]
                await self._journal.do(Ledger.alarm, edge.alarm, began=edge.began)
                self._edges.popleft()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._next_look()):
                    await self._changed.wait()

    def _stand(self, kind: Reason, seconds: float) -> None:
        """Let an alarm be over after so many seconds, whatever is said of it."""
        self._patience[kind] = Patience(seconds)
        self._still_since[kind] = asyncio.get_running_loop().time()

    def _be_patient(self, kind: Reason) -> None:
        patience, now = self._patience.setdefault(kind, Patience()), asyncio.get_running_loop().time()
        if patience.over_at is None or now - patience.over_at > FORGIVEN_S:
            patience.still_s = FIRST_STILL_S
        else:
            patience.still_s = min(patience.still_s * 2, LONGEST_STILL_S)

    def _end_what_is_over(self) -> None:
        now = asyncio.get_running_loop().time()
        for kind, since in list(self._still_since.items()):
            patience = self._patience.setdefault(kind, Patience())
            if now - since >= patience.still_s:
                patience.over_at = now
                del self._still_since[kind]
                self._tell(Edge(False, self._standing.pop(kind)))

    def _next_look(self) -> float | None:
        now = asyncio.get_running_loop().time()
        ends = [since + self._patience.get(kind, Patience()).still_s for kind, since in self._still_since.items()]
        return max(0.0, min(ends) - now) + 0.01 if ends else None

    def _tell(self, edge: Edge) -> None:
        word, detail = edge.alarm.kind.word, edge.alarm.detail
        if edge.began:
            log.warning("alarm %s: %s", word, detail)
        else:
            log.info("alarm %s is over: %s", word, detail)
        self._edges.append(edge)
        self._changed.set()
