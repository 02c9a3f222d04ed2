"""`wardhub queue`: what is to air, listed or purged."""

from __future__ import annotations

import argparse
from typing import Any

from ward_hub.cli.at_the_hub import common, state_of, tell
from ward_hub.cli.drills import mark
from ward_hub.control import ask
from ward_hub.errors import UsageError
from ward_hub.i18n import translator

SUMMARY = "list what is to air, or purge it"


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
    if one["on_air"]:
        where = _("on air")
    elif one["waits_for_the_time"]:
        where = _("waits until the time is known")
    else:
        where = _("waits") if one["ready"] else _("waits for its recording")
    title = mark(one["status"], language) + one["title"]
    return f"{one['id'][:16]}  {one['priority']}  {where}  {one['not_before']}  {one['issuer']}: {title}"
