"""CAP 1.2 and 1.1 alerts: XML to frozen values, and what we suggest to air of them."""

from __future__ import annotations

from ward_protocol.cap.airing import SUGGESTED, CapText, cap_texts, suggested_priority
from ward_protocol.cap.model import (
    Alert,
    AlertStatus,
    Area,
    Circle,
    Info,
    MessageType,
    Named,
    Reference,
    Resource,
    ResponseType,
    Scope,
)
from ward_protocol.cap.reader import MAX_SIZE, CapError, parse
from ward_protocol.cap.words import cap_words

__all__ = [
    "MAX_SIZE",
    "SUGGESTED",
    "Alert",
    "AlertStatus",
    "Area",
    "CapError",
    "CapText",
    "Circle",
    "Info",
    "MessageType",
    "Named",
    "Reference",
    "Resource",
    "ResponseType",
    "Scope",
    "cap_texts",
    "cap_words",
    "parse",
    "suggested_priority",
]
