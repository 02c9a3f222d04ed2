"""Every reason for which a hub refuses a statement, does not air it, or alarms: a closed set with stable numbers."""

from __future__ import annotations

from enum import IntEnum


class Reason(IntEnum):
    """Why something was refused, did not air, or is an alarm; the number stands in receipts and keeps its meaning.

    1-19 the bytes, 20-39 the signatures, 40-69 what the statement says, 70-89 its content, 90-109 the outputs,
    110-129 alarms.
    """

    TOO_LARGE = 1
    MALFORMED_CBOR = 2
    NOT_DETERMINISTIC = 3
    MALFORMED_COSE = 4
    HEADER_NOT_ALLOWED = 5
    UNKNOWN_TYPE = 6
    MALFORMED_STATEMENT = 7
    UNKNOWN_FIELD = 8

    UNKNOWN_KEY = 20
    BAD_SIGNATURE = 21
    THRESHOLD_NOT_MET = 22
    DUPLICATE_SIGNER = 23

    UNKNOWN_AUTHORITY = 41
    AUTHORITY_EXPIRED = 42
    PRIORITY_NOT_GRANTED = 43
    AREA_NOT_GRANTED = 44
    KIND_NOT_GRANTED = 45
    NOT_FOR_THIS_HUB = 46
    EXPIRED = 47
    REPLAYED = 48
    VERSION_ROLLBACK = 49
    WRONG_VERSION = 50
    TIME_WENT_BACK = 51
    ISSUED_IN_THE_FUTURE = 52
    TIME_STEP_TOO_LARGE = 53
    WRONG_FEED = 54
    ZONE_NOT_GRANTED = 55
    BOARD_NOT_GRANTED = 56
    QUOTA_EXCEEDED = 57
    NOT_CUT_OFF = 58
    BREAK_GLASS_USED_UP = 59
    OUTSIDE_OWN_WARD = 60
    SETTING_NOT_ALLOWED = 61
    TARGET_UNKNOWN = 62
    DECISION_NOT_ALLOWED = 63
    STREAM_KEY_MISSING = 64
    SEQUENCE_TOO_FAR = 65

    NO_CONTENT = 70
    CHARACTER_NOT_IN_FONT = 71
    AUDIO_UNAVAILABLE = 72
    AUDIO_DIGEST_MISMATCH = 73
    AUDIO_NOT_DECODABLE = 74
    TEXT_TOO_LONG = 75

    CANCELLED = 90
    SUPERSEDED = 91
    RELAY_UNCONFIRMED = 92
    BOARD_UNCONFIRMED = 93
    NOTHING_HEARD = 94
    INTERRUPTED = 95
    NO_OUTPUT = 96
    AUDIO_OUTPUT_FAILED = 97
    STOPPED = 98
    PURGED = 99
    SILENCED = 100
    DECLINED = 101
    STREAM_LOST = 102

    BEAT_FROZEN = 110
    BEAT_ROLLED_BACK = 111
    SOURCE_SILENT = 112
    CLOCK_STEPPED = 113
    TIME_STEP_REFUSED = 114
    CONFIGURATION_CHANGED = 115
    BREAK_GLASS_USED = 116
    EXPIRING = 117
    LAN_ABUSED = 119
    OUTPUT_TAMPERED = 120
    OUTPUT_TRIPPED = 121
    OUTPUT_STUCK = 122

    @property
    def word(self) -> str:
        """The reason as a lower-case word for logs and JSON, e.g. ``bad-signature``."""
        return self.name.lower().replace("_", "-")
