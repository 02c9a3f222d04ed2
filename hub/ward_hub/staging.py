"""Files that are not whole yet: in a folder of their own that is empty after each start.

So whatever a killed agent left in the middle counts for nothing. It stands in the state directory: what has become
whole is moved into its place in one step, without being copied.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

FLOOR = 64 * 2**20


class Staging:
    """The folder, made empty. `floor` bytes of its disk stay free whatever comes: the journal needs them."""

    def __init__(self, folder: Path, floor: int = FLOOR) -> None:
        self._folder = folder
        self._floor = floor
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in folder.iterdir():
            left.unlink()

    def has_room(self, octets: int) -> bool:
        """Say whether so many bytes may be written; raises OSError where the disk does not answer."""
        disk = os.statvfs(self._folder)
        return disk.f_bavail * disk.f_frsize >= self._floor + octets

    def make(self) -> tuple[int, Path]:
        """Make a file; return its open descriptor and its path, both the caller's. Raises OSError."""
        descriptor, name = tempfile.mkstemp(dir=self._folder)
        return descriptor, Path(name)
