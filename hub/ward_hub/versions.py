"""Which version of a bulletin a hub takes where there are several: that of its own language, else the first."""

from __future__ import annotations

from ward_protocol.statements import Audio, Bulletin, Text


def text_for(bulletin: Bulletin, language: str) -> Text | None:
    """Return the bulletin's text in `language`, else its first."""
    return next((one for one in bulletin.texts if plain(one.language) == language), next(iter(bulletin.texts), None))


def recording_for(bulletin: Bulletin, language: str) -> Audio | None:
    """Return the bulletin's recording in `language`, else its first."""
    return next((one for one in bulletin.audio if plain(one.language) == language), next(iter(bulletin.audio), None))


def plain(tag: str) -> str:
    """Return the language of a BCP 47 tag without region or script, in small letters."""
    return tag.partition("-")[0].lower()
