"""What is said of an emergency that may be late: in Vietnam's time, in words that speech can say."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.statements import BULLETIN, NOW

from ward_hub.i18n import LANGUAGES
from ward_hub.playout.lateness import issue_notice, issue_notices, lateness
from ward_protocol.statements import TimeTrust

NONE, COARSE, GOOD = TimeTrust
NEW_YEARS_EVE = int(datetime(2026, 12, 31, 17, 5, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "This message was issued at 0 hours 5 minutes, day 1 month 1 year 2027."),
        ("vi", "Thông báo này được phát hành lúc 0 giờ 5 phút, ngày 1 tháng 1 năm 2027."),
    ],
)
def test_it_is_the_time_on_the_wall_in_vietnam(language: str, sentence: str) -> None:
    assert issue_notice(NEW_YEARS_EVE, language) == sentence


@given(st.integers(0, 2**53), st.sampled_from(LANGUAGES))
def test_whatever_an_author_wrote_it_is_words_and_plain_numbers(issued: int, language: str) -> None:
    sentence = issue_notice(issued, language)
    assert re.fullmatch(r"[\w ,]+\.", sentence)
    assert all(len(number) <= 4 for number in re.findall(r"\d+", sentence))


@pytest.mark.parametrize("trust", [COARSE, GOOD])
def test_where_the_time_is_known_nothing_is_said(trust: TimeTrust) -> None:
    assert issue_notices(BULLETIN, trust, "vi") == ()
    assert lateness(BULLETIN, NOW + 100.0, trust) == ""


def test_where_it_is_not_the_issue_is_said_and_the_lateness_told() -> None:
    assert issue_notices(BULLETIN, NONE, "vi") == (issue_notice(BULLETIN.issued, "vi"),)
    by = "by this hub's clock, whose trust is none"
    assert lateness(BULLETIN, NOW + 100.9, NONE) == f"aired 100 s after issue {by}"
    assert lateness(BULLETIN, NOW - 50.0, NONE) == f"aired 50 s before its issue {by}"
