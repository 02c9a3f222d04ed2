"""`wardhub keygen`: makes a signing key where it will be used."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from ward_hub.cli.documents import write
from ward_hub.identity import write_key
from ward_protocol.keys import Signer

SUMMARY = "make an Ed25519 key in a new file that only you can read"


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    one.add_argument("file", type=Path)
    one.add_argument("--public", type=Path, metavar="FILE", help="write the public key to this file as well")
    one.add_argument("--json", action="store_true", help="print key id and public key as JSON")


def act(chosen: argparse.Namespace) -> int:
    """Make the key and print its public side."""
    signer = Signer.generate()
    write_key(chosen.file, signer)
    if chosen.public:
        write(chosen.public, f"{signer.public.raw.hex()}\n".encode())
    if chosen.json:
        facts = {"file": str(chosen.file), "kid": signer.kid.hex(), "public": signer.public.raw.hex()}
        sys.stdout.write(json.dumps(facts) + "\n")
    else:
        sys.stdout.write(f"{chosen.file}: key {signer.kid.hex()}, public {signer.public.raw.hex()}\n")
    return os.EX_OK
