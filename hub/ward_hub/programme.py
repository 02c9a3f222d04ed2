"""From accepted bulletins to what airs now: a pure function of the bulletins and the time.

Rules of air so far: an emergency airs at once and pre-empts all but an emergency; a priority bulletin goes before a
normal one; equals air in the order of their time, then of their sequence. What has expired is not begun.
Ref: Circular 39/2020/TT-BTTTT for the three priorities.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ward_protocol.statements import Bulletin, Priority


@dataclass(frozen=True, slots=True)
class Candidate:
    """An accepted bulletin that has not ended; `ready` once all that it needs to sound is on this hub.

    `held` while an order closes all outputs to it; of equals the one with the higher `rank` goes first, as decided.
    """

    digest: bytes
    bulletin: Bulletin
    ready: bool = True
    attempts: int = 0
    held: bool = False
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to air next, what has lapsed, and when to look again (Unix seconds; None: when something changes)."""

    next: Candidate | None
    lapsed: tuple[Candidate, ...]
    look_again: float | None


def plan(candidates: Iterable[Candidate], now: float) -> Plan:
    """Return the plan at `now`, Unix seconds."""
    held = sorted(candidates, key=_order)
    live = [one for one in held if one.bulletin.expires > now]
    lapsed = tuple(one for one in held if one.bulletin.expires <= now)
    due = [one for one in live if one.bulletin.not_before <= now and not one.held and (one.ready or _at_once(one))]
    moments = [float(one.bulletin.expires) for one in live]
    moments += [float(one.bulletin.not_before) for one in live if one.bulletin.not_before > now]
    return Plan(due[0] if due else None, lapsed, min(moments, default=None))


def preempts(one: Candidate, other: Candidate) -> bool:
    """Say whether `one` cuts `other` short while it is on air."""
    return _at_once(one) and not _at_once(other)


def _at_once(one: Candidate) -> bool:
    return one.bulletin.priority is Priority.EMERGENCY


def _order(one: Candidate) -> tuple[int, int, int, str, int]:
    bulletin = one.bulletin
    return (-bulletin.priority, -one.rank, bulletin.not_before, bulletin.issuer, bulletin.sequence)
