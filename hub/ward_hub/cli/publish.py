"""`wardhub publish`: gives signed files, and the recordings they name, to a source."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from ward_hub.links.publish import publish
from ward_hub.printed import one_line
from ward_protocol.envelope import Envelope

SUMMARY = "publish a signed file to a source, its recordings first"


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    one.add_argument("file", type=Path)
    one.add_argument("--to", required=True, metavar="URI", help="the source, coap://HOST[:PORT]")
    one.add_argument("--media", type=Path, nargs="*", default=[], help="the recordings that the file names")


def act(chosen: argparse.Namespace) -> int:
    """Publish and say where it stands now."""
    data = chosen.file.read_bytes()
    envelope = Envelope.open(data)
    location = asyncio.run(publish(chosen.to, data, chosen.media))
    what = f"{envelope.type.name.lower()} {envelope.digest.hex()}"
    sys.stdout.write(one_line(f"{chosen.file}: {what} is at {location}") + "\n")
    return os.EX_OK
