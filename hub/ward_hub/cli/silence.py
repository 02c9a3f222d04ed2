"""`wardhub silence`: no loudspeaker sounds, or some do not, whatever comes; with no network and no signature."""

from __future__ import annotations

import argparse

from ward_hub.cli.at_the_hub import common, state_of, tell
from ward_hub.cli.held import outlets_in_words
from ward_hub.control import ask
from ward_hub.i18n import translator

SUMMARY = "let no loudspeaker sound, emergencies included, until `wardhub resume`"


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    one.add_argument("--zone", action="append", default=[], help="only this zone; may be given several times")
    common(one)


def act(chosen: argparse.Namespace) -> int:
    """Silence, and say what is silenced now."""
    closed = ask(state_of(chosen), "silence", only=chosen.zone)
    _ = translator(chosen.lang)
    words = outlets_in_words(closed, chosen.lang)
    return tell(chosen, closed, [_("Silenced: %s") % words, _("Only `wardhub resume` at this hub ends it.")])
