"""Recordings on this hub, by digest: one file each, complete and hashed, or not there; within bounds on the disk.

A recording that comes ahead of what names it waits in a folder of its own with a small bound of its own, so that
whoever may send recordings cannot push out those that are needed.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from ward_protocol.statements import Audio

MOST = 512 * 2**20
MOST_AHEAD = 32 * 2**20
DIGITS = 64
NAME = re.compile(r"[0-9a-f]{64}(\.part)?\Z")


class MediaStore:
    """A folder of recordings named by their SHA-256. It keeps `most` bytes, and `most_ahead` that nothing names yet."""

    def __init__(self, folder: Path, *, most: int = MOST, most_ahead: int = MOST_AHEAD) -> None:
        self._folder = folder
        self._ahead = folder / "ahead"
        self._most = most
        self._most_ahead = most_ahead
        self._ahead.mkdir(parents=True, exist_ok=True)

    def path(self, audio: Audio) -> Path:
        """Return where the recording is, or will be once it is complete."""
        return self._folder / audio.sha256.hex()

    def has(self, audio: Audio) -> bool:
        """Say whether the recording is complete here."""
        return _size(self.path(audio)) == audio.size

    def holds(self, sha256: bytes) -> bool:
        """Say whether a recording of that digest is here, whether or not anything names it yet."""
        return any((folder / sha256.hex()).exists() for folder in (self._folder, self._ahead))

    def keep(self, draft: Path, sha256: bytes) -> None:
        """Take a whole recording that nothing may name yet: it is on the disk and in its place when this returns.

        `draft` is moved, and what came ahead longest ago makes room. May take seconds: call it in a thread. Raises
        OSError.
        """
        _sync(draft)
        draft.replace(self._ahead / sha256.hex())
        _sync(self._ahead)
        _shrink(self._ahead, self._most_ahead, {sha256})

    def claim(self, audio: Audio) -> bool:
        """Let a recording that came ahead be the one that a bulletin names; False where there is none of that size."""
        came = self._ahead / audio.sha256.hex()
        if _size(came) != audio.size:
            return False
        came.replace(self.path(audio))
        return True

    def trim(self, needed: Collection[bytes]) -> list[bytes]:
        """Delete the oldest recordings that are not `needed` while there are too many; return what was deleted."""
        return _shrink(self._folder, self._most, needed)


def _shrink(folder: Path, most: int, needed: Collection[bytes]) -> list[bytes]:
    """Delete the oldest files of a folder, those that are on their way too, but never what is needed."""
    files = sorted(_recordings_in(folder))
    held, gone = sum(size for _, size, _ in files), list[bytes]()
    for _, size, path in files:
        digest = bytes.fromhex(path.name[:DIGITS])
        if held > most and digest not in needed:
            path.unlink(missing_ok=True)
            held -= size
            gone.append(digest)
    return gone


def _recordings_in(folder: Path) -> Iterator[tuple[int, int, Path]]:
    """Give age, size and path of what is a recording, whole or on its way; others may move files meanwhile."""
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if NAME.match(path.name):
                status = path.stat()
                yield status.st_mtime_ns, status.st_size, path


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
