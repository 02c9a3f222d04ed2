"""Files that are there whole, the old or the new one, whenever the power goes or a stick is pulled out."""

from __future__ import annotations

import os
from pathlib import Path

from ward_hub.errors import NotWritten

KEY_BEGINS = b"-----BEGIN "  # as PEM and sealed keys do, and nothing that is written here
OWNER_ALONE, AS_UMASK_SAYS = 0o600, 0o666


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that somebody asked for in place of the one before; raises NotWritten, and leaves that one then.

    So it does with one that holds a private key: mistyped, `--out` would else destroy what nobody can make again.
    """
    try:
        if _holds_a_key(path):
            raise NotWritten(f"{path}: it holds a key; a key is never overwritten")
        replace_whole(path, data, AS_UMASK_SAYS)
    except OSError as error:
        raise NotWritten(f"{path}: cannot be written: {error.strerror}") from error


def replace_whole(path: Path, data: bytes, mode: int = OWNER_ALONE) -> None:
    """Put `data` in the place of `path`, by default readable by its owner alone; on the disk when this returns.

    The folder is synced, too: a rename that is not on the disk yet is undone by a power cut. Raises OSError.
    """
    part = path.with_name(path.name + ".part")
    # What a power cut left there, or somebody laid there, such as a link on a stick to a file of ours.
    part.unlink(missing_ok=True)
    write_new(part, data, mode)
    part.replace(path)
    sync(path.parent)


def write_new(path: Path, data: bytes, mode: int = OWNER_ALONE) -> None:
    """Write a file that must not exist yet, and sync it. Raises OSError."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _holds_a_key(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(KEY_BEGINS)) == KEY_BEGINS


def sync(folder: Path) -> None:
    """Have the entries of a folder on the disk: a file that was synced may else be gone by its name. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
