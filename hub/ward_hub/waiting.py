"""Why what is accepted does not air yet, and what is silenced or blanked: for whoever looks at the queue."""

from __future__ import annotations

from collections.abc import Sequence

from ward_hub.clock import Known
from ward_hub.holds import Hold
from ward_hub.moments import moment
from ward_hub.programme import Candidate, is_early, waits_for_the_clock
from ward_protocol.statements import Priority


def waiting(one: Candidate, holds: Sequence[Hold], time: Known, *, shut_out: bool, on_air: bool) -> dict[str, object]:
    """Return what a bulletin waits for, and the holds that reach it.

    It waits for its `time`, for a `clock` that knows the time at all, for the end of a `hold`, for its `recording`;
    else for its `turn`. `holds` are those that reach it; where they leave it something (`shut_out` is false) it airs
    on that.
    """
    waits: list[str] = []
    if waits_for_the_clock(one, time.trust):
        waits.append("clock")
    elif is_early(one, time.now, time.trust):
        waits.append("time")
    if shut_out:
        waits.append("hold")
    if not one.ready and one.bulletin.priority is not Priority.EMERGENCY:
        waits.append("recording")
    return {"waits": [] if on_air else waits or ["turn"], "held_by": [held(hold) for hold in holds]}


def held(one: Hold) -> dict[str, object]:
    """Return a hold as JSON has it: `outlets` is empty for all, `order` is absent of one at the hub itself."""
    by = {} if one.here else {"order": one.sequence, "issuer": one.issuer}
    return {
        "what": one.what.value,
        "outlets": list(one.outlets),
        **by,
        "since": _moment(one.since),
        "until": _moment(one.until) if one.until else None,
    }


def _moment(seconds: int) -> str:
    return moment(seconds).isoformat()
