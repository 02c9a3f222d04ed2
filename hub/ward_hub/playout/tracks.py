"""What is measured of a zone while an airing is on, until it goes into the receipt."""

from __future__ import annotations

from dataclasses import dataclass

from ward_protocol.statements import ZoneEvidence


@dataclass(slots=True)
class ZoneTrack:
    """What is measured of one zone during one airing; moments are Unix milliseconds, 0 for never.

    `heard_ms` stays None where the amplifier has no input for its line level; `measured_at` is the driver's clock at
    the reading up to which it was counted; `cause` says why it did not carry the airing, where that is known.
    """

    zone: str
    closed_ms: int = 0
    opened_ms: int = 0
    confirmed: bool = False
    heard_ms: int | None = None
    measured_at: float = 0.0
    cause: str = ""

    def evidence(self) -> ZoneEvidence:
        """Return what goes into the receipt."""
        return ZoneEvidence(self.zone, self.closed_ms, self.opened_ms, self.confirmed, self.heard_ms)
