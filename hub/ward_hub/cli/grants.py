"""`wardhub grants`: makes the grants, all authorities at once, under the root in force."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ward_hub.cli.documents import opened, out_arguments, root_at, seconds_now, tell
from ward_hub.cli.keys import key_argument, signing_with
from ward_hub.printed import one_line
from ward_hub.publisher.changes import changes
from ward_hub.publisher.drafts import GrantsDraft, read_draft
from ward_hub.publisher.grants import grants_of
from ward_hub.publisher.standing import need_use, standings
from ward_protocol.envelope import Envelope, sign
from ward_protocol.statements import Grants

SUMMARY = "make the grants, the first or the next, and sign them"


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    one.add_argument("file", type=Path, help="the draft (.toml): an [[authority]] each, expires or days")
    one.add_argument("--root", type=Path, required=True, help="the root in force")
    one.add_argument("--after", type=Path, metavar="GRANTS", help="the grants in force, which these replace")
    key_argument(one)
    out_arguments(one)


def act(chosen: argparse.Namespace) -> int:
    """Make, check, sign and write the grants; say what they change."""
    root = root_at(chosen.root)
    before = opened(chosen.after, Grants) if chosen.after else None
    grants = grants_of(read_draft(chosen.file, GrantsDraft), chosen.file.parent, root, before, seconds_now())
    with signing_with(chosen.key, chosen.lang) as signers:
        data = sign(grants, signers)
    envelope = Envelope.open(data)
    need_use(envelope, [one.public.kid for one in signers], standings(envelope, root))
    status = tell(chosen, data, root)
    if not chosen.json:
        sys.stdout.writelines(one_line(f"  {line}") + "\n" for line in changes(grants, before))
    return status
