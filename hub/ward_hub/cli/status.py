"""`wardhub status`: what the running agent knows."""

from __future__ import annotations

import argparse

from ward_hub.cli.at_the_hub import common, state_of, tell
from ward_hub.cli.held import line
from ward_hub.control import ask
from ward_protocol.cbor import is_array, is_map

SUMMARY = "say what the running agent knows: the time and why, the source, what is on air and held, its outputs"


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    common(one)


def act(chosen: argparse.Namespace) -> int:
    """Print the agent's status, a line for each thing known."""
    known = ask(state_of(chosen), "status")
    lines = [f"{name}: {_words(value)}" for name, value in known.items() if name != "held"]
    return tell(chosen, known, [*lines, *(line(one, chosen.lang) for one in known["held"])])


def _words(value: object) -> str:
    if is_array(value):
        return "".join(f"\n  {_words(one)}" for one in value) or "-"
    if is_map(value):
        return ", ".join(f"{name} {_words(one)}" for name, one in value.items() if one is not None)
    return "-" if value is None else str(value)
