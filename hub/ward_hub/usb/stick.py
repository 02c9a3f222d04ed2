"""A bundle as a file on a stick that anybody may have made, and may pull out at any moment.

It must be a plain file of one fixed name. What has that name is looked at before it is opened, and what was looked at
is opened: to open a device can be to set it off. It is opened once and read by that one descriptor, within the bounds
that were checked; a link, a pipe or a device in its place is refused, and nothing waits for what does not answer.
Ref: open(2), O_PATH.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Self

from ward_hub.usb.container import MOST, NAME, BundleError, Item, index

CHUNK = 64 * 1024
ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.ENXIO, errno.ENOMEDIUM, errno.EIO})


class Damaged(BundleError):
    """The bytes of one item are not those that its head says; the others may be."""


class NoStick(BundleError):
    """There is no bundle there: the stick is not in, or not any longer, or holds none."""


class Stick:
    """An open bundle; a context manager. `path` names the file, or the directory that it is in.

    Everything may raise BundleError, also for what the medium does, and Damaged for one item. It may block for as
    long as the medium takes: use it in a thread.
    """

    def __init__(self, path: Path) -> None:
        self.path = path if path.name == NAME else path / NAME
        self.signature = (0, 0, 0, 0)
        self._descriptor = -1
        self._size = 0

    def __enter__(self) -> Self:
        try:
            found = os.open(self.path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                self._check(os.fstat(found))
                self._descriptor = os.open(f"/proc/self/fd/{found}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            finally:
                os.close(found)
        except OSError as error:
            raise self._trouble(error) from error
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def index(self) -> list[Item]:
        """Return what it holds."""
        try:
            return index(self._read, self._size)
        except BundleError as error:
            raise BundleError(f"{self.path}: {error}") from error

    def data(self, item: Item) -> bytes:
        """Return an item's bytes, which have the SHA-256 that they should."""
        data = self._read(item.offset, item.size)
        if hashlib.sha256(data).digest() != item.sha256:
            raise self._damaged(item)
        return data

    def copy(self, item: Item, into: int) -> None:
        """Write an item's bytes to an open file, in small pieces; raises OSError for that file."""
        digest = hashlib.sha256()
        for offset in range(0, item.size, CHUNK):
            part = self._read(item.offset + offset, min(CHUNK, item.size - offset))
            digest.update(part)
            if os.pwrite(into, part, offset) != len(part):
                raise OSError(errno.ENOSPC, "there is no room for a recording")
        if digest.digest() != item.sha256:
            raise self._damaged(item)

    def _check(self, status: os.stat_result) -> None:
        if stat.S_ISLNK(status.st_mode):
            raise BundleError(f"{self.path}: it is a link, and no plain file")
        if not stat.S_ISREG(status.st_mode):
            raise BundleError(f"{self.path}: it is no plain file")
        if status.st_size > MOST:
            raise BundleError(f"{self.path}: it has {status.st_size} bytes, a bundle at most {MOST}")
        self._size = status.st_size
        self.signature = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)

    def _read(self, offset: int, size: int) -> bytes:
        try:
            return os.pread(self._descriptor, size, offset)
        except OSError as error:
            raise self._trouble(error) from error

    def _damaged(self, item: Item) -> Damaged:
        return Damaged(f"{self.path}: a {item.kind.name.lower()} is damaged: its bytes have another SHA-256")

    def _trouble(self, error: OSError) -> BundleError:
        kind = NoStick if error.errno in ABSENT else BundleError
        return kind(f"{self.path}: it cannot be read: {error.strerror}; see whether the stick is in")
