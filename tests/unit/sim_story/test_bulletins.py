"""The story's content: complete, showable, of the right length, and every mistake in a file named."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from ward_hub.render import check_text
from ward_protocol.cap import AlertStatus
from ward_protocol.statements import Priority, Status
from ward_sim.bulletins import FOLDER, ContentError, StoryBulletin, load_cap, load_story, load_toml

STORY = load_story()
ALL: list[StoryBulletin] = [getattr(STORY, field.name) for field in dataclasses.fields(STORY)]


def test_each_plays_its_part() -> None:
    assert (STORY.normal.priority, STORY.normal.status) == (Priority.NORMAL, Status.ACTUAL)
    assert (STORY.after_outage.priority, STORY.after_outage.status) == (Priority.NORMAL, Status.ACTUAL)
    assert (STORY.emergency.priority, STORY.emergency.status) == (Priority.EMERGENCY, Status.ACTUAL)
    assert (STORY.forged.priority, STORY.forged.status) == (Priority.EMERGENCY, Status.ACTUAL)
    assert STORY.test.status is Status.TEST
    assert len({each.text().title for each in ALL}) == len(ALL)


def test_the_emergency_is_an_alert_in_two_languages() -> None:
    alert = STORY.emergency.cap
    assert alert is not None
    assert alert.status is AlertStatus.ACTUAL
    assert [each.language for each in STORY.emergency.texts] == ["vi", "en"]
    assert STORY.emergency.text("en").title == "Flood emergency on the Dao river"
    assert STORY.emergency.text("tay") == STORY.emergency.text("vi")


@pytest.mark.parametrize("bulletin", ALL, ids=lambda each: each.name)
def test_boards_can_show_it(bulletin: StoryBulletin) -> None:
    for text in bulletin.texts:
        assert check_text(text.title + text.body) == []
        assert text.body == text.body.strip()


@pytest.mark.parametrize("bulletin", ALL, ids=lambda each: each.name)
def test_it_is_spoken_with_its_title_first(bulletin: StoryBulletin) -> None:
    assert bulletin.spoken().startswith(bulletin.text().title + ".\n")


GOOD = (FOLDER / "normal.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('status = "Actual"', "", "missing or unknown: status"),
        ("language", "tongue", "missing or unknown: language, tongue"),
        ('title = "', 'title = 5 # "', "not a string: title"),
        ('"normal"', '"urgent"', "URGENT"),
        ('"Health"', '"Weather"', "Weather"),
        ("title =", "title", "normal.toml"),
    ],
)
def test_a_mistake_in_a_file_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = tmp_path / "normal.toml"
    file.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ContentError, match=said) as refused:
        load_toml(file)
    assert str(file) in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("<status>Actual", "<status>Draft", "Draft"),
        ("<event>", "<evnt>", "not well-formed"),
        ("<sender>", "<sender>a b", "alert/sender"),
    ],
)
def test_a_mistake_in_an_alert_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = tmp_path / "emergency.cap.xml"
    file.write_text((FOLDER / file.name).read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ContentError, match=said):
        load_cap(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match=r"normal\.toml"):
        load_story(tmp_path)
