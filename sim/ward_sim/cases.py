"""The bulletins of the story: what was published, what must come of it, and whether receipts and witness agree."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from ward_protocol.envelope import Envelope
from ward_protocol.reasons import Reason
from ward_protocol.statements import Bulletin, Event, Evidence, Receipt
from ward_sim.page.snapshot import Airing, BulletinState
from ward_sim.terminal import TableRow
from ward_sim.witness import Witness
from ward_sim.words import Language, drill_mark, say, say_one

OUTCOMES = {Event.AIRED: "aired", Event.PARTLY: "partly", Event.NOT_AIRED: "not aired", Event.REFUSED: "refused"}
CLOSED_SHARE = 0.9
HEARD_SHARE = 0.8
SLACK_MS = 1500  # one comparison of a board's digest, and one poll of a line level
BEHIND_MS = 2000  # a hub's time is never ahead; it stands on beats, which show whole seconds and are a while on the way


@dataclass(slots=True)
class Case:
    """One envelope and its fate. `expected` is AIRED or REFUSED; `reason` why, if refused; `place` for a replay."""

    name: str
    envelope: Envelope
    published_ms: int
    expected: Event
    reason: Reason | None = None
    place: str = ""
    receipts: list[Receipt] = field(default_factory=list[Receipt])

    @property
    def bulletin(self) -> Bulletin:
        """What it says."""
        if not isinstance(self.envelope.statement, Bulletin):
            raise TypeError(f"{self.name} is no bulletin")
        return self.envelope.statement

    def last(self, *events: Event) -> Receipt | None:
        """Return the newest receipt of one of `events`."""
        return next((one for one in reversed(self.receipts) if one.event in events), None)

    @property
    def ended(self) -> Receipt | None:
        """The receipt that says how it ended."""
        if self.expected is Event.REFUSED:
            return self.last(Event.REFUSED)
        return self.last(Event.AIRED, Event.PARTLY, Event.NOT_AIRED, Event.REFUSED)

    def claims(self, receipt: Receipt) -> bool:
        """Say whether a receipt is about this case; the same bytes in a second place are a case of their own."""
        # Of bytes that no known key has signed a receipt names the SHA-256, not an id that nobody vouches for.
        if receipt.statement not in {self.envelope.digest, hashlib.sha256(self.envelope.data).digest()}:
            return False
        return not self.place or receipt.detail.startswith(self.place)

    def problems(self, witness: Witness) -> list[str]:
        """Return what is not as it must be, in words; empty when the receipt and the witness agree."""
        ended = self.ended
        if ended is None:
            return ["no receipt"]
        if ended.event is not self.expected:
            return [f"{OUTCOMES.get(ended.event, ended.event.name)}: {ended.detail}"]
        if self.expected is Event.REFUSED:
            return [] if ended.reason is self.reason else [f"refused for {ended.reason}, not for {self.reason}"]
        return list(disagreements(ended.evidence, witness)) if ended.evidence else ["no evidence"]


def disagreements(evidence: Evidence, witness: Witness) -> Iterable[str]:
    """Return where the evidence of a receipt is not what the witness saw."""
    for zone in evidence.zones:
        lasted, until_ms = zone.opened_ms - zone.closed_ms, zone.opened_ms + BEHIND_MS
        if witness.closed_ms(zone.zone, zone.closed_ms, until_ms) < CLOSED_SHARE * lasted:
            yield f"{zone.zone}: its relay was not closed as the receipt says"
        heard = witness.heard_ms(zone.zone, zone.closed_ms, until_ms)
        if not HEARD_SHARE * heard - SLACK_MS <= (zone.heard_ms or 0) <= heard / HEARD_SHARE + SLACK_MS:
            yield f"{zone.zone}: receipt says {zone.heard_ms} ms heard, it was {heard} ms"
    for board in evidence.boards:
        if not witness.showed(board.board, board.digest, board.shown_ms - SLACK_MS, board.ended_ms + BEHIND_MS):
            yield f"{board.board}: the picture of the receipt was never lit"


def row(case: Case, zero_ms: int, problems: list[str], language: Language = "vi") -> TableRow:
    """Return the case's line of the closing table; times are seconds since `zero_ms`."""
    shown = state(case, zero_ms)
    decision = say_one("decision", shown["decision"], language)
    if shown["reason"]:
        decision += f"\n{shown['reason']}"
    evidence = case.ended.evidence if case.ended else None
    proofs = [*_evidence_lines(evidence, language), *(f"✗ {one}" for one in problems)]
    return TableRow(
        bulletin=f"{case.name}\n{drill_mark(case.bulletin.status, language)}{case.bulletin.title}",
        decision=decision,
        aired="\n".join(_aired_lines(evidence, zero_ms)) or "–",
        evidence="\n".join(proofs) or "–",
        receipt="✓" if shown["receipt"] else "✗",
    )


def state(case: Case, zero_ms: int) -> BulletinState:
    """Return the case as the page draws it."""
    ended = case.ended
    evidence = ended.evidence if ended else None
    refused = ended is not None and ended.event is Event.REFUSED
    outcome = OUTCOMES[ended.event] if ended else None
    return {
        "digest": case.envelope.digest.hex(),
        "title": case.bulletin.title,
        "status": case.bulletin.status.value,
        "priority": case.bulletin.priority.name.lower(),
        "decision": "refused" if refused else "accepted" if case.last(Event.ACCEPTED) else "pending",
        "reason": ended.reason.word if ended and ended.reason else None,
        "aired": list(_airings(evidence, zero_ms)),
        "outcome": outcome,  # type: ignore[typeddict-item]
        "receipt": ended is not None,
    }


def _airings(evidence: Evidence | None, zero_ms: int) -> Iterable[Airing]:
    if evidence is None:
        return
    for zone in evidence.zones:
        yield {"outlet": zone.zone, "from": (zone.closed_ms - zero_ms) / 1000, "to": (zone.opened_ms - zero_ms) / 1000}
    for board in evidence.boards:
        span = (board.shown_ms - zero_ms) / 1000, (board.ended_ms - zero_ms) / 1000
        yield {"outlet": board.board, "from": span[0], "to": span[1]}


def _aired_lines(evidence: Evidence | None, zero_ms: int) -> list[str]:
    """Return outlets that were on at the same times together, e.g. `zone-1…4 12.3–30.1 s`."""
    groups: dict[tuple[str, str], list[str]] = {}
    for airing in _airings(evidence, zero_ms):
        span = f"{airing['from']:.1f}", f"{airing['to'] or 0:.1f}"
        groups.setdefault(span, []).append(airing["outlet"])
    return [f"{', '.join(outlets)}: {begin}–{end} s" for (begin, end), outlets in groups.items()]


def _evidence_lines(evidence: Evidence | None, language: Language) -> list[str]:
    if evidence is None:
        return []
    lines: list[str] = []
    if evidence.zones:
        heard = [(zone.heard_ms or 0) / 1000 for zone in evidence.zones]
        played, requested = f"{evidence.played_ms / 1000:.1f}", f"{evidence.requested_ms / 1000:.1f}"
        lines += [
            say("table.relays", language, n=sum(zone.confirmed for zone in evidence.zones), all=len(heard)),
            say("table.heard", language, low=f"{min(heard):.1f}", high=f"{max(heard):.1f}"),
            say("table.played", language, played=played, requested=requested),
        ]
    lines += [
        say("table.frames", language, board=one.board, agreed=one.agreed, compared=one.compared)
        for one in evidence.boards
    ]
    if evidence.attempts > 1:
        lines.append(say("table.attempt", language, n=evidence.attempts))
    return lines
