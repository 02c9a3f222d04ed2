"""`wardhub sign`: turns a draft or a CAP alert into a signed bulletin, or adds one more signature to one."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from pathlib import Path

from ward_hub.drafts import Issue, from_cap, from_toml
from ward_hub.errors import NotWritten, UsageError
from ward_hub.identity import read_key
from ward_hw.audio import AudioSettings, AudioWorker, Clip
from ward_protocol.envelope import Envelope, add_signature, sign
from ward_protocol.statements import Bulletin

SUMMARY = "sign a bulletin, or add a signature to a signed one"


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    one.add_argument("file", type=Path, help="a draft (.toml), a CAP 1.2 alert (.xml), or with --add a signed file")
    one.add_argument("--key", type=Path, required=True, action="append", help="may be given several times")
    one.add_argument("--out", type=Path, required=True)
    one.add_argument("--add", action="store_true", help="add signatures to the signed FILE")
    one.add_argument("--issuer", help="the authority that issues it")
    one.add_argument("--sequence", type=int, help="the issuer's next number")
    one.add_argument("--area", action="append", default=[], help="for whom: an area such as vn/01/00268")
    one.add_argument("--audio", type=Path, action="append", default=[], help="a recording to name in it")


def act(chosen: argparse.Namespace) -> int:
    """Sign and write the file."""
    signers = [read_key(path) for path in chosen.key]
    if chosen.add:
        data = chosen.file.read_bytes()
        for signer in signers:
            data = add_signature(data, signer)
    else:
        data = sign(_draft(chosen), signers)
    envelope = Envelope.open(data)
    try:
        chosen.out.write_bytes(data)
    except OSError as error:
        raise NotWritten(f"{chosen.out}: cannot be written: {error.strerror}") from error
    sys.stdout.write(
        f"{chosen.out}: {envelope.type.name.lower()} {envelope.digest.hex()}, {len(data)} bytes, "
        f"{len(envelope.signatures)} signatures\n"
    )
    return os.EX_OK


def _draft(chosen: argparse.Namespace) -> Bulletin:
    if not chosen.issuer or chosen.sequence is None or not chosen.area:
        raise UsageError("sign: a new bulletin needs --issuer, --sequence and --area")
    clips = asyncio.run(_probe(chosen.audio))
    issue = Issue(chosen.issuer, chosen.sequence, int(time.time()), tuple(chosen.area), tuple(clips))
    content = chosen.file.read_bytes()
    return (from_cap if chosen.file.suffix == ".xml" else from_toml)(content, issue)


async def _probe(paths: list[Path]) -> list[tuple[Path, Clip]]:
    if not paths:
        return []
    async with AudioWorker(AudioSettings(backend="null", capture=None)) as audio:
        return [(path, await audio.probe(path)) for path in paths]
