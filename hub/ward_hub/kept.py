"""What the journal kept of an accepted statement, after a restart: as it was accepted, or not at all.

SQLite finds out where a page has lost its form, not where a card that wears out changed a word in it; the id does. And
a hub that was updated, or put back, may find a form that it does not know. Neither may keep it from all the rest.
"""

from __future__ import annotations

from ward_hub.journal import Entry
from ward_protocol.envelope import Envelope
from ward_protocol.errors import StatementError
from ward_protocol.reasons import Reason
from ward_protocol.statements import Bulletin, Cancel, Order


def as_accepted(entry: Entry) -> Bulletin | Cancel | Order:
    """Return what was accepted; raises StatementError(MALFORMED_STATEMENT) where the journal holds something else."""
    try:
        envelope = Envelope.open(entry.data)
    except StatementError as error:
        raise StatementError(
            Reason.MALFORMED_STATEMENT, f"what the journal holds of it cannot be read: {error}"
        ) from error
    if envelope.digest != entry.digest or not isinstance(envelope.statement, (Bulletin, Cancel, Order)):
        raise StatementError(
            Reason.MALFORMED_STATEMENT, f"the journal holds {envelope.digest.hex()[:16]} in its place: see the card"
        )
    return envelope.statement
