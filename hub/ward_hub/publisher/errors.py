"""What a publisher is refused."""

from __future__ import annotations

from ward_hub.errors import HubError


class CeremonyError(HubError):
    """A document that must not be signed as it stands; the message names what is wrong in it."""
