"""Recordings on this hub, by digest: one file each, complete and hashed, or not there."""

from __future__ import annotations

from pathlib import Path

from ward_protocol.statements import Audio


class MediaStore:
    """A folder of recordings named by their SHA-256."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, audio: Audio) -> Path:
        """Return where the recording is, or will be once it is complete."""
        return self._folder / audio.sha256.hex()

    def has(self, audio: Audio) -> bool:
        """Say whether the recording is complete here."""
        try:
            return self.path(audio).stat().st_size == audio.size
        except FileNotFoundError:
            return False
