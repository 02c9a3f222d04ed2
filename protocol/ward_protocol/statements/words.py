"""The closed vocabularies of statements. CAP words keep their CAP 1.2 spelling.

Ref: OASIS CAP-v1.2 §3.2.1 (status, msgType), §3.2.2 (category, urgency, severity, certainty).
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Priority(IntEnum):
    """How a bulletin airs (Circular 39/2020/TT-BTTTT): when the ward chooses, with precedence, or at once."""

    NORMAL = 1
    PRIORITY = 2
    EMERGENCY = 3


class Status(StrEnum):
    """CAP status: what the bulletin is meant as."""

    ACTUAL = "Actual"
    EXERCISE = "Exercise"
    TEST = "Test"


class MsgType(StrEnum):
    """CAP msgType of what airs."""

    ALERT = "Alert"
    UPDATE = "Update"


class Category(StrEnum):
    """CAP category."""

    GEO = "Geo"
    MET = "Met"
    SAFETY = "Safety"
    SECURITY = "Security"
    RESCUE = "Rescue"
    FIRE = "Fire"
    HEALTH = "Health"
    ENV = "Env"
    TRANSPORT = "Transport"
    INFRA = "Infra"
    CBRNE = "CBRNE"
    OTHER = "Other"


class Urgency(StrEnum):
    """CAP urgency."""

    IMMEDIATE = "Immediate"
    EXPECTED = "Expected"
    FUTURE = "Future"
    PAST = "Past"
    UNKNOWN = "Unknown"


class Severity(StrEnum):
    """CAP severity."""

    EXTREME = "Extreme"
    SEVERE = "Severe"
    MODERATE = "Moderate"
    MINOR = "Minor"
    UNKNOWN = "Unknown"


class Certainty(StrEnum):
    """CAP certainty."""

    OBSERVED = "Observed"
    LIKELY = "Likely"
    POSSIBLE = "Possible"
    UNLIKELY = "Unlikely"
    UNKNOWN = "Unknown"


class Event(IntEnum):
    """What a receipt states."""

    RECEIVED = 1
    ACCEPTED = 2
    REFUSED = 3
    AIRED = 4
    PARTLY = 5
    NOT_AIRED = 6
    CANCELLED = 7
    ALARM = 8
    ALARM_CLEARED = 9
    CARRIED_OUT = 10


class TimeTrust(IntEnum):
    """How far a hub trusts its clock: nothing since boot, a floor only, or confirmed."""

    NONE = 0
    COARSE = 1
    GOOD = 2
