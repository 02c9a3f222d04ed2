"""A live stream as an order puts it on air: its key unlocked for this hub, and what boards say while it sounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ward_hub.errors import StateError
from ward_hub.i18n import translator
from ward_protocol.channel import ChannelKey
from ward_protocol.errors import MisuseError, StatementError
from ward_protocol.reasons import Reason
from ward_protocol.statements import Bulletin, Order, Status, Stream, Text, unlock_master


@dataclass(frozen=True, slots=True)
class Ordered:
    """A stream that this hub may play: by which order (its digest), as which statement says it, and with which key."""

    order: bytes
    stream: Stream
    master: bytes = field(repr=False)


def unlocked(digest: bytes, order: Order, hub: str, own: Callable[[], ChannelKey]) -> Ordered:
    """Return the stream of an order to start one; `own` gives the key of this hub's end of its channel.

    Raises StatementError where the order holds no key that this hub can unlock.
    """
    assert order.stream is not None  # noqa: S101 - an order without one is malformed
    box = order.stream.keys.get(hub)
    if box is None:
        raise StatementError(Reason.STREAM_KEY_MISSING, f"the stream's key is locked for other hubs than {hub}")
    try:
        master = unlock_master(box, own(), issuer=order.issuer, sequence=order.sequence, hub=hub)
    except StateError as error:
        raise StatementError(Reason.STREAM_KEY_MISSING, f"this hub has no key of a channel: {error}") from error
    except MisuseError as error:
        why = f"the stream's key is not locked to the channel's key that hub {hub} has now, or for another order"
        raise StatementError(Reason.STREAM_KEY_MISSING, why) from error
    return Ordered(digest, order.stream, master)


def announced(order: Order, language: str) -> Bulletin:
    """Return the bulletin as which a stream airs: its order's audience, priority and status, and a text for boards."""
    _ = translator(language)
    text = Text(language, _("Live announcement"), _("Please listen to the loudspeakers."))
    return Bulletin(
        issuer=order.issuer,
        sequence=order.sequence,
        issued=order.issued,
        not_before=order.issued,
        expires=order.expires,
        audience=order.audience,
        priority=order.priority,
        status=order.status or Status.ACTUAL,
        texts=(text,),
    )
