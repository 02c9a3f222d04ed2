"""Uploads on their way, block by block, on the disk and within bounds. Times are arguments, in seconds.

Facts that live only here: how far each upload has come, and when something of it last came.

- Blocks are taken in order. One that came before is acknowledged again if it says the same; its first
  acknowledgement may have been lost. One that leaves a gap is not taken: the sender begins again from block 0.
- A block that says something else where something stands is of another upload; it is never put together with this
  one. What stands there is dropped, block 0 begins anew.
- An upload is bound to its sender's address and port, to its resource and to its Request-Tags, so two at once from
  one sender are told apart. A sender without tags can mix its own up; signature or SHA-256 shows that when it is whole.
- Nothing is kept for long: what is idle or too old is dropped, and where there is no room for another upload the one
  that has been idle longest makes room, if it is idle at all: blocks of a real sender come many times a second.

Ref: RFC 7959 §2.5 (Block1), §2.9.2 (4.08), §2.9.3 (4.13); RFC 9175 §3.3 (Request-Tag).
"""

from __future__ import annotations

import errno
import hashlib
import os
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from ward_hub.staging import Staging

IDLE_S = 30.0
STALLED_S = 5.0
OLD_S = 900.0


class Most(NamedTuple):
    """How many uploads there may be, and how many bytes they may hold."""

    uploads: int
    octets: int


class Bounds(NamedTuple):
    """What one peer may have on its way, and what all may together."""

    peer: Most = Most(2, 9 * 2**20)
    total: Most = Most(16, 32 * 2**20)


class Key(NamedTuple):
    """What makes an upload one: who sends it from where, to what, under which Request-Tags."""

    peer: str
    endpoint: tuple[str, int]
    path: tuple[bytes, ...]
    tags: tuple[bytes, ...]


class Part(NamedTuple):
    """A part of an upload, at an offset; the upload has at most `limit` bytes, of which `size1` are announced."""

    offset: int
    data: bytes
    limit: int
    size1: int


class Trouble(Enum):
    """Why a block was not taken."""

    GAP = "blocks before this one are missing: begin again with block 0"
    TOO_LARGE = "too large"
    FULL = "too many uploads at the moment"
    STORAGE = "the hub cannot store it at the moment"


class Upload:
    """An upload as far as it has come: `received` bytes in the file at `path`. `busy` while it is judged.

    Once whole it has `announced` bytes, or else `limit` at most.
    """

    __slots__ = ("announced", "began", "busy", "descriptor", "digest", "limit", "path", "received", "touched")

    def __init__(self, path: Path, descriptor: int, announced: int, limit: int, now: float) -> None:
        self.path = path
        self.descriptor = descriptor
        self.announced = announced
        self.limit = limit
        self.began = self.touched = now
        self.received = 0
        self.busy = False
        self.digest = hashlib.sha256()

    @property
    def claims(self) -> int:
        """The bytes that it holds or has announced."""
        return max(self.received, self.announced)

    def stalls(self, now: float) -> bool:
        """Say whether it is idle, or so slow that it will not be whole before it is too old."""
        age = now - self.began
        slow = self.received * OLD_S < (self.announced or self.limit) * age
        return not self.busy and (now - self.touched > STALLED_S or (slow and age > STALLED_S))

    def append(self, part: bytes) -> None:
        """Add what follows; raises OSError."""
        if os.pwrite(self.descriptor, part, self.received) != len(part):
            raise OSError(errno.ENOSPC, "only a part of a block could be written")
        self.digest.update(part)
        self.received += len(part)

    def says(self, offset: int, part: bytes) -> bool:
        """Say whether `part` stands at `offset` already; raises OSError."""
        return offset + len(part) <= self.received and os.pread(self.descriptor, len(part), offset) == part

    def data(self) -> bytes:
        """Return all that came; raises OSError."""
        return os.pread(self.descriptor, self.received, 0)


