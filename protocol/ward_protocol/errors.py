"""What can go wrong with a statement, split by who is at fault."""

from __future__ import annotations

from ward_protocol.reasons import Reason


class ProtocolError(Exception):
    """Base of this package's errors."""


class MisuseError(ProtocolError):
    """We asked for something that cannot be said: a value out of its range, a signer of the wrong kind."""


class StatementError(ProtocolError):
    """The peer sent something that is not acceptable; `reason` says which rule, `detail` where."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason.word}: {detail}")
        self.reason = reason
        self.detail = detail


class EnvelopeError(StatementError):
    """The bytes are not a well-formed signed envelope."""
