"""`wardhub stop`: silence, with no network and no signature."""

from __future__ import annotations

import argparse

from ward_hub.cli.at_the_hub import common, state_of, tell
from ward_hub.control import ask
from ward_hub.i18n import translator

SUMMARY = "end what is on air, at once"


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    common(one)


def act(chosen: argparse.Namespace) -> int:
    """Stop what is on air and say what it was."""
    stopped = ask(state_of(chosen), "stop")
    _ = translator(chosen.lang)
    return tell(chosen, stopped, [_("Stopped: %s") % stopped if stopped else _("Nothing is on air.")])
