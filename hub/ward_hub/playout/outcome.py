"""What came of an airing, from its evidence alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ward_hub.journal import State
from ward_protocol.reasons import Reason
from ward_protocol.statements import BoardEvidence, Evidence, ZoneEvidence

HEARD_SHARE = 0.5
NONE_KNOWN: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an airing ended: the state it leaves the bulletin in, why if not wholly aired, and what was measured.

    `remark` is told whatever the ending: what came of a live stream.
    """

    state: State
    reason: Reason | None
    detail: str
    evidence: Evidence
    remark: str = ""

    def told(self, why: str) -> str:
        """Return why it ended, with the remark behind it."""
        return "; ".join(one for one in (why, self.remark) if one)


def judge(
    evidence: Evidence, trouble: tuple[Reason, str] | None = None, causes: Mapping[str, str] = NONE_KNOWN
) -> Outcome:
    """Say aired, partly or not aired. `trouble` is what the sound's source complained of, if anything.

    `causes` says of zones that failed why, where that is known.

    A zone carried the bulletin when its relay was confirmed throughout and sound was measured behind it for at least
    half of the requested time; where its amplifier cannot measure that, when so much was played, and it was closed for
    so long. A board carried it when it was compared and always agreed.
    """
    failures = [
        (failure[0], _because(failure[1], causes.get(zone.zone, "")))
        for zone in evidence.zones
        if (failure := _zone_failure(zone, evidence))
    ]
    failures += [failure for board in evidence.boards if (failure := _board_failure(board))]
    wanted = len(evidence.zones) + len(evidence.boards)
    if wanted == 0:
        return Outcome(State.NOT_AIRED, Reason.NO_OUTPUT, "no zone or board here is in its audience", evidence)
    if trouble is not None:
        failures.insert(0, trouble)
    if not failures:
        return Outcome(State.AIRED, None, "", evidence)
    carried = any(not _zone_failure(zone, evidence) for zone in evidence.zones)
    carried = carried or any(not _board_failure(board) for board in evidence.boards)
    detail = "; ".join(text for _, text in failures)
    return Outcome(State.PARTLY if carried else State.NOT_AIRED, failures[0][0], detail, evidence)


def _because(text: str, cause: str) -> str:
    return f"{text} ({cause})" if cause else text


def _zone_failure(zone: ZoneEvidence, evidence: Evidence) -> tuple[Reason, str] | None:
    if not zone.confirmed:
        return Reason.RELAY_UNCONFIRMED, f"zone {zone.zone}: relay not confirmed"
    requested_ms, least_ms = evidence.requested_ms, HEARD_SHARE * evidence.requested_ms
    if requested_ms == 0 or (zone.heard_ms is not None and zone.heard_ms < least_ms):
        return Reason.NOTHING_HEARD, f"zone {zone.zone}: heard {zone.heard_ms or 0} of {requested_ms} ms"
    if zone.heard_ms is not None:
        return None
    if evidence.played_ms < least_ms:
        return Reason.NOTHING_HEARD, f"zone {zone.zone}: {evidence.played_ms} of {requested_ms} ms were played"
    if 0 <= (closed_ms := zone.opened_ms - zone.closed_ms) < least_ms:  # below 0 where the clock was set back
        return Reason.NOTHING_HEARD, f"zone {zone.zone}: closed for {closed_ms} of {requested_ms} ms"
    return None


def _board_failure(board: BoardEvidence) -> tuple[Reason, str] | None:
    if board.compared == 0 or board.agreed < board.compared:
        return (
            Reason.BOARD_UNCONFIRMED,
            f"board {board.board}: agreed {board.agreed} times of {board.compared}",
        )
    return None
