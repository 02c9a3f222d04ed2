"""Statements that come after what their own issuer issued later: each action against what it had ended before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.intakes import bulletin, signed
from tests.journals import journal
from tests.statements import AREA, MINIMAL, ORDER, STREAM

from ward_hub.journal import State
from ward_hub.overtaken import overtaken
from ward_protocol.reasons import Reason
from ward_protocol.statements import Action, Audience, Issued, Order, Priority, Status

NORMAL, PRIORITY, EMERGENCY = Priority
ITS_ID, ANOTHER = b"\x01" * 32, b"\x02" * 32
ONE_ZONE = Audience((AREA,), zones=("zone-1",))


def order(action: Action, priority: Priority = PRIORITY, **changes: object) -> Order:
    fields: dict[str, object] = {"action": action, "priority": priority, "targets": (), "sequence": 9, **changes}
    return replace(ORDER, **fields)  # type: ignore[arg-type]


def stream(priority: Priority = PRIORITY, **changes: object) -> Order:
    return order(Action.STREAM_START, priority, stream=STREAM, status=Status.ACTUAL, sequence=1, **changes)


def settings(**names: str) -> dict[str, str]:
    return {f"hub.{name}": value for name, value in names.items()}


PURGED, STOPPED = (State.NOT_AIRED, Reason.PURGED), (State.NOT_AIRED, Reason.STOPPED)
OVER = (State.REFUSED, Reason.SUPERSEDED)


@pytest.mark.parametrize(
    ("late", "later", "ends"),
    [
        (MINIMAL, order(Action.PURGE), PURGED),
        (bulletin(priority=EMERGENCY), order(Action.PURGE), None),
        (MINIMAL, order(Action.PURGE, targets=(ITS_ID, ANOTHER)), PURGED),
        (MINIMAL, order(Action.PURGE, targets=(ANOTHER,)), None),
        (MINIMAL, order(Action.STOP), None),  # it ends what is on air at its moment
        (MINIMAL, order(Action.STREAM_STOP), None),
        (MINIMAL, order(Action.SILENCE), None),
        (stream(), order(Action.PURGE), PURGED),
        (stream(), order(Action.STREAM_STOP), STOPPED),
        (stream(EMERGENCY), order(Action.STREAM_STOP), None),
        (stream(), order(Action.STREAM_STOP, targets=(ANOTHER,)), None),
        (stream(), order(Action.STREAM_STOP, audience=ONE_ZONE), None),
        (stream(audience=ONE_ZONE), order(Action.STREAM_STOP, audience=ONE_ZONE), STOPPED),
        (order(Action.SILENCE), order(Action.RESUME), OVER),
        (order(Action.BLANK), order(Action.RESUME), OVER),
        (order(Action.BLANK, EMERGENCY), order(Action.RESUME), None),
        (order(Action.STOP), order(Action.RESUME), None),
        (order(Action.PURGE), order(Action.PURGE), None),
        (
            order(Action.CONFIGURATION, settings=settings(name="a", language="vi")),
            order(Action.CONFIGURATION, NORMAL, settings=settings(name="b")),
            OVER,
        ),
        (
            order(Action.CONFIGURATION, settings=settings(name="a")),
            order(Action.CONFIGURATION, settings=settings(language="en")),
            None,
        ),
    ],
)
def test_what_was_ended_before_it_came(late: Issued, later: Order, ends: tuple[State, Reason] | None) -> None:
    found = overtaken(ITS_ID, late, [b"of another version", signed(order(Action.CLEAR)), signed(later)])
    assert (None if found is None else (found.state, found.reason)) == ends
    assert found is None or found.detail.startswith("order 9 of ward, which came before it, ")


def test_the_journal_knows_what_followed_on_a_gap(tmp_path: Path) -> None:
    seen: list[list[bytes]] = []

    def see(later: Iterable[bytes]) -> None:
        seen.append([*later])

    def accept(number: int, issuer: str = "ward", end: State | None = State.CARRIED_OUT, *, airs: bool = False) -> None:
        digest, data = bytes([number]) * 32, bytes([number])
        ledger.accept(issuer, number, digest, data, bulletin=airs, overtaken=see)
        if end is not None:
            ledger.end(digest, end)

    with journal(tmp_path) as opened:
        ledger = opened.ledger
        accept(1)
        accept(7)
        accept(4, airs=True)
        accept(5, end=None)  # its turn comes
        accept(6, end=State.REFUSED)
        accept(8, "office")
        accept(3)
        accept(2)
    assert seen[-2:] == [[b"\x05", b"\x07"], [b"\x03", b"\x05", b"\x07"]]
    assert seen[:2] == [[], []]
