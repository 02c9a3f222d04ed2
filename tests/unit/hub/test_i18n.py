"""Translators: Vietnamese from a compiled catalogue, English without one, and a missing catalogue is said."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from ward_hub.i18n import DEFAULT_LANGUAGE, DOMAIN, LOCALE_DIR, translator

TEXT, VIETNAMESE = "This is a test. There is no danger.", "Đây là phát thử nghiệm. Không có nguy hiểm."


@pytest.fixture
def compiled(tmp_path: Path) -> Path:
    """The tree's Vietnamese catalogue, compiled as the build does it."""
    target = tmp_path / "vi" / "LC_MESSAGES" / f"{DOMAIN}.mo"
    target.parent.mkdir(parents=True)
    with (LOCALE_DIR / "vi" / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as source, target.open("wb") as stream:
        write_mo(stream, read_po(source, abort_invalid=True))
    return tmp_path


def test_vietnamese_is_the_default(compiled: Path) -> None:
    assert DEFAULT_LANGUAGE == "vi"
    assert translator(locale_dir=compiled)(TEXT) == VIETNAMESE


def test_english_needs_no_catalogue(tmp_path: Path) -> None:
    assert translator("en", locale_dir=tmp_path)(TEXT) == TEXT


def test_what_the_catalogue_lacks_stays_english(compiled: Path) -> None:
    assert translator("vi", locale_dir=compiled)("No such text.") == "No such text."


def test_a_tree_without_compiled_texts_works_and_says_so_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert translator("vi", locale_dir=tmp_path)(TEXT) == TEXT
        translator("vi", locale_dir=tmp_path)
    (record,) = caplog.records
    assert f"{DOMAIN}.mo is missing; reinstall the package" in record.getMessage()


def test_a_language_the_hub_does_not_speak_is_refused() -> None:
    with pytest.raises(ValueError, match="'fr' is not one of vi, en"):
        translator("fr")
