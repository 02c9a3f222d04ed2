"""`wardhub root`: makes root 1 from a ceremony's draft, or the next root from the one in force."""

from __future__ import annotations

import argparse
from pathlib import Path

from ward_hub.cli.documents import out_arguments, root_at, seconds_now, tell
from ward_hub.cli.keys import key_argument, signing_with
from ward_hub.publisher.drafts import RootDraft, read_draft
from ward_hub.publisher.roots import root_of
from ward_hub.publisher.standing import need_use, standings
from ward_protocol.envelope import Envelope, sign

SUMMARY = "make the first root, or the next one, and sign it"


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    one.add_argument("file", type=Path, help="the draft (.toml): keys, roles with thresholds, expires or days")
    one.add_argument("--after", type=Path, metavar="ROOT", help="the root in force, which this one follows")
    key_argument(one)
    out_arguments(one)


def act(chosen: argparse.Namespace) -> int:
    """Make, check, sign and write the root."""
    before = root_at(chosen.after) if chosen.after else None
    draft = read_draft(chosen.file, RootDraft)
    root = root_of(draft, chosen.file.parent, before, seconds_now())
    with signing_with(chosen.key, chosen.lang) as signers:
        data = sign(root, signers)
    envelope = Envelope.open(data)
    need_use(envelope, [one.public.kid for one in signers], standings(envelope, before))
    return tell(chosen, data, before)
