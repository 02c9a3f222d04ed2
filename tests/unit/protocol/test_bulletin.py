"""What a bulletin is called in lists and logs: nobody takes a drill for real, nor what is real for a drill."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.statements import BULLETIN

from ward_protocol.statements import Status

TITLE = BULLETIN.texts[0].title


@pytest.mark.parametrize(
    ("status", "label"),
    [(Status.ACTUAL, TITLE), (Status.TEST, f"[TEST] {TITLE}"), (Status.EXERCISE, f"[EXERCISE] {TITLE}")],
)
def test_the_label_of_a_drill_begins_with_its_status(status: Status, label: str) -> None:
    one = replace(BULLETIN, status=status)
    assert one.label == label
    assert one.is_drill is (status is not Status.ACTUAL)


def test_without_a_text_the_recording_names_it() -> None:
    assert replace(BULLETIN, texts=(), status=Status.TEST).label == "[TEST] " + "01" * 8
    assert replace(BULLETIN, texts=(), audio=()).label == ""
