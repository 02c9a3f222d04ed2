"""What is said of an emergency that airs while the hub does not know what time it is: when it was issued, how late."""

from __future__ import annotations

from datetime import timedelta, timezone

from ward_hub.i18n import translator
from ward_hub.moments import moment
from ward_protocol.statements import Bulletin, TimeTrust

VIETNAM = timezone(timedelta(hours=7))  # since 1975, with no summer time


def issue_notices(bulletin: Bulletin, trust: TimeTrust, language: str) -> tuple[str, ...]:
    """Return the sentences to be spoken with a bulletin that begins under that trust: none where the time is known."""
    return (issue_notice(bulletin.issued, language),) if trust is TimeTrust.NONE else ()


def issue_notice(issued: int, language: str) -> str:
    """Return when something was issued (Unix seconds), in Vietnam's time, as a sentence of words and plain numbers."""
    at = moment(issued).astimezone(VIETNAM)
    _ = translator(language)
    return _(
        "This message was issued at %(hour)d hours %(minute)d minutes, day %(day)d month %(month)d year %(year)d."
    ) % {"hour": at.hour, "minute": at.minute, "day": at.day, "month": at.month, "year": at.year}


def lateness(bulletin: Bulletin, began: float, trust: TimeTrust) -> str:
    """Return how late an airing began (Unix seconds) that began under that trust; empty where the time is known."""
    if trust is not TimeTrust.NONE:
        return ""
    late = int(began) - bulletin.issued
    when = f"aired {late} s after issue" if late >= 0 else f"aired {-late} s before its issue"
    return f"{when} by this hub's clock, whose trust is none"
