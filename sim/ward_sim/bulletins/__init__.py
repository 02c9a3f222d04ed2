"""What the story airs: bulletins written for it, and an alert as an alerting office would issue it.

The ward An Thịnh, the river Đào and the offices are invented, and every address is under a reserved name, so that
nothing here can be taken for a real warning.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from ward_protocol.cap import Alert, CapError, cap_texts, parse, suggested_priority
from ward_protocol.statements import Category, Priority, Status, Text

FOLDER = Path(__file__).parent
LANGUAGE = "vi"
_KEYS = frozenset(["language", "priority", "status", "category", "title", "body"])


class ContentError(ValueError):
    """A file of the story's content cannot be used; the message names the file and the key."""


@dataclass(frozen=True, slots=True)
class StoryBulletin:
    """One bulletin's content; `texts` in the order of the file, `cap` where it came as a CAP alert."""

    name: str
    priority: Priority
    status: Status
    category: Category
    texts: tuple[Text, ...]
    cap: Alert | None = None

    def text(self, language: str = LANGUAGE) -> Text:
        """The text in `language`, else the first."""
        return next((each for each in self.texts if each.language == language), self.texts[0])

    def spoken(self, language: str = LANGUAGE) -> str:
        """What an announcer reads: the title, then the body."""
        text = self.text(language)
        return f"{text.title}.\n{text.body}"


@dataclass(frozen=True, slots=True)
class StoryContent:
    """Every bulletin of the story, by its part in it; `forged` is signed by somebody without a grant."""

    normal: StoryBulletin
    emergency: StoryBulletin
    after_outage: StoryBulletin
    forged: StoryBulletin
    test: StoryBulletin


def load_story(folder: Path = FOLDER) -> StoryContent:
    """The content from the files in `folder`. Raises ContentError."""
    return StoryContent(
        normal=load_toml(folder / "normal.toml"),
        emergency=load_cap(folder / "emergency.cap.xml"),
        after_outage=load_toml(folder / "after_outage.toml"),
        forged=load_toml(folder / "forged.toml"),
        test=load_toml(folder / "test.toml"),
    )


def load_toml(file: Path) -> StoryBulletin:
    """A bulletin in one language from its TOML file. Raises ContentError."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ContentError(f"{file}: {error}") from error
    odd = _KEYS.symmetric_difference(table)
    if odd:
        raise ContentError(f"{file}: missing or unknown: {', '.join(sorted(odd))}")
    strange = [key for key in _KEYS if not isinstance(table[key], str)]
    if strange:
        raise ContentError(f"{file}: not a string: {', '.join(sorted(strange))}")
    try:
        return StoryBulletin(
            name=file.stem,
            priority=Priority[table["priority"].upper()],
            status=Status(table["status"]),
            category=Category(table["category"]),
            texts=(Text(table["language"], table["title"], table["body"]),),
        )
    except (KeyError, ValueError) as error:
        raise ContentError(f"{file}: {error}") from error


def load_cap(file: Path) -> StoryBulletin:
    """A bulletin from a CAP file, with the priority that its urgency and severity suggest. Raises ContentError."""
    try:
        alert = parse(file.read_bytes())
        status = Status(alert.status)
    except (OSError, ValueError, CapError) as error:
        raise ContentError(f"{file}: {error}") from error
    if not alert.info:
        raise ContentError(f"{file}: the alert has no info, so there is nothing to air")
    texts = [Text(each.language.partition("-")[0], each.title, each.body) for each in cap_texts(alert).values()]
    return StoryBulletin(
        name=file.name.partition(".")[0],
        priority=suggested_priority(alert),
        status=status,
        category=alert.info[0].category[0],
        texts=tuple(texts),
        cap=alert,
    )
