"""The source's own sender sequence numbers: one count for all of its channels, written down a block ahead.

The file is the one that `wardhub keygen --channel` puts beside the key: `wardhub-numbers 1 KEY FIRST CHECK`, where
CHECK is the beginning of the SHA-256 of what stands before it. One that does not say that for certain is not used.
Ref: RFC 8613 appendix B.1.1.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

BLOCK = 256


class NumbersError(ValueError):
    """The count of a channel key cannot be used; the message names the file and the remedy."""


class Numbers:
    """Gives each number once, for the key `owner`; for one process alone."""

    def __init__(self, path: Path, owner: bytes, block: int = BLOCK) -> None:
        self._path = path
        self._owner = owner
        self._block = block
        self._end: int = self._read()
        self._next: int = self._end

    def take(self) -> int:
        """Return the next number; waits for the disk once in a block. Raises OSError."""
        if self._next == self._end:
            write(self._path, self._owner, self._end + self._block)
            self._end += self._block
        self._next += 1
        return self._next - 1

    def _read(self) -> int:
        try:
            words = self._path.read_text("ascii").split(" ")
            first = int(words[3])
        except (OSError, ValueError, IndexError) as error:
            raise NumbersError(f"{self._path}: {error}; make a new channel key, and enrol every hub again") from error
        if " ".join(words) != _line(self._owner, first):
            raise NumbersError(f"{self._path}: damaged, or of another key; make a new one, and enrol every hub again")
        return first


def write(path: Path, owner: bytes, first: int) -> None:
    """Put the count of the key `owner` on the disk, whole, the file and its name. Raises OSError."""
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="ascii") as file:
        file.write(_line(owner, first))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _line(owner: bytes, first: int) -> str:
    said = f"wardhub-numbers 1 {owner.hex()} {first} "
    return f"{said}{hashlib.sha256(said.encode()).hexdigest()[:16]}\n"
