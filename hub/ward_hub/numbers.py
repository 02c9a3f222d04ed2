"""Sender sequence numbers of a channel: none is ever used twice, whatever happens to the process or the power.

A number makes the nonce under which a message is sealed. Two messages with one nonce give away what is in both, and
let others forge more. So numbers are written down as used before they are, a block at a time; a process that comes
after begins behind the last block. What cannot be read for certain is not guessed: there is then no number, and nothing
is sent, until the hub is enrolled again and so has new keys.
Ref: RFC 8613 §7.2.1 (their limit), §7.5.1 and appendix B.1.1 (losing them, blocks).
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import re
from pathlib import Path

from ward_hub.durable import replace_whole, write_new
from ward_hub.errors import StateError

BLOCK = 256
LIMIT = 2**40
LINE = re.compile(rb"wardhub-numbers 1 ([0-9a-f]{64}) (0|[1-9][0-9]{0,12}) ([0-9a-f]{16})\n")
AGAIN = "enrol again: `wardhub enrol request`"


class Numbers:
    """Gives the numbers that the file at `path` counts for the key `owner` (its public side, 32 bytes)."""

    def __init__(self, path: Path, owner: bytes, block: int = BLOCK) -> None:
        self._path = path
        self._owner = owner
        self._block = block
        self._next: int = 0
        self._end: int = 0
        self._reserving = asyncio.Lock()

    async def take(self) -> int:
        """Return a number that nobody had before; raises StateError where that is not certain.

        Waits for the disk once in a block, and keeps nobody else waiting meanwhile.
        """
        async with self._reserving:
            if self._next == self._end:
                first = await asyncio.to_thread(self.reserve)
                self._next, self._end = first, first + self._block
            number, self._next = self._next, self._next + 1
            return number

    def reserve(self) -> int:
        """Write down a block as used and return its first number; several processes get different ones."""
        try:
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(folder, fcntl.LOCK_EX)
                first = self.read()
                if first < self._end:
                    raise StateError(f"{self._path}: it went back to {first}, {self._end} were given out; {AGAIN}")
                if first + self._block > LIMIT:
                    raise StateError(f"{self._path}: all numbers are used up; {AGAIN}")
                replace_whole(self._path, _line(self._owner, first + self._block))
            finally:
                os.close(folder)
        except OSError as error:
            raise StateError(f"{self._path}: no numbers can be written down: {error.strerror}") from error
        return first

    def read(self) -> int:
        """Return the first number that was not given out; raises StateError where the file does not say it."""
        try:
            found = LINE.fullmatch(self._path.read_bytes())
        except OSError as error:
            raise StateError(
                f"{self._path}: which numbers were used cannot be read: {error.strerror}; {AGAIN}"
            ) from error
        if found is None or _line(self._owner, int(found[2])) != found[0]:
            raise StateError(f"{self._path}: damaged, or not of this channel's key; {AGAIN}")
        return int(found[2])


def begin(path: Path, owner: bytes) -> None:
    """Begin to count for a new key, in a new file; raises OSError."""
    write_new(path, _line(owner, 0))


def _line(owner: bytes, first: int) -> bytes:
    said = f"wardhub-numbers 1 {owner.hex()} {first} "
    return f"{said}{hashlib.sha256(said.encode()).hexdigest()[:16]}\n".encode()
