"""The correction of what was aired in error: fixed words, the outputs and the precedence of what it corrects."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.statements import BULLETIN, NOW, RECALL

from ward_hub.correction import correction, unsays
from ward_hub.i18n import LANGUAGES
from ward_hub.render import check_text
from ward_protocol.statements import Bulletin, Priority, Status, Text
from ward_protocol.statements.bulletin import MAX_BODY

ALERT = replace(BULLETIN, texts=(Text("vi", "Lũ quét", "Chạy ngay."), Text("en", "Flash flood", "Run.")))
LATER = replace(RECALL, sequence=9, issued=NOW + 120, expires=NOW + 7200)


def made(target: Bulletin = ALERT) -> Bulletin:
    found = correction(target, LATER)
    assert found is not None
    return found


def test_it_says_in_both_languages_what_was_wrong_and_that_there_is_no_danger() -> None:
    assert made().texts == (
        Text("vi", "Đính chính", "Bản tin trước, “Lũ quét”, đã phát nhầm. Không có nguy hiểm."),
        Text("en", "Correction", "The previous message, “Flash flood”, was sent in error. There is no danger."),
    )


def test_of_a_recording_without_a_text_it_says_the_same_without_a_title() -> None:
    assert [text.body for text in made(replace(ALERT, texts=())).texts] == [
        "Bản tin trước đã phát nhầm. Không có nguy hiểm.",
        "The previous message was sent in error. There is no danger.",
    ]


@pytest.mark.parametrize("priority", Priority)
def test_it_takes_the_place_of_what_it_corrects(priority: Priority) -> None:
    wrong = replace(ALERT, priority=priority, repeats=3)
    right = made(wrong)
    assert (right.priority, right.audience, right.repeats) == (priority, wrong.audience, 3)
    assert right.not_before == wrong.not_before, "so it goes before all that came after"
    assert (right.issuer, right.sequence, right.issued, right.expires) == ("ward", 9, NOW + 120, NOW + 7200)
    assert not right.is_drill
    assert (right.audio, right.cap, right.supersedes, right.approver) == ((), None, (), "")


@pytest.mark.parametrize("status", [Status.TEST, Status.EXERCISE])
def test_a_drill_needs_none(status: Status) -> None:
    assert correction(replace(ALERT, status=status), LATER) is None
    assert unsays(replace(ALERT, status=status), LATER) is Priority.NORMAL


def test_it_is_made_only_where_the_cancel_asks_for_it_and_is_of_the_same_issuer() -> None:
    assert correction(ALERT, replace(LATER, announce=False)) is None
    assert correction(replace(ALERT, issuer="office"), LATER) is None
    assert unsays(ALERT, replace(LATER, announce=False)) is Priority.NORMAL


@pytest.mark.parametrize("priority", Priority)
def test_it_takes_the_signatures_of_what_it_unsays(priority: Priority) -> None:
    assert unsays(replace(ALERT, priority=priority), LATER) is priority


def test_it_can_be_shown_and_spoken_whatever_it_corrects() -> None:
    longest = "Ề" * 200
    wrong = replace(ALERT, texts=(Text("km", longest, "x" * MAX_BODY),), not_before=NOW + 10**6, expires=NOW + 10**7)
    right = made(wrong)
    assert longest in right.texts[0].body
    assert right.not_before < right.expires
    for text in right.texts:
        assert check_text(text.title + text.body) == []
    assert [text.language for text in right.texts] == list(LANGUAGES)