class Spool:
    """All uploads; an upload's file is gone with it."""

    def __init__(self, staging: Staging, bounds: Bounds) -> None:
        self._staging = staging
        self._bounds = bounds
        self._uploads: dict[Key, Upload] = {}

    def __len__(self) -> int:
        return len(self._uploads)

    @property
    def octets(self) -> int:
        """The bytes that all uploads hold or have announced."""
        return sum(one.claims for one in self._uploads.values())

    def take(self, key: Key, part: Part, now: float) -> Upload | Trouble:
        """Take a part of an upload; return the upload as it stands, or why the part was not taken."""
        self.sweep(now)
        try:
            return self._take(key, part, now)
        except OSError:
            self.drop(key)
            return Trouble.STORAGE

    def get(self, key: Key) -> Upload | None:
        """Return the upload of that key, where there is one."""
        return self._uploads.get(key)

    def drop(self, key: Key) -> None:
        """Forget an upload, its file included."""
        upload = self._uploads.pop(key, None)
        if upload is not None:
            os.close(upload.descriptor)
            upload.path.unlink(missing_ok=True)

    def sweep(self, now: float) -> None:
        """Drop what is idle or old."""
        for key, one in list(self._uploads.items()):
            if not one.busy and (now - one.touched > IDLE_S or now - one.began > OLD_S):
                self.drop(key)

    def close(self) -> None:
        """Drop everything."""
        for key in list(self._uploads):
            self.drop(key)

    def _take(self, key: Key, part: Part, now: float) -> Upload | Trouble:
        end = part.offset + len(part.data)
        if max(end, part.size1) > part.limit:
            self.drop(key)
            return Trouble.TOO_LARGE
        upload = self._uploads.get(key)
        if upload is not None and part.offset < upload.received and not upload.says(part.offset, part.data):
            self.drop(key)
            upload = None
        if upload is None:
            begun = self._begin(key, part, now)
            if isinstance(begun, Trouble):
                return begun
            upload = begun
        if part.offset > upload.received:
            return Trouble.GAP
        if part.offset == upload.received:
            grown = max(end - upload.claims, 0)
            if not all(self._fits(keys, most, 0, grown) for keys, most in self._bounded(key.peer)):
                self.drop(key)
                return Trouble.FULL
            upload.append(part.data)
        upload.touched = now
        return upload

    def _begin(self, key: Key, part: Part, now: float) -> Upload | Trouble:
        octets = max(len(part.data), part.size1)
        if part.offset:
            return Trouble.GAP
        if not self._make_room(key.peer, octets, now):
            return Trouble.FULL
        if not self._staging.has_room(part.limit):
            return Trouble.STORAGE
        descriptor, path = self._staging.make()
        upload = self._uploads[key] = Upload(path, descriptor, part.size1, part.limit, now)
        return upload

    def _make_room(self, peer: str, octets: int, now: float) -> bool:
        """Drop what stalls until one more upload of so many bytes fits; False where that is not enough."""
        while True:
            tight = [keys for keys, most in self._bounded(peer) if not self._fits(keys, most, 1, octets)]
            if not tight:
                return True
            if not self._push_out(tight[0], now):
                return False

    def _bounded(self, peer: str) -> tuple[tuple[list[Key], Most], tuple[list[Key], Most]]:
        """Return the peer's uploads and all uploads, each with its bound."""
        theirs = [key for key in self._uploads if key.peer == peer]
        return (theirs, self._bounds.peer), (list(self._uploads), self._bounds.total)

    def _fits(self, keys: list[Key], most: Most, uploads: int, octets: int) -> bool:
        """Say whether there may be so much more beside these."""
        held = sum(self._uploads[key].claims for key in keys)
        return len(keys) + uploads <= most.uploads and held + octets <= most.octets

    def _push_out(self, keys: list[Key], now: float) -> bool:
        """Drop the one of them that has been idle longest, if it stalls."""
        stalled = [key for key in keys if self._uploads[key].stalls(now)]
        if not stalled:
            return False
        self.drop(min(stalled, key=lambda key: self._uploads[key].touched))
        return True
