"""`wardhub run`: the agent."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from types import TracebackType

from ward_hub import agent
from ward_hub.config import Config, load
from ward_hub.errors import StateError
from ward_hub.identity import JOURNAL
from ward_hub.journal import JournalFailure
from ward_hub.printed import one_line

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
DEFAULT_CONFIG = Path("/etc/wardhub/hub.toml")

SUMMARY = "run the agent"


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    one.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help=f"default: {DEFAULT_CONFIG}")


def act(chosen: argparse.Namespace) -> int:
    """Run the agent until SIGTERM or SIGINT."""
    config = load(chosen.config)
    _log_to_stderr(config.hub.log_level)
    try:
        asyncio.run(_until_signal(config))
    except JournalFailure as error:
        raise StateError(f"{Path(config.hub.state) / JOURNAL}: the journal cannot be used: {error}") from error
    return os.EX_OK


async def _until_signal(config: Config) -> None:
    task = asyncio.create_task(agent.run(config))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        if not task.cancelled():
            raise


class OneLine(logging.Formatter):
    """Makes each message one line that no terminal obeys: some of its words were written by strangers."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        """Return the line, without the traceback that may follow it."""
        return one_line(super().formatMessage(record))

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 - the library's name
        """Return a traceback, whose last words may be a stranger's, further in than any line of ours begins."""
        return "\n".join(f"  {one_line(line)}" for line in super().formatException(ei).splitlines())


def _log_to_stderr(level: str) -> None:
    # The journal of systemd stamps lines itself; elsewhere the reader wants to know when.
    stamp = "" if "JOURNAL_STREAM" in os.environ else "%(asctime)s "
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine(f"{stamp}%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    for noisy in ("pymodbus", "coap", "asyncio", "PIL"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL if noisy == "pymodbus" else logging.WARNING)
