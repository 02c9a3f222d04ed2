"""What its own issuer had ended before it came: after an outage the newest is fetched first, so this is how it comes.

An issuer's statements have an order, their sequences. Where a hub takes a later one first, the result must be that of
a hub which took them in turn: what was purged does not air then, what was resumed is not silenced for good, and an
older setting does not undo a newer one. Between issuers there is no such order, and nothing of this holds. Pure.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

from ward_hub.holds import order_name
from ward_hub.journal import State, Withdrawal
from ward_protocol.envelope import Envelope
from ward_protocol.errors import StatementError
from ward_protocol.reasons import Reason
from ward_protocol.statements import Action, Audience, Bulletin, Issued, Order


def overtaken(digest: bytes, statement: Issued, later: Iterable[bytes]) -> Withdrawal | None:
    """Return how the statement of that digest ends at once, None where it does not.

    `later` are envelopes of orders of the same issuer with higher sequences that were accepted before it.
    """
    for order in _orders(later):
        if (why := _ended(digest, statement, order)) is not None:
            state, reason, did = why
            name = order_name(order.issuer, order.sequence)
            return Withdrawal(digest, state, reason, f"{name}, which came before it, {did}")
    return None


def lies_within(audience: Audience, order: Audience) -> bool:
    """Say whether what an order to stop streams is narrowed to, if it is, holds all outlets of an airing."""
    for wanted, named in ((order.zones, audience.zones), (order.boards, audience.boards)):
        if wanted and not (named and set(named) <= set(wanted)):
            return False
    return True


def _orders(kept: Iterable[bytes]) -> Iterator[Order]:
    for data in kept:
        with contextlib.suppress(StatementError):  # of one that another version kept nobody knows what it ended
            order = Envelope.open(data).statement
            if isinstance(order, Order):
                yield order


def _ended(digest: bytes, statement: Issued, order: Order) -> tuple[State, Reason, str] | None:
    airs = isinstance(statement, Bulletin) or (isinstance(statement, Order) and statement.stream is not None)
    if airs and order.action in {Action.PURGE, Action.STREAM_STOP}:
        return _unaired(digest, statement, order)
    if not isinstance(statement, Order):
        return None
    match statement.action, order.action:
        case ((Action.SILENCE | Action.BLANK), Action.RESUME) if statement.priority <= order.priority:
            return State.REFUSED, Reason.SUPERSEDED, "had it resumed"
        case Action.CONFIGURATION, Action.CONFIGURATION:
            again = sorted({*(statement.settings or ())} & {*(order.settings or ())})
            return (State.REFUSED, Reason.SUPERSEDED, f"set {', '.join(again)}") if again else None
        case _:
            return None


def _unaired(digest: bytes, statement: Issued, order: Order) -> tuple[State, Reason, str] | None:
    assert isinstance(statement, (Bulletin, Order))  # noqa: S101 - it airs
    if statement.priority > order.priority or (order.targets and digest not in order.targets):
        return None
    if order.action is Action.PURGE:
        return State.NOT_AIRED, Reason.PURGED, "had it purged"
    if isinstance(statement, Order) and lies_within(statement.audience, order.audience):
        return State.NOT_AIRED, Reason.STOPPED, "had it stopped"
    return None
