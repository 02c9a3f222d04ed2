"""From accepted bulletins to what airs now: a pure function of the bulletins and the time.

Rules of air so far: an emergency airs at once and pre-empts all but an emergency; a priority bulletin goes before a
normal one; equals air in the order of their time, then of their sequence. What has expired is not begun.

What is Actual goes before every drill, whatever the priorities, and no drill cuts it short: residents miss nothing for
an exercise. An emergency drill cuts short drills that are none; an Actual emergency cuts short every drill.

While nothing says what time it is, only an Actual emergency airs, and once; its own time of issue is said with it.
Ref: Circular 39/2020/TT-BTTTT for the three priorities.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ward_hub.streams import Ordered
from ward_protocol.statements import Bulletin, Priority, TimeTrust


@dataclass(frozen=True, slots=True)
class Candidate:
    """An accepted bulletin that has not ended; `ready` once all that it needs to sound is on this hub.

    `held` while an order closes all outputs to it; of equals the one with the higher `rank` goes first, as decided.
    With a `stream` it sounds as that, in place of text and recording.
    """

    digest: bytes
    bulletin: Bulletin
    ready: bool = True
    attempts: int = 0
    held: bool = False
    rank: int = 0
    stream: Ordered | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to air next, what has lapsed, and when to look again (Unix seconds; None: when something changes)."""

    next: Candidate | None
    lapsed: tuple[Candidate, ...]
    look_again: float | None


def plan(candidates: Iterable[Candidate], now: float, trust: TimeTrust) -> Plan:
    """Return the plan at `now`, Unix seconds that are to be trusted so far."""
    held = sorted(candidates, key=_order)
    live = [one for one in held if one.bulletin.expires > now]
    lapsed = tuple(one for one in held if one.bulletin.expires <= now)
    due = [one for one in live if _is_due(one, now, trust)]
    moments = [float(one.bulletin.expires) for one in live]
    moments += [float(one.bulletin.not_before) for one in live if one.bulletin.not_before > now]
    return Plan(due[0] if due else None, lapsed, min(moments, default=None))


def preempts(one: Candidate, other: Candidate) -> bool:
    """Say whether `one` cuts `other` short while it is on air."""
    return _at_once(one) and _class(one) < _class(other)


def waits_for_the_clock(one: Candidate, trust: TimeTrust) -> bool:
    """Say whether a bulletin may not begin because nothing says what time it is."""
    return trust is TimeTrust.NONE and (one.attempts > 0 or not _at_once(one) or one.bulletin.is_drill)


def is_early(one: Candidate, now: float, trust: TimeTrust) -> bool:
    """Say whether the time of a bulletin has not come at `now`, Unix seconds that are to be trusted so far."""
    # A clock that may be months behind cannot say that the time of an emergency has not come.
    latest = max(now, one.bulletin.issued) if trust is TimeTrust.NONE else now
    return one.bulletin.not_before > latest


def _is_due(one: Candidate, now: float, trust: TimeTrust) -> bool:
    if waits_for_the_clock(one, trust) or is_early(one, now, trust):
        return False
    return not one.held and (one.ready or _at_once(one))


def _at_once(one: Candidate) -> bool:
    return one.bulletin.priority is Priority.EMERGENCY


def _class(one: Candidate) -> tuple[bool, bool]:
    """What is real before drills, then emergencies before the rest."""
    return one.bulletin.is_drill, not _at_once(one)


def _order(one: Candidate) -> tuple[tuple[bool, bool], int, int, int, str, int]:
    bulletin = one.bulletin
    return (_class(one), -bulletin.priority, -one.rank, bulletin.not_before, bulletin.issuer, bulletin.sequence)
