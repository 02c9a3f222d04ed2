"""The CAP words that a bulletin carries, taken from an alert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ward_protocol.cap.model import MessageType
from ward_protocol.cap.reader import CapError
from ward_protocol.statements.bulletin import Cap
from ward_protocol.statements.words import MsgType

if TYPE_CHECKING:
    from ward_protocol.cap.model import Alert


def cap_words(alert: Alert) -> Cap:
    """Return the words of the alert and of its first info; raises CapError where there is nothing to air."""
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
        references=" ".join(f"{one.sender},{one.identifier},{one.sent.isoformat()}" for one in alert.references),
    )
