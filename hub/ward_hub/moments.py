"""Unix seconds as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

LATEST = 253_370_764_800  # the beginning of the year 9999; statements may name later moments, and mean never


def moment(seconds: float) -> datetime:
    """Return the moment, UTC; a later one than Python can say as the year 9999."""
    return datetime.fromtimestamp(min(seconds, LATEST), UTC)
