"""`wardhub audit verify`: says whether the journal's audit trail is what the agent wrote."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from ward_hub.cli.run import DEFAULT_CONFIG
from ward_hub.config import load
from ward_hub.identity import JOURNAL, hub_public
from ward_hub.journal.audit import verify

SUMMARY = "check the audit trail of this hub's journal"


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    one.add_argument("what", choices=("verify",))
    one.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help=f"default: {DEFAULT_CONFIG}")
    one.add_argument("--json", action="store_true", help="print the head of the trail as JSON")


def act(chosen: argparse.Namespace) -> int:
    """Check, and print where the trail ends; what is wrong with it is an error of one line."""
    config = load(chosen.config)
    state = Path(config.hub.state)
    head = verify(state / JOURNAL, hub_public(state, config.key))
    if chosen.json:
        sys.stdout.write(json.dumps({"entries": head.number, "head": head.chain.hex()}) + "\n")
    else:
        sys.stdout.write(f"{head.number} entries, unbroken; the last is {head.chain.hex()}\n")
    return os.EX_OK
