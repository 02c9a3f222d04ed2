"""`wardhub push`: gives signed files, and the recordings they name, straight to a hub on its network."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from ward_hub.cli.verdicts import explained
from ward_hub.i18n import DEFAULT_LANGUAGE, LANGUAGES, translator
from ward_hub.links.push import Push, Pushed, push_to
from ward_hub.printed import one_line, plain_json
from ward_protocol.envelope import Envelope
from ward_protocol.statements import Bulletin

SUMMARY = "give signed files straight to a hub on its network, and the recordings they name"
# What a hub says of a statement that it has decided about before; its recordings may still be missed.
DECIDED = "replayed:"


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one file, for JSON."""

    file: str
    id: str
    taken: bool
    words: str


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    one.add_argument("file", type=Path, nargs="+", help="signed files, in the order in which they are to be judged")
    one.add_argument("--to", required=True, metavar="URI", help="the hub, coap://HOST[:PORT]")
    one.add_argument("--media", type=Path, nargs="*", default=[], help="recordings; those that a file names go with it")
    one.add_argument("--lang", choices=LANGUAGES, default=DEFAULT_LANGUAGE)
    one.add_argument("--json", action="store_true", help="print a line of JSON for each file")


def act(chosen: argparse.Namespace) -> int:
    """Push one after the other and say what the hub made of each; 77 where it refused one."""
    files = {path: path.read_bytes() for path in chosen.file}
    named = {path: _named(data) for path, data in files.items()}  # what is no envelope is not even sent
    media = {hashlib.sha256(path.read_bytes()).digest(): path for path in chosen.media}
    return asyncio.run(_push(chosen, files, named, media))


async def _push(
    chosen: argparse.Namespace,
    files: dict[Path, bytes],
    named: dict[Path, frozenset[bytes]],
    media: dict[bytes, Path],
) -> int:
    refused = False
    tell = _teller(chosen)
    async with push_to(chosen.to) as push:
        for path, data in files.items():
            pushed = await push.statement(data)
            tell(path, hashlib.sha256(data).digest(), pushed)
            refused |= not pushed.taken
            if pushed.taken or pushed.words.startswith(DECIDED):
                for sha256 in [one for one in media if one in named[path]]:
                    refused |= not await _recording(push, sha256, media.pop(sha256), tell)
        for sha256 in [one for one in media if not any(one in names for names in named.values())]:
            refused |= not await _recording(push, sha256, media.pop(sha256), tell)
    return os.EX_NOPERM if refused else os.EX_OK


Tell = Callable[[Path, bytes, Pushed], None]


async def _recording(push: Push, sha256: bytes, path: Path, tell: Tell) -> bool:
    pushed = await push.recording(path)
    tell(path, sha256, pushed)
    return pushed.taken


def _named(data: bytes) -> frozenset[bytes]:
    """Return the recordings that a signed file names."""
    statement = Envelope.open(data).statement
    return frozenset(one.sha256 for one in statement.audio) if isinstance(statement, Bulletin) else frozenset()


def _teller(chosen: argparse.Namespace) -> Tell:
    _ = translator(chosen.lang)

    def tell(path: Path, digest: bytes, pushed: Pushed) -> None:
        if chosen.json:
            line = plain_json(asdict(Line(str(path), digest.hex(), pushed.taken, pushed.words)))
        elif pushed.taken:
            line = _("%(file)s: the hub took it, id %(id)s") % {"file": path, "id": digest.hex()[:16]}
        else:
            line = _("%(file)s: the hub refuses it: %(why)s") % {
                "file": path,
                "why": explained(pushed.words, chosen.lang),
            }
        sys.stdout.write((line if chosen.json else one_line(line)) + "\n")

    return tell
