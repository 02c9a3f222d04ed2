"""What the agent says of an amplifier or a board, in words: one line each, whatever the language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ward_hub.i18n import translator

Words = Callable[[str], str]
READINGS = ("supply_mv", "current_ma", "temperature_dc", "trips", "last_trip", "lasting", "latched")


def amplifier_in_words(one: Mapping[str, Any], language: str) -> str:
    """Return what is known of an amplifier: what is ordered closed, what it last read, and what its meter did."""
    _ = translator(language)
    told = [_("closed: %s") % ", ".join(one["closed"]) if one["closed"] else _("everything open")]
    if one["in_doubt"]:
        told.append(_("unconfirmed: the last order was not read back"))
    if one["another_answers"]:
        told.append(_("another controller answers to its number"))
    told += _readings(one, _)
    return f"{one['name']}: {'; '.join(told)}"


def board_in_words(one: Mapping[str, Any], language: str) -> str:
    """Return what is known of a board: its size where it answers, and whether it shows something."""
    _ = translator(language)
    told = [_("no answer") if one["size"] is None else _("%s pixels") % one["size"]]
    told.append(_("shows a message") if one["showing"] else _("dark"))
    return f"{one['id']}: {'; '.join(told)}"


def _readings(one: Mapping[str, Any], _: Words) -> Iterator[str]:
    if all(one[name] in (None, []) for name in READINGS):
        yield _("no reading yet")
    if one["supply_mv"] is not None:
        yield _("supply %.1f V") % (one["supply_mv"] / 1000)
    if one["current_ma"] is not None:
        yield _("current %.2f A") % (one["current_ma"] / 1000)
    if one["temperature_dc"] is not None:
        yield _("temperature %.1f °C") % (one["temperature_dc"] / 10)
    if one["trips"] is not None:
        yield _("fell open by itself %d times") % one["trips"]
    if one["last_trip"] not in (None, "none"):
        yield _("last time: %s") % _cause(one["last_trip"], _)
    if one["lasting"]:
        yield _("forbids to close relays: %s") % ", ".join(_cause(cause, _) for cause in one["lasting"])
    if one["latched"]:
        yield _("keeps relays %s open until they are ordered open") % ", ".join(map(str, one["latched"]))
    if one["meter"] is not None:
        yield _("measured %(value)g %(unit)s") % one["meter"]


def _cause(word: str, _: Words) -> str:
    return {
        "lease": _("not renewed"),
        "on-time": _("on for too long"),
        "temperature": _("too hot"),
        "current": _("too much current"),
        "voltage": _("too little supply"),
    }.get(word, word)
