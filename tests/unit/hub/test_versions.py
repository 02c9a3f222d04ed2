"""Of a bulletin in several languages a hub takes its own, else the first, of text and of recordings alike."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.statements import MINIMAL

from ward_hub.versions import plain, recording_for, text_for
from ward_protocol.statements import Audio, Text

ENGLISH, VIETNAMESE = Text("en", "a", "b"), Text("vi-VN", "c", "d")
BOTH = replace(MINIMAL, texts=(ENGLISH, VIETNAMESE))
SPOKEN = tuple(
    Audio(bytes([number]) * 32, 1, "audio/ogg", 1, language) for number, language in ((1, "en"), (2, "vi-VN"))
)


@pytest.mark.parametrize(("language", "chosen"), [("vi", VIETNAMESE), ("en", ENGLISH), ("km", ENGLISH)])
def test_the_text(language: str, chosen: Text) -> None:
    assert text_for(BOTH, language) == chosen


@pytest.mark.parametrize(("language", "chosen"), [("vi", SPOKEN[1]), ("en", SPOKEN[0]), ("km", SPOKEN[0])])
def test_the_recording(language: str, chosen: Audio) -> None:
    assert recording_for(replace(MINIMAL, audio=SPOKEN), language) == chosen


def test_where_there_is_none() -> None:
    assert text_for(replace(MINIMAL, texts=()), "vi") is None
    assert recording_for(MINIMAL, "vi") is None


def test_regions_and_capitals_do_not_matter() -> None:
    assert [plain(tag) for tag in ("vi", "VI-VN", "en-Latn-GB")] == ["vi", "vi", "en"]
