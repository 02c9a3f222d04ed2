"""The CAP words that a bulletin carries, taken from an alert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ward_protocol.cap.model import MessageType, Scope
from ward_protocol.cap.reader import CapError
from ward_protocol.statements.bulletin import Cap
from ward_protocol.statements.words import MsgType

if TYPE_CHECKING:
    from ward_protocol.cap.model import Alert

MAX_REFERENCES = 1000  # characters, as the statement holds


def cap_words(alert: Alert) -> Cap:
    """Return the words of the alert and of its first info; raises CapError where there is nothing to air to the public.

    Of more references than a bulletin can carry, the last to be sent are kept.
    """
    if alert.scope is not Scope.PUBLIC:
        raise CapError("alert/scope", f"is {alert.scope}; only what is Public is aired")
    if not alert.info:
        raise CapError("alert/info", "is missing, so there is nothing to air")
    if alert.msg_type not in {MessageType.ALERT, MessageType.UPDATE}:
        raise CapError("alert/msgType", f"is {alert.msg_type}; only alerts and updates are aired")
    info = alert.info[0]
    return Cap(
        identifier=alert.identifier,
        sender=alert.sender,
        msg_type=MsgType(alert.msg_type),
        category=info.category[0],
        event=info.event,
        urgency=info.urgency,
        severity=info.severity,
        certainty=info.certainty,
        references=_references(alert),
    )


def _references(alert: Alert) -> str:
    """The references in the alert's order, without the oldest ones where they are more than fit."""
    room = MAX_REFERENCES
    names = [f"{one.sender},{one.identifier},{one.sent.isoformat()}" for one in alert.references]
    kept: set[int] = set()
    for index in sorted(range(len(names)), key=lambda index: alert.references[index].sent, reverse=True):
        room -= len(names[index]) + (1 if kept else 0)
        if room < 0:
            break
        kept.add(index)
    return " ".join(name for index, name in enumerate(names) if index in kept)
