"""Small files that are there whole, the old or the new one, whenever the power goes."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Put `data` in the place of `path`, readable by its owner alone; on the disk when this returns. Raises OSError.

    The folder is synced, too: a rename that is not on the disk yet is undone by a power cut.
    """
    part = path.with_name(path.name + ".part")
    write_new(part, data, os.O_TRUNC)
    part.replace(path)
    sync(path.parent)


def write_new(path: Path, data: bytes, flags: int = os.O_EXCL) -> None:
    """Write a file and sync it; by default it must not exist. Raises OSError."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | flags, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync(folder: Path) -> None:
    """Have the disk know which files are in a folder. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
