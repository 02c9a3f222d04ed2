"""The agent starts whatever its journal kept of its settings, and tells what it passes over, once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.agents import CutOff
from tests.journals import FILE, HUB, HUB_KEY, story

from ward_hub.clock import Clock
from ward_hub.journal import Journal


async def changes(at: CutOff) -> list[list[str]]:
    """Start it and end it; return what it told as changed since it was made."""
    await at.start()
    await at.end()
    return [one.detail["changed"] for one in story(at.state) if one.event == "configured"]


async def test_a_setting_that_cannot_be_used_is_passed_over(tmp_path: Path) -> None:
    at = CutOff(tmp_path)
    try:
        assert await changes(at) == [[]]
        with Journal(at.state / FILE, HUB, HUB_KEY, Clock()) as journal:
            journal.ledger.keep_settings(bytes(32), {"source.uri": "coap://", "audio.gone": "1", "hub.language": "en"})
        told = [[], ["setting audio.gone, passed over", "setting source.uri, passed over"]]
        assert await changes(at) == told
        assert "alarm configuration-changed: since the last start: setting audio.gone, passed over" in at.text()
        assert "a setting that an order made is passed over" in at.text()
        assert await changes(at) == told
        with closing(sqlite3.connect(at.state / FILE)) as db, db:
            db.execute("UPDATE document SET data = x'ff7b' WHERE kind IN ('settings', 'clock', 'configuration')")
        told.append(["[audio]", "[hub]", "[lan]", "[source]", "[trust]", "[usb]", "the root file"])
        assert await changes(at) == told
        assert at.text().count("cannot be read, the hub goes on without") >= 3
    finally:
        await at.end()
