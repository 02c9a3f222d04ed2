"""Holds in words: what is silenced or blanked, by whom, until when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ward_hub.i18n import translator


def outlets_in_words(outlets: list[str], language: str) -> str:
    """Return names in a row, `all` where there are none."""
    _ = translator(language)
    return ", ".join(outlets) or _("all")


def giver(one: Mapping[str, Any], language: str) -> str:
    """Return who set a hold."""
    _ = translator(language)
    if "order" not in one:
        return _("a command at the hub")
    return _("order %(order)d of %(issuer)s") % one


def line(one: Mapping[str, Any], language: str) -> str:
    """Return a hold as a line of its own, with how it ends."""
    _ = translator(language)
    what = _("Silenced: %s") if one["what"] == "silence" else _("Blanked: %s")
    told = [what % outlets_in_words(one["outlets"], language), _("by %s") % giver(one, language)]
    told.append(_("since %s") % one["since"])
    if "order" not in one:
        told.append(_("until `wardhub resume` at this hub"))
    elif one["until"]:
        told.append(_("until %s") % one["until"])
    else:
        told.append(_("until an order to resume"))
    return ", ".join(told)
