"""What a refusal means, for whoever stands in a ward: every reason of the intake has words in both languages."""

from __future__ import annotations

import pytest

from ward_hub.cli.verdicts import explained
from ward_protocol.reasons import Reason


@pytest.mark.parametrize("reason", Reason, ids=lambda one: one.word)
def test_every_reason_is_explained_in_both_languages(reason: Reason) -> None:
    words = f"{reason.word}: why"
    english, vietnamese = explained(words, "en"), explained(words, "vi")
    assert english.startswith(f"{words} (")
    assert vietnamese.startswith(f"{words} (")
    assert english != vietnamese


@pytest.mark.parametrize(
    ("reason", "means"),
    [
        (Reason.TOO_LARGE, "the file is damaged, or made for another version"),
        (Reason.UNKNOWN_FIELD, "the file is damaged, or made for another version"),
        (Reason.UNKNOWN_KEY, "it lacks the signatures that count here"),
        (Reason.THRESHOLD_NOT_MET, "it lacks the signatures that count here"),
        (Reason.UNKNOWN_AUTHORITY, "this hub knows nothing of its issuer"),
        (Reason.AUTHORITY_EXPIRED, "its issuer may not issue this, or not any longer"),
        (Reason.KIND_NOT_GRANTED, "its issuer may not issue this, or not any longer"),
        (Reason.NOT_FOR_THIS_HUB, "it is meant for other hubs"),
        (Reason.EXPIRED, "its time is over"),
        (Reason.REPLAYED, "this hub has decided about it before"),
        (Reason.SEQUENCE_TOO_FAR, "its number is far beyond its issuer's last"),
        (Reason.VERSION_ROLLBACK, "this hub has a newer one, or its clock differs from the issuer's"),
        (Reason.CHARACTER_NOT_IN_FONT, "this hub cannot show or play what it holds"),
    ],
)
def test_what_it_means(reason: Reason, means: str) -> None:
    assert explained(f"{reason.word}: why", "en") == f"{reason.word}: why ({means})"


@pytest.mark.parametrize("words", ["", "at most 65536 bytes", "the stick is gone: see"])
def test_other_words_stay_as_they_are(words: str) -> None:
    assert explained(words, "vi") == words
