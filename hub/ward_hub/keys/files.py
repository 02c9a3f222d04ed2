"""Files that hold a secret: their owner's alone, whole or not there at all, never taken through a link.

What a power cut leaves of writing is at most a draft (`.key-` and some letters) that nobody used; it may be deleted.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from ward_hub.durable import sync
from ward_hub.errors import NotWritten, StateError

MAX_SECRET = 10_000


def write_private(path: Path, data: bytes) -> None:
    """Write a key to a new file of mode 0600, whatever the umask; raises NotWritten where it exists or cannot be.

    It is there whole or not at all, whenever the power goes, and stays there once this returned.
    """
    try:
        handle, draft = tempfile.mkstemp(prefix=".key-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                os.fchmod(handle, 0o600)
                file.write(data)
                file.flush()
                os.fsync(handle)
            path.hardlink_to(draft)  # unlike a renaming, it never takes another's place
        finally:
            Path(draft).unlink()
        sync(path.parent)
    except FileExistsError as error:
        raise NotWritten(f"{path}: exists already; a key is never overwritten") from error
    except OSError as error:
        raise NotWritten(f"{path}: the key cannot be written: {error.strerror}") from error


def read_private(path: Path, what: str) -> bytes:
    """Return what a secret's file holds, at most 10,000 bytes; `what` names it in errors.

    Raises StateError when it is missing, is no regular file, or is not private to this user.
    """
    try:
        # Non-blocking: a pipe in the place of the file must not stop whoever starts.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            status = os.fstat(handle)
            data = os.read(handle, MAX_SECRET + 1) if stat.S_ISREG(status.st_mode) else b""
        finally:
            os.close(handle)
    except OSError as error:
        why = "it is a link, and must be the file itself" if path.is_symlink() else error.strerror
        raise StateError(f"{path}: the {what} cannot be read: {why}") from error
    if not stat.S_ISREG(status.st_mode) or len(data) > MAX_SECRET:
        raise StateError(f"{path}: the {what} cannot be read: this is no file of at most {MAX_SECRET} bytes")
    if stat.S_IMODE(status.st_mode) & 0o077 or status.st_uid != os.geteuid():
        raise StateError(f"{path}: others could read this {what}: it must be this user's own, with mode 0600")
    return data


def read_line(path: Path, what: str) -> str:
    """Return the one line of text in a secret's file, as `read_private` reads it; its end of line does not count."""
    try:
        line = read_private(path, what).decode()
    except UnicodeDecodeError as error:
        raise StateError(f"{path}: the {what} is not UTF-8") from error
    line = line.removesuffix("\n").removesuffix("\r")
    if not line or "\n" in line or "\r" in line:
        raise StateError(f"{path}: the {what} must be the only line, and not empty")
    return line


def private_directory(path: Path) -> None:
    """Make the directory of an agent's state, mode 0700, where there is none; raises StateError for one of others."""
    try:
        try:
            path.mkdir(mode=0o700, parents=True)
            path.chmod(0o700)  # the umask may have taken bits away
        except FileExistsError:
            pass
        status = path.stat()
    except OSError as error:
        raise StateError(f"{path}: the state directory cannot be made: {error.strerror}") from error
    if not stat.S_ISDIR(status.st_mode):
        raise StateError(f"{path}: the state directory cannot be made: something else has its name")
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise StateError(f"{path}: others could change this hub's state: it must be this user's own, with mode 0700")
