"""`wardhub resume`: ends what was silenced and blanked at this hub; what orders silence stays silent."""

from __future__ import annotations

import argparse

from ward_hub.cli.at_the_hub import common, state_of, tell
from ward_hub.cli.held import line
from ward_hub.control import ask
from ward_hub.i18n import translator

SUMMARY = "end what was silenced and blanked at this hub"


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    common(one)


def act(chosen: argparse.Namespace) -> int:
    """Resume, and say what was held, and what orders hold still."""
    answer = ask(state_of(chosen), "resume")
    _ = translator(chosen.lang)
    nothing, over = (
        _("Nothing was silenced or blanked at this hub."),
        _("What was silenced or blanked at this hub is over."),
    )
    standing = [line(one, chosen.lang) for one in answer["standing"]]
    return tell(chosen, answer, [over if answer["ended"] else nothing, *standing])
