"""`wardhub blank`: no board shows anything, or some do not, whatever comes; with no network and no signature."""

from __future__ import annotations

import argparse

from ward_hub.cli.at_the_hub import common, state_of, tell
from ward_hub.cli.held import outlets_in_words
from ward_hub.control import ask
from ward_hub.i18n import translator

SUMMARY = "let no board show anything, emergencies included, until `wardhub resume`"


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    one.add_argument("--board", action="append", default=[], help="only this board; may be given several times")
    common(one)


def act(chosen: argparse.Namespace) -> int:
    """Blank, and say what is blanked now."""
    closed = ask(state_of(chosen), "blank", only=chosen.board)
    _ = translator(chosen.lang)
    words = outlets_in_words(closed, chosen.lang)
    return tell(chosen, closed, [_("Blanked: %s") % words, _("Only `wardhub resume` at this hub ends it.")])
