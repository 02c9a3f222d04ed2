"""What the commands that ask the running agent have in common."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from ward_hub.cli.run import DEFAULT_CONFIG
from ward_hub.config import load
from ward_hub.i18n import DEFAULT_LANGUAGE, LANGUAGES
from ward_hub.printed import one_line, plain_json


def common(one: argparse.ArgumentParser) -> None:
    """Declare the arguments that all of them take."""
    one.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help=f"default: {DEFAULT_CONFIG}")
    one.add_argument("--lang", choices=LANGUAGES, default=DEFAULT_LANGUAGE)
    one.add_argument("--json", action="store_true", help="print the answer as JSON")


def state_of(chosen: argparse.Namespace) -> Path:
    """Return the state directory of the hub that is meant."""
    return Path(load(chosen.config).hub.state)


def tell(chosen: argparse.Namespace, answer: object, lines: Iterable[str]) -> int:
    """Print the answer as JSON where that is asked for, else the lines; return the exit status."""
    if chosen.json:
        sys.stdout.write(plain_json(answer) + "\n")
    else:
        sys.stdout.writelines(one_line(line) + "\n" for line in lines)
    return os.EX_OK
