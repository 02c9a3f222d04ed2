"""`wardhub audit verify`: says whether the journal's audit trail is what the agent wrote and the source was told."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from ward_hub.cli.run import DEFAULT_CONFIG
from ward_hub.config import load
from ward_hub.errors import UsageError
from ward_hub.identity import JOURNAL, hub_public
from ward_hub.journal.audit import checked
from ward_hub.journal.held_upstream import compare
from ward_hub.printed import plain_json

SUMMARY = "check the audit trail of this hub's journal, also against receipts that the source holds"


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    one.add_argument("what", choices=("verify",))
    one.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help=f"default: {DEFAULT_CONFIG}")
    one.add_argument(
        "--receipts",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="receipts as the source holds them, signed; a folder stands for the files in it",
    )
    one.add_argument("--json", action="store_true", help="print the head of the trail as JSON")


def act(chosen: argparse.Namespace) -> int:
    """Check, and print where the trail ends; what is wrong with it is an error of one line."""
    config = load(chosen.config)
    state = Path(config.hub.state)
    key = hub_public(state, config.key)
    journal = checked(state / JOURNAL, key)
    head = journal.head
    facts: dict[str, object] = {"entries": head.number, "head": head.chain.hex()}
    lines = [f"{head.number} entries, unbroken; the last is {head.chain.hex()}"]
    if chosen.receipts:
        found = compare(journal, key, _held(chosen.receipts))
        if not found.agreed:
            raise UsageError(f"audit: none of the receipts that were given is by this hub's key {key.kid.hex()}")
        facts |= {"agreed": found.agreed, "acknowledged": journal.acknowledged, "passed_over": found.passed_over}
        lines.append(f"{found.agreed} receipts at the source agree; it acknowledged {journal.acknowledged}")
        if found.passed_over:
            lines.append(f"{found.passed_over} receipts are by other keys and were passed over")
    sys.stdout.write(plain_json(facts) + "\n" if chosen.json else "".join(f"{line}\n" for line in lines))
    return os.EX_OK


def _held(paths: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        for file in sorted(one for one in path.iterdir() if one.is_file()) if path.is_dir() else [path]:
            yield str(file), file.read_bytes()
