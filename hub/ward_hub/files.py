"""Files that are there whole or not at all, whenever the power goes or a stick is pulled out."""

from __future__ import annotations

import os
from pathlib import Path

from ward_hub.errors import NotWritten


def write_whole(path: Path, data: bytes) -> None:
    """Write a file in place of the one before, if any; raises NotWritten, and leaves that one then."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise NotWritten(f"{path}: cannot be written: {error.strerror}") from error


def sync_folder(folder: Path) -> None:
    """Have the entries of a directory on the disk: a file that was synced may else be gone by its name."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
