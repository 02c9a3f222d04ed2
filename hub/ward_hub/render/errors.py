"""What can go wrong when text becomes pixels."""

from __future__ import annotations

from ward_hub.errors import HubError


class RenderError(HubError):
    """The text, the size or the board does not allow a legible picture; the message says what to change."""
