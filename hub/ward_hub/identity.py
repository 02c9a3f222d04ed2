"""The hub's own key: made on the hub, kept in a file that only its owner can read."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ward_hub.errors import NotWritten, StateError
from ward_protocol.errors import MisuseError
from ward_protocol.keys import Signer

MAX_PEM = 10_000


def write_key(path: Path, signer: Signer) -> None:
    """Write a private key to a new file of mode 0600; raises NotWritten where it exists or cannot be written.

    It is there whole or not at all, whenever the power goes.
    """
    try:
        handle, draft = tempfile.mkstemp(prefix=".key-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(signer.to_pem())
                file.flush()
                os.fsync(file.fileno())
            path.hardlink_to(draft)
        finally:
            Path(draft).unlink()
    except FileExistsError as error:
        raise NotWritten(f"{path}: exists already; a key is never overwritten") from error
    except OSError as error:
        raise NotWritten(f"{path}: the key cannot be written: {error.strerror}") from error


def read_key(path: Path) -> Signer:
    """Read a private key; raises StateError when it is missing, is no key, or is not private to this user."""
    try:
        # Non-blocking: a pipe in the place of the key must not stop whoever starts.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(handle)
            pem = os.read(handle, MAX_PEM) if stat.S_ISREG(status.st_mode) else b""
        finally:
            os.close(handle)
    except OSError as error:
        raise StateError(f"{path}: the key cannot be read: {error.strerror}") from error
    if stat.S_IMODE(status.st_mode) & 0o077 or status.st_uid != os.geteuid():
        raise StateError(f"{path}: others could read this key: it must be this user's own, with mode 0600")
    try:
        return Signer.from_pem(pem)
    except MisuseError as error:
        raise StateError(f"{path}: {error}") from error


def hub_key(state: Path) -> Signer:
    """Return the hub's key, made at the first call."""
    path = state / "hub.key"
    if not path.exists():
        write_key(path, Signer.generate())
    return read_key(path)


@contextmanager
def alone_in(state: Path) -> Generator[None]:
    """Hold the state directory for one agent; raises StateError where another has it. A killed one lets go of it."""
    with (state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StateError(f"{state}: another agent runs with this state; stop it first") from error
        yield
