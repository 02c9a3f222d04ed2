"""A hub's refusals for whoever stands in a ward: the reason's word says which rule, this says what it means to them."""

from __future__ import annotations

from ward_hub.i18n import translator
from ward_protocol.reasons import Reason

BY_WORD = {one.word: one for one in Reason}
LAST_OF_BYTES, LAST_OF_SIGNATURES, LAST_OF_GRANTS, LAST_OF_STATEMENT = 19, 39, 45, 69


def explained(words: str, language: str) -> str:
    """Return a refusal, `reason-word: detail`, with what it means; other words come back as they are."""
    reason = BY_WORD.get(words.partition(":")[0])
    return words if reason is None else f"{words} ({_meaning(reason, language)})"


def _meaning(reason: Reason, language: str) -> str:
    _ = translator(language)
    single = {
        Reason.UNKNOWN_AUTHORITY: _("this hub knows nothing of its issuer"),
        Reason.NOT_FOR_THIS_HUB: _("it is meant for other hubs"),
        Reason.EXPIRED: _("its time is over"),
        Reason.REPLAYED: _("this hub has decided about it before"),
        Reason.SEQUENCE_TOO_FAR: _("its number is far beyond its issuer's last"),
    }
    several = (
        (LAST_OF_BYTES, _("the file is damaged, or made for another version")),
        (LAST_OF_SIGNATURES, _("it lacks the signatures that count here")),
        (LAST_OF_GRANTS, _("its issuer may not issue this, or not any longer")),
        (LAST_OF_STATEMENT, _("this hub has a newer one, or its clock differs from the issuer's")),
        (max(Reason), _("this hub cannot show or play what it holds")),
    )
    return single.get(reason) or next(words for last, words in several if reason <= last)
