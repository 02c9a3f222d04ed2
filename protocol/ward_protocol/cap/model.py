"""A CAP alert as values; every field keeps its CAP name, in snake case.

Ref: OASIS Common Alerting Protocol 1.2 (CAP-v1.2-os), section 3.2; CAP 1.1 (CAP-V1.1) differs in no field used here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from ward_protocol.statements.words import Category, Certainty, Severity, Urgency


class AlertStatus(StrEnum):
    """CAP status; a bulletin can be made of Actual, Exercise and Test only."""

    ACTUAL = "Actual"
    EXERCISE = "Exercise"
    SYSTEM = "System"
    TEST = "Test"
    DRAFT = "Draft"


class MessageType(StrEnum):
    """CAP msgType."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"
    ACK = "Ack"
    ERROR = "Error"


class Scope(StrEnum):
    """CAP scope."""

    PUBLIC = "Public"
    RESTRICTED = "Restricted"
    PRIVATE = "Private"


class ResponseType(StrEnum):
    """CAP responseType; Avoid and AllClear came with 1.2."""

    SHELTER = "Shelter"
    EVACUATE = "Evacuate"
    PREPARE = "Prepare"
    EXECUTE = "Execute"
    AVOID = "Avoid"
    MONITOR = "Monitor"
    ASSESS = "Assess"
    ALL_CLEAR = "AllClear"
    NONE = "None"


SINCE_1_2 = frozenset([ResponseType.AVOID, ResponseType.ALL_CLEAR])


@dataclass(frozen=True, slots=True)
class Named:
    """A valueName and value of eventCode, parameter or geocode."""

    value_name: str
    value: str


@dataclass(frozen=True, slots=True)
class Reference:
    """An earlier message, as named in references."""

    sender: str
    identifier: str
    sent: datetime


@dataclass(frozen=True, slots=True)
class Circle:
    """Centre in WGS 84 degrees, radius in kilometres."""

    latitude: float
    longitude: float
    radius: float


@dataclass(frozen=True, slots=True)
class Area:
    """Where: `polygon` are closed rings of (latitude, longitude), `altitude` and `ceiling` in feet above sea level."""

    area_desc: str
    polygon: tuple[tuple[tuple[float, float], ...], ...] = ()
    circle: tuple[Circle, ...] = ()
    geocode: tuple[Named, ...] = ()
    altitude: float | None = None
    ceiling: float | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """A file that goes with the alert; `deref_uri` holds it in base64, `digest` is its SHA-1 in hexadecimal."""

    resource_desc: str
    mime_type: str | None = None
    size: int | None = None
    uri: str | None = None
    deref_uri: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Info:
    """What happens, in one language."""

    category: tuple[Category, ...]
    event: str
    urgency: Urgency
    severity: Severity
    certainty: Certainty
    language: str = "en-US"  # Ref: CAP 1.2 §3.2.2: what an absent element means
    response_type: tuple[ResponseType, ...] = ()
    audience: str | None = None
    event_code: tuple[Named, ...] = ()
    effective: datetime | None = None
    onset: datetime | None = None
    expires: datetime | None = None
    sender_name: str | None = None
    headline: str | None = None
    description: str | None = None
    instruction: str | None = None
    web: str | None = None
    contact: str | None = None
    parameter: tuple[Named, ...] = ()
    resource: tuple[Resource, ...] = ()
    area: tuple[Area, ...] = ()


@dataclass(frozen=True, slots=True)
class Alert:
    """One CAP message; `version` is "1.1" or "1.2", all times carry their offset."""

    version: str
    identifier: str
    sender: str
    sent: datetime
    status: AlertStatus
    msg_type: MessageType
    scope: Scope
    source: str | None = None
    restriction: str | None = None
    addresses: str | None = None
    code: tuple[str, ...] = ()
    note: str | None = None
    references: tuple[Reference, ...] = ()
    incidents: str | None = None
    info: tuple[Info, ...] = ()
