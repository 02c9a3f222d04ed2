"""`wardhub queue`: what is to air, listed or purged."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from ward_hub.cli.at_the_hub import common, state_of, tell
from ward_hub.cli.drills import mark
from ward_hub.cli.held import line
from ward_hub.control import ask
from ward_hub.errors import UsageError
from ward_hub.i18n import translator

SUMMARY = "list what is to air and why it waits, or purge it"


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    one.add_argument("what", choices=("list", "purge"))
    one.add_argument("id", nargs="*", help="for purge: the first digits of the ids")
    one.add_argument("--all", action="store_true", help="for purge: everything, what is on air included")
    common(one)


def act(chosen: argparse.Namespace) -> int:
    """List or purge."""
    if chosen.what == "list":
        lines = ask(state_of(chosen), "queue")
        return tell(chosen, lines, [_line(one, chosen.lang) for one in lines])
    if bool(chosen.id) == chosen.all:
        raise UsageError("queue purge: name ids, or --all")
    gone = ask(state_of(chosen), "purge", ids=chosen.id, all=chosen.all)
    _ = translator(chosen.lang)
    return tell(chosen, gone, [_("Purged: %s") % one for one in gone] or [_("Nothing was purged.")])


def _line(one: dict[str, Any], language: str) -> str:
    _ = translator(language)
    priority = {"normal": _("normal"), "priority": _("priority"), "emergency": _("emergency")}[one["priority"]]
    status = {"Actual": _("Actual"), "Exercise": _("Exercise"), "Test": _("Test")}[one["status"]]
    since = _("since %s") % one["since"]
    title = f"{one['issuer']}: {mark(one['status'], language)}{one['title']}"
    return "  ".join([one["id"][:16], priority, status, since, "; ".join(_why(one, language)), title])


def _why(one: dict[str, Any], language: str) -> Iterator[str]:
    """Give why it does not air yet, and what it would air without."""
    _ = translator(language)
    if one["on_air"]:
        yield _("on air")
    for what in one["waits"]:
        match what:
            case "time":
                yield _("waits for its time, %s") % one["not_before"]
            case "clock":
                yield _("waits until the time is known")
            case "recording":
                yield _("waits for its recording")
            case "turn":
                yield _("waits for its turn")
            case _other:
                yield _("all that it could use is closed")
    yield from (line(hold, language) for hold in one["held_by"])
