"""`wardhub beat`: signs one beat, as a source does every few seconds."""

from __future__ import annotations

import argparse
from pathlib import Path

from ward_hub.cli.documents import grants_at, opened, out_arguments, root_at, seconds_now, tell
from ward_hub.cli.keys import KEY_HELP, language_argument, signing_with
from ward_hub.errors import UsageError
from ward_hub.publisher.errors import CeremonyError
from ward_hub.publisher.issue import check_beat, check_key
from ward_protocol.envelope import sign
from ward_protocol.statements import Beat, Role

SUMMARY = "sign a beat for a source"


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    one.add_argument("--key", required=True, help=f"{KEY_HELP}, of the role beat")
    language_argument(one)
    one.add_argument("--root", type=Path, required=True, help="the root in force")
    one.add_argument("--grants", type=Path, required=True, help="the grants in force")
    one.add_argument("--after", type=Path, metavar="BEAT", help="the beat before it: its heads are kept")
    one.add_argument("--head", action="append", default=[], metavar="ISSUER=N", help="an issuer's highest sequence")
    one.add_argument("--nonce", default="", metavar="HEX", help="8 to 16 bytes that a hub asked for")
    out_arguments(one)


def act(chosen: argparse.Namespace) -> int:
    """Make, check, sign and write the beat."""
    root = root_at(chosen.root)
    grants = grants_at(chosen.grants, chosen.root)
    before = opened(chosen.after, Beat) if chosen.after else None
    now = seconds_now()
    if before is not None and before.time > now:
        raise CeremonyError("the beat before it is from later than now: set this machine's clock")
    heads = dict(before.heads) if before else {}
    for issuer, number in map(_head, chosen.head):
        if number < heads.get(issuer, 0):
            raise CeremonyError(f"{issuer} was at {heads[issuer]} already, {number} would hide statements")
        heads[issuer] = number
    beat = Beat(now, root.version, grants.version, dict(sorted(heads.items())), _nonce(chosen.nonce))
    check_beat(beat, root, grants)
    with signing_with([chosen.key], chosen.lang) as signers:
        check_key(root, Role.BEAT, signers[0].public.kid)
        data = sign(beat, signers)
    return tell(chosen, data, root)


def _head(text: str) -> tuple[str, int]:
    issuer, found, number = text.rpartition("=")
    if not found or not issuer or not number.isascii() or not number.isdigit():
        raise UsageError(f"--head {text}: ISSUER=NUMBER is needed")
    return issuer, int(number)


def _nonce(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text) or None
    except ValueError as error:
        raise UsageError(f"--nonce {text}: hex digits are needed") from error
