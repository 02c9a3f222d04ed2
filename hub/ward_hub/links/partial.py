"""A recording on its way: blocks in any order in one file that survives a killed process, renamed once it is whole.

The partial file is the recording's bytes, then a bitmap of the blocks that are there, then the SHA-256 it is to
have. A block is written before its bit, so a bit that is found is true after any kill of the process. After a power
cut the disk may hold the bit without the block: then the digest will not match and everything is fetched afresh.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from ward_hub.links.endpoint import BLOCK
from ward_hub.links.errors import MisuseError, StorageError

SUFFIX = ".part"
DIGEST_SIZE = 32


class PartialFile:
    """A context manager around `<into>.part`; another holder of it raises MisuseError, a bad disk StorageError."""

    def __init__(self, into: Path, sha256: bytes, size: int) -> None:
        if len(sha256) != DIGEST_SIZE or size < 1:
            raise MisuseError(f"{into}: a recording has a SHA-256 and at least one byte, not {size}")
        self.into = into
        self.path = into.with_name(into.name + SUFFIX)
        self.count = -(-size // BLOCK)
        self.resumed = False
        self._sha256 = sha256
        self._size = size
        self._bitmap = bytearray(-(-self.count // 8))
        self._fd = -1
        self._digest = hashlib.sha256()
        self._hashed = 0  # bytes of the beginning that the digest has taken

    def __enter__(self) -> Self:
        try:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                self._lock()
                self.resumed = self._load()
            except BaseException:
                self._close()
                raise
        except OSError as error:
            raise self._storage(error) from error
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._close()

    @property
    def missing(self) -> list[int]:
        """The blocks that have not come, in order."""
        return [block for block in range(self.count) if not self._has(block)]

    @property
    def whole(self) -> bool:
        """Whether every block is there and the digest has taken all of them."""
        return self._hashed == self._size

    @property
    def matches(self) -> bool:
        """Whether what is there is what the digest names; only once it is whole."""
        return self.whole and self._digest.digest() == self._sha256

    def length_of(self, block: int) -> int:
        """Return how many bytes a block has: 1,024, the last what is left."""
        return min(BLOCK, self._size - block * BLOCK)

    def put(self, block: int, data: bytes) -> None:
        """Keep a block; `data` has the length that `length_of` says."""
        self._bitmap[block // 8] |= 1 << (block % 8)
        try:
            os.pwrite(self._fd, data, block * BLOCK)
            os.pwrite(self._fd, self._bitmap[block // 8 : block // 8 + 1], self._size + block // 8)
        except OSError as error:
            raise self._storage(error) from error

    def hash_some(self, limit: int = 64 * BLOCK) -> bool:
        """Let the digest take up to `limit` bytes of what is there without a gap; True when there are more."""
        end = self._hashed
        while end < self._size and end - self._hashed < limit and self._has(end // BLOCK):
            end += self.length_of(end // BLOCK)
        if end > self._hashed:
            try:
                self._digest.update(os.pread(self._fd, end - self._hashed, self._hashed))
            except OSError as error:
                raise self._storage(error) from error
            self._hashed = end
        return end < self._size and self._has(end // BLOCK)

    def finish(self) -> None:
        """Make it the recording: cut to size, on the disk, renamed. May take seconds: call it in a thread.

        It works on the path, so that it may go on harmlessly where its caller was cancelled and has left.
        """
        try:
            os.truncate(self.path, self._size)
            _sync(self.path)
            self.path.replace(self.into)
            _sync(self.into.parent)
        except OSError as error:
            raise self._storage(error) from error

    def discard(self) -> None:
        """Delete what is there and begin afresh."""
        self._bitmap = bytearray(len(self._bitmap))
        self._digest, self._hashed, self.resumed = hashlib.sha256(), 0, False
        try:
            self._format()
        except OSError as error:
            raise self._storage(error) from error

    def delete(self) -> None:
        """Delete the partial file; nothing is left of it."""
        self.path.unlink(missing_ok=True)

    def _has(self, block: int) -> bool:
        return bool(self._bitmap[block // 8] >> (block % 8) & 1)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise MisuseError(f"{self.into}: is being fetched already; wait for that") from error

    def _load(self) -> bool:
        """Take the bitmap of an earlier run; False, and an empty file, where there is none for this recording."""
        tail = len(self._bitmap) + DIGEST_SIZE
        if os.fstat(self._fd).st_size == self._size + tail:
            found = os.pread(self._fd, tail, self._size)
            if found[-DIGEST_SIZE:] == self._sha256:
                self._bitmap[:] = found[:-DIGEST_SIZE]
                return any(self._bitmap)
        self._format()
        return False

    def _format(self) -> None:
        os.ftruncate(self._fd, 0)
        os.ftruncate(self._fd, self._size + len(self._bitmap))
        os.pwrite(self._fd, self._sha256, self._size + len(self._bitmap))

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _storage(self, error: OSError) -> StorageError:
        remedy = "make room on the disk" if error.errno == errno.ENOSPC else "see whether the disk can be written"
        return StorageError(f"{self.path}: {error.strerror}; {remedy}")


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
