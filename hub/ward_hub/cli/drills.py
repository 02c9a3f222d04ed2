"""How commands say that a bulletin is a drill, so that nobody takes it for real, nor what is real for a drill."""

from __future__ import annotations

from ward_hub.i18n import translator
from ward_protocol.statements import Status


def mark(status: str, language: str) -> str:
    """Return what stands before the title of a bulletin of that CAP status; nothing before one that is Actual."""
    _ = translator(language)
    if status == Status.TEST:
        return _("[TEST] ")
    if status == Status.EXERCISE:
        return _("[EXERCISE] ")
    return ""


def warning(status: str, language: str) -> list[str]:
    """Return the line that says of a drill that it is none of the real ones; none for what is Actual."""
    _ = translator(language)
    if status == Status.TEST:
        return [_("This is a TEST: it is shown and announced as one.")]
    if status == Status.EXERCISE:
        return [_("This is an EXERCISE: it is shown and announced as one.")]
    return []
