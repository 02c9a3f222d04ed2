"""What the agent says of an amplifier or a board, in words: one line each, whatever the language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ward_hub.i18n import translator

Words = Callable[[str], str]
READINGS = ("supply_mv", "temperature_dc", "trips")


def amplifier_in_words(one: Mapping[str, Any], language: str) -> str:
    """Return what is known of an amplifier: what is ordered closed, what it last read, and what its meter did."""
    _ = translator(language)
    told = [_("closed: %s") % ", ".join(one["closed"]) if one["closed"] else _("everything open")]
    if one["in_doubt"]:
        told.append(_("unconfirmed: the last order was not read back"))
    told += _readings(one, _)
    return f"{one['name']}: {'; '.join(told)}"


def board_in_words(one: Mapping[str, Any], language: str) -> str:
    """Return what is known of a board: its size where it answers, and whether it shows something."""
    _ = translator(language)
    told = [_("no answer") if one["size"] is None else _("%s pixels") % one["size"]]
    told.append(_("shows a message") if one["showing"] else _("dark"))
    return f"{one['id']}: {'; '.join(told)}"


def _readings(one: Mapping[str, Any], _: Words) -> Iterator[str]:
    if all(one[name] is None for name in READINGS):
        yield _("no reading yet")
    if one["supply_mv"] is not None:
        yield _("supply %.1f V") % (one["supply_mv"] / 1000)
    if one["temperature_dc"] is not None:
        yield _("temperature %.1f °C") % (one["temperature_dc"] / 10)
    if one["trips"] is not None:
        yield _("fell open by itself %d times") % one["trips"]
    if one["meter"] is not None:
        yield _("measured %(value)g %(unit)s") % one["meter"]
