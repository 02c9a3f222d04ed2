"""Uploads on their way, block by block, within bounds. Pure: times are arguments, in seconds.

A block that was acknowledged before is acknowledged again, also the last one: its answer may have been lost. One
that leaves a gap is refused (4.08) and the sender begins again. Ref: RFC 7959 §2.5, §2.9.2; RFC 9175 §3.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import Enum

UPLOADS = 32
OCTETS = 32 * 2**20
IDLE_S = 60.0


class Refusal(Enum):
    """Why a block was not taken."""

    GAP = "the beginning is missing: send it again from block 0"
    TOO_LARGE = "too large"


@dataclass(slots=True)
class Upload:
    """What came so far, and when something last did; `answer` once it is whole and was answered."""

    data: bytearray = field(default_factory=bytearray)
    touched: float = 0.0
    answer: object = None


class Spool:
    """Puts uploads together, each under a key of its own."""

    def __init__(self) -> None:
        self._uploads: dict[Hashable, Upload] = {}

    def take(self, key: Hashable, offset: int, part: bytes, limit: int, now: float) -> Upload | Refusal:
        """Take a part at `offset`; returns the upload as it stands, or why the part was not taken."""
        self._forget(now)
        if offset + len(part) > limit:
            self._uploads.pop(key, None)
            return Refusal.TOO_LARGE
        upload = self._uploads.get(key)
        if upload is None:
            if offset:
                return Refusal.GAP
            upload = self._uploads[key] = Upload()
        end = offset + len(part)
        known = bytes(upload.data[offset:end])
        if known != part:
            if offset != len(upload.data):
                return Refusal.GAP
            upload.data += part
        upload.touched = now
        return upload

    def _forget(self, now: float) -> None:
        """Drop what is idle, and the longest idle where there are too many or they hold too much."""
        for key, upload in list(self._uploads.items()):
            if now - upload.touched > IDLE_S:
                del self._uploads[key]
        while len(self._uploads) > UPLOADS or sum(len(one.data) for one in self._uploads.values()) > OCTETS:
            del self._uploads[min(self._uploads, key=lambda key: self._uploads[key].touched)]
