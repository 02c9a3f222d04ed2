"""Settings of a controller: defaults, a file over them, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ward_firmware import settings

if TYPE_CHECKING:
    from pathlib import Path

DEFAULTS = {"unit": 1, "baud": 19200}


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert settings.load(DEFAULTS, str(tmp_path / "none.json")) == DEFAULTS


@pytest.mark.parametrize(
    ("text", "expected"),
    [("{}", DEFAULTS), ('{"unit": 17}', {"unit": 17, "baud": 19200})],
)
def test_a_file_goes_over_the_defaults(tmp_path: Path, text: str, expected: dict[str, int]) -> None:
    file = tmp_path / "settings.json"
    file.write_text(text)
    assert settings.load(DEFAULTS, str(file)) == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"Unit": 17}', "unknown key Unit; known: baud, unit"),
        ('{"unit": "17"}', "unit must be a whole number"),
        ('{"unit": true}', "unit must be a whole number"),
        ("{", "not JSON"),
        ("[1]", "not a table"),
    ],
)
def test_what_nobody_reads_is_fatal(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "settings.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=complaint):
        settings.load(DEFAULTS, str(file))


def test_a_start_is_held_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert not settings.held()
    settings.hold()
    assert [settings.held(), settings.held()] == [True, False]
