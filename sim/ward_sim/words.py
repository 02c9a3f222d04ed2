"""What the simulator says to people, in Vietnamese and English: one dictionary for page and terminal."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

Language = Literal["vi", "en"]

DICTIONARY = Path(__file__).parent / "page" / "static" / "words.json"


@functools.cache
def dictionary() -> Mapping[str, Mapping[str, str]]:
    """Return {key: {"vi": text, "en": text}}, as the page reads it too."""
    return cast("Mapping[str, Mapping[str, str]]", json.loads(DICTIONARY.read_text(encoding="utf-8")))


def say(key: str, language: Language, **values: object) -> str:
    """Return the words of a key with its {name} places filled; KeyError when there is no such key."""
    return dictionary()[key][language].format(**values)


def say_one(family: str, name: str, language: Language) -> str:
    """Return the words for one of a family ("phase", "end"); the bare name when the dictionary lacks it."""
    key = f"{family}.{name}"
    return say(key, language) if key in dictionary() else name


def drill_mark(status: str, language: Language) -> str:
    """Return what stands before the title of a drill, by its CAP status; nothing before what is Actual."""
    return "" if status == "Actual" else f"[{say_one('status', status, language)}] "


def marked(status: str, title: str) -> tuple[str, str]:
    """Return a title with what stands before it, in Vietnamese and in English."""
    return drill_mark(status, "vi") + title, drill_mark(status, "en") + title
