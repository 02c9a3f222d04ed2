"""The ready-made correction of what was aired in error: nobody has to find words while a false alert is believed.

A cancel that asks for it makes every hub that had the bulletin on air say so on the same outputs, with the same
priority, as often. What it says is fixed; so whoever may take a bulletin back can make a hub say nothing else by it.
"""

from __future__ import annotations

from ward_hub.i18n import LANGUAGES, translator
from ward_hub.versions import text_for
from ward_protocol.statements import Bulletin, Cancel, Priority, Text


def correction(target: Bulletin, cancel: Cancel) -> Bulletin | None:
    """Return the bulletin that corrects `target`; None where the cancel does not ask for it, or is not its issuer's.

    None as well for a drill: nobody was to believe it. A correction takes the place of what it corrects: its outputs,
    its priority, its repeats, and the time from which it could air.
    """
    if not cancel.announce or target.is_drill or target.issuer != cancel.issuer:
        return None
    return Bulletin(
        issuer=cancel.issuer,
        sequence=cancel.sequence,
        issued=cancel.issued,
        not_before=min(target.not_before, cancel.expires - 1),
        expires=cancel.expires,
        audience=target.audience,
        priority=target.priority,
        status=target.status,
        texts=tuple(_text(target, language) for language in LANGUAGES),
        repeats=target.repeats,
    )


def unsays(target: Bulletin, cancel: Cancel) -> Priority:
    """Return the priority whose signatures the cancel takes: "there is no danger" is as much as the alert was."""
    return Priority.NORMAL if correction(target, cancel) is None else target.priority


def _text(target: Bulletin, language: str) -> Text:
    _ = translator(language)
    wrong = text_for(target, language)
    if wrong is None:
        said = _("The previous message was sent in error. There is no danger.")
    else:
        said = _("The previous message, “%s”, was sent in error. There is no danger.") % wrong.title
    return Text(language, _("Correction"), said)
