"""The entry point of `wardhub`: reads the arguments, runs one command, turns errors into one line and an exit status.

Exit statuses are those of sysexits.h.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import NoReturn

from ward_hub.errors import (
    AgentDown,
    ConfigError,
    HubError,
    NotWritten,
    PinRefused,
    StateError,
    TokenError,
    UsageError,
)
from ward_hub.links import Refused, SourceError
from ward_hub.one_line import one_line
from ward_hw.errors import HardwareError
from ward_protocol.errors import ProtocolError

COMMANDS = (
    "run",
    "check-config",
    "enrol",
    "keygen",
    "root",
    "grants",
    "beat",
    "sign",
    "inspect",
    "publish",
    "push",
    "bundle",
    "audit",
    "bus",
    "speak",
    "status",
    "queue",
    "stop",
    "silence",
    "blank",
    "resume",
)
# What each kind of error means to the shell, the narrower kinds first.
STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (UsageError, os.EX_USAGE),
    (AgentDown, os.EX_UNAVAILABLE),
    (ConfigError, os.EX_CONFIG),
    (PinRefused, os.EX_CONFIG),  # systemd starts nothing again for that: every start would be a try
    (TokenError, os.EX_UNAVAILABLE),
    (NotWritten, os.EX_CANTCREAT),
    (StateError, os.EX_NOINPUT),
    (ProtocolError, os.EX_DATAERR),
    (Refused, os.EX_NOPERM),
    (SourceError, os.EX_UNAVAILABLE),
    (HardwareError, os.EX_UNAVAILABLE),
    (FileExistsError, os.EX_CANTCREAT),
    (FileNotFoundError, os.EX_NOINPUT),
    (OSError, os.EX_IOERR),
    (HubError, os.EX_DATAERR),
)


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and exits as sysexits.h has it."""

    def error(self, message: str) -> NoReturn:
        """Refuse the arguments."""
        self.exit(os.EX_USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def parser(only: str = "") -> argparse.ArgumentParser:
    """Return the parser of all commands, or of one alone: the agent, which runs for months, loads no other."""
    top = Parser(prog="wardhub", description="The agent of one ward's loudspeakers and boards, and its tools.")
    top.add_argument("--version", action="version", version=f"wardhub {version('wardhub')}")
    commands = top.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    for name in (only,) if only in COMMANDS else COMMANDS:
        module = import_module(f"ward_hub.cli.{name.replace('-', '_')}")
        one = commands.add_parser(name, help=module.SUMMARY)
        module.arguments(one)
        one.set_defaults(act=module.act)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    chosen = parser(given[0] if given else "").parse_args(given)
    try:
        done: int = chosen.act(chosen)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        for kind, number in STATUSES:
            if isinstance(error, kind):
                sys.stderr.write(f"wardhub: {one_line(' '.join(str(error).split()))}\n")
                return number
        raise
    return done
