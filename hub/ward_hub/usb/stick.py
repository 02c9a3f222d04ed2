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
import threading
from collections.abc import Generator
from contextlib import contextmanager
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
    long as the medium takes: use it in a thread. Nothing ends a thread that waits for a medium, so it may be left while
    one still does: that one closes what it has open, and until then no other file gets the number of it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path if path.name == NAME else path / NAME
        self.signature = (0, 0, 0, 0)
        self._descriptor = -1
        self._size = 0
        self._turn = threading.Lock()
        self._left = threading.Event()
        self._busy = False

    def __enter__(self) -> Self:
        with self._held():
            found = os.open(self.path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                self._check(os.fstat(found))
                self._descriptor = os.open(f"/proc/self/fd/{found}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            finally:
                os.close(found)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        with self._turn:
            self._left.set()
            if not self._busy:
                self._close()

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

    def copy(self, item: Item, into: Path) -> None:
        """Write an item's bytes to a file that is there, in small pieces; raises OSError for that file."""
        digest = hashlib.sha256()
        with into.open("r+b", buffering=0) as file:
            for offset in range(0, item.size, CHUNK):
                part = self._read(item.offset + offset, min(CHUNK, item.size - offset))
                digest.update(part)
                if file.write(part) != len(part):
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
        with self._held():
            return os.pread(self._descriptor, size, offset)

    @contextmanager
    def _held(self) -> Generator[None]:
        """Use the descriptor, in one thread at a time; raises BundleError for what the medium does, or when left."""
        with self._turn:
            if self._left.is_set():
                raise NoStick(f"{self.path}: it was left")
            self._busy = True
        try:
            yield
        except OSError as error:
            raise self._trouble(error) from error
        finally:
            with self._turn:
                self._busy = False
                if self._left.is_set():
                    self._close()

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _damaged(self, item: Item) -> Damaged:
        return Damaged(f"{self.path}: a {item.kind.name.lower()} is damaged: its bytes have another SHA-256")

    def _trouble(self, error: OSError) -> BundleError:
        kind = NoStick if error.errno in ABSENT else BundleError
        return kind(f"{self.path}: it cannot be read: {error.strerror}; see whether the stick is in")
