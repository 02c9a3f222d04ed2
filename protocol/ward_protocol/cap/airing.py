"""What to air of an alert: its texts by language, and a priority to suggest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ward_protocol.statements.words import Priority, Severity, Urgency

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ward_protocol.cap.model import Alert, Info

# Our own mapping, offered to whoever imports an alert; no rule of CAP or of any authority. What is not listed is
# NORMAL. The person who signs the bulletin decides its priority, and the issuer's grant limits it.
SUGGESTED: Mapping[tuple[Urgency, Severity], Priority] = {
    (Urgency.IMMEDIATE, Severity.EXTREME): Priority.EMERGENCY,
    (Urgency.IMMEDIATE, Severity.SEVERE): Priority.EMERGENCY,
    (Urgency.EXPECTED, Severity.EXTREME): Priority.EMERGENCY,
    (Urgency.IMMEDIATE, Severity.MODERATE): Priority.PRIORITY,
    (Urgency.EXPECTED, Severity.SEVERE): Priority.PRIORITY,
    (Urgency.EXPECTED, Severity.MODERATE): Priority.PRIORITY,
    (Urgency.FUTURE, Severity.EXTREME): Priority.PRIORITY,
    (Urgency.FUTURE, Severity.SEVERE): Priority.PRIORITY,
}
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class CapText:
    """What to show and speak in one language."""

    language: str
    title: str
    body: str


def cap_texts(alert: Alert) -> dict[str, CapText]:
    """Title and body by language tag, in the alert's order; of several infos in one language the most pressing.

    The title is the headline, else the event; the body description, then instruction, each on a line of its own with
    white space run together (XML is often indented). A body may be empty.
    """
    chosen: dict[str, Info] = {}
    for info in alert.info:
        held = chosen.get(info.language)
        if held is None or _suggested(info) > _suggested(held):
            chosen[info.language] = info
    return {language: _text(info) for language, info in chosen.items()}


def suggested_priority(alert: Alert) -> Priority:
    """The highest priority that SUGGESTED gives any of the alert's infos; NORMAL without infos."""
    return max((_suggested(info) for info in alert.info), default=Priority.NORMAL)


def _suggested(info: Info) -> Priority:
    return SUGGESTED.get((info.urgency, info.severity), Priority.NORMAL)


def _text(info: Info) -> CapText:
    paragraphs = [_plain(each) for each in (info.description, info.instruction) if each]
    return CapText(info.language, _plain(info.headline or info.event), "\n".join(paragraphs))


def _plain(text: str) -> str:
    return _SPACES.sub(" ", text).strip()
