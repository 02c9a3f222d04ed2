"""`wardhub keygen`: makes a signing key where it will be used."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ward_hub.identity import write_key
from ward_protocol.keys import Signer

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[Any]


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    one = commands.add_parser("keygen", help="make an Ed25519 key in a new file that only you can read")
    one.add_argument("file", type=Path)
    one.add_argument("--json", action="store_true", help="print key id and public key as JSON")
    one.set_defaults(act=act)


def act(chosen: argparse.Namespace) -> int:
    """Make the key and print its public side."""
    signer = Signer.generate()
    write_key(chosen.file, signer)
    if chosen.json:
        facts = {"file": str(chosen.file), "kid": signer.kid.hex(), "public": signer.public.raw.hex()}
        sys.stdout.write(json.dumps(facts) + "\n")
    else:
        sys.stdout.write(f"{chosen.file}: key {signer.kid.hex()}, public {signer.public.raw.hex()}\n")
    return os.EX_OK
