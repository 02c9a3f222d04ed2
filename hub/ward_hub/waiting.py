"""Why what is accepted does not air yet, and what is silenced or blanked: for whoever looks at the queue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from ward_hub.holds import Hold
from ward_hub.programme import Candidate
from ward_protocol.statements import Priority


def waiting(one: Candidate, holds: Sequence[Hold], now: float, *, shut_out: bool, on_air: bool) -> dict[str, object]:
    """Return what a bulletin waits for (`time`, `hold`, `recording`, else its `turn`), and the holds that reach it.

    `holds` are those that reach it; where they leave it something (`shut_out` is false) it airs on that.
    """
    waits: list[str] = []
    if one.bulletin.not_before > now:
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
    return datetime.fromtimestamp(seconds, UTC).isoformat()
