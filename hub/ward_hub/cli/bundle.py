"""`wardhub bundle`: puts signed files and recordings on a stick, looks into one, and has a hub take it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ward_hub.cli.at_the_hub import common, state_of
from ward_hub.cli.documents import trusted_arguments
from ward_hub.cli.verdicts import explained
from ward_hub.control import ACT_S, ask
from ward_hub.durable import write_whole
from ward_hub.i18n import DEFAULT_LANGUAGE, LANGUAGES, translator
from ward_hub.printed import one_line, plain_json
from ward_hub.trust import Trust
from ward_hub.usb.check import Checked, check, missing
from ward_hub.usb.container import NAME, Kind, joined
from ward_hub.usb.stick import Stick
from ward_protocol.envelope import Envelope
from ward_protocol.statements import Grants, Root, StatementType

SUMMARY = "put signed files and recordings on a stick, look into one, or have this hub take one"
KINDS = {StatementType.ROOT: Kind.ROOT, StatementType.GRANTS: Kind.GRANTS, StatementType.BEAT: Kind.BEAT}


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the three steps and their arguments."""
    steps = one.add_subparsers(metavar="STEP", required=True, dest="step")
    make = steps.add_parser("create", help=f"write {NAME} into a directory, such as that of a stick")
    make.add_argument("file", type=Path, nargs="+", help="signed files; roots and grants too")
    make.add_argument("--media", type=Path, nargs="*", default=[], help="recordings")
    make.add_argument("--out", type=Path, required=True, metavar="DIR", help="the directory")
    look = steps.add_parser("verify", help="say what a bundle holds and whose signatures verify, without a hub")
    look.add_argument("path", type=Path, help=f"the directory, or the {NAME} in it")
    trusted_arguments(look, "the root to verify it by", "the grants to verify by, where the bundle brings none")
    for step in (make, look):
        step.add_argument("--lang", choices=LANGUAGES, default=DEFAULT_LANGUAGE)
        step.add_argument("--json", action="store_true", help="print the answer as JSON")
    take = steps.add_parser("import", help="have the running hub take a bundle")
    take.add_argument("path", type=Path, help=f"the directory, or the {NAME} in it")
    common(take)


def act(chosen: argparse.Namespace) -> int:
    """Do one step."""
    return {"create": _create, "verify": _verify, "import": _import}[chosen.step](chosen)


def _create(chosen: argparse.Namespace) -> int:
    """Write a bundle: roots ascending, grants, beat, statements as they are given, recordings."""
    files = [path.read_bytes() for path in chosen.file]
    media = [path.read_bytes() for path in chosen.media]
    parts = sorted(((_order(data), data) for data in files), key=lambda part: part[0])
    bundle = [(kind, data) for (kind, _), data in parts] + [(Kind.RECORDING, data) for data in media]
    whole = joined(bundle)
    path = chosen.out / NAME
    write_whole(path, whole)
    _ = translator(chosen.lang)
    lacking = missing(check(bundle, None))
    if chosen.json:
        _print_json({"file": str(path), "bytes": len(whole), "items": len(bundle), "missing": lacking})
    else:
        facts = {"file": path, "items": len(bundle), "bytes": len(whole)}
        _print([_("%(file)s: %(items)d items, %(bytes)d bytes") % facts, *_missing(lacking, chosen.lang)])
    return os.EX_OK


def _verify(chosen: argparse.Namespace) -> int:
    """Say what a bundle holds; 65 unless everything in it verifies."""
    trust = Trust.from_first_root(chosen.root.read_bytes()) if chosen.root else None
    if trust is not None and chosen.grants:
        trust = trust.with_grants(chosen.grants.read_bytes(), now=0)
    with Stick(chosen.path) as stick:
        found = check([(item.kind, stick.data(item)) for item in stick.index()], trust)
    if chosen.json:
        _print_json({"items": [asdict(one) for one in found], "missing": missing(found)})
    else:
        _print([*(_found(one, chosen.lang) for one in found), *_missing(missing(found), chosen.lang)])
    return os.EX_OK if all(one.verifies for one in found) else os.EX_DATAERR


def _import(chosen: argparse.Namespace) -> int:
    """Have the agent take a bundle; 65 where it cannot be read, 77 where something in it was refused."""
    path = Stick(chosen.path).path.absolute()
    answer = ask(state_of(chosen), "import", patience=ACT_S, path=str(path))
    if chosen.json:
        _print_json(answer)
    else:
        _print(_taken(one, chosen.lang) for one in answer["items"])
    if answer["trouble"]:
        sys.stderr.write(one_line(f"wardhub: {answer['trouble']}") + "\n")
        return os.EX_DATAERR
    return os.EX_OK if all(one["accepted"] for one in answer["items"]) else os.EX_NOPERM


def _order(data: bytes) -> tuple[Kind, int]:
    """Return what a signed file is to a bundle, and its place among its kind: roots and grants by version."""
    envelope = Envelope.open(data)
    statement = envelope.statement
    version = statement.version if isinstance(statement, (Root, Grants)) else 0
    return KINDS.get(envelope.type, Kind.STATEMENT), version


def _found(one: Checked, language: str) -> str:
    _ = translator(language)
    facts = {"kind": one.kind, "id": one.sha256[:16], "bytes": one.size, "verdict": one.verdict}
    if one.kind == "recording":
        return _("%(kind)s %(id)s, %(bytes)d bytes: %(verdict)s") % facts
    if one.verifies:
        return _("%(kind)s %(id)s, %(bytes)d bytes: it verifies: %(verdict)s") % facts
    return _("%(kind)s %(id)s, %(bytes)d bytes: it does NOT verify: %(verdict)s") % facts


def _missing(lacking: list[str], language: str) -> list[str]:
    _ = translator(language)
    return [_("Note: the recording %s is named and not in it.") % one[:16] for one in lacking]


def _taken(one: dict[str, Any], language: str) -> str:
    _ = translator(language)
    words = f"{one['reason']}: {one['detail']}" if one["reason"] else one["detail"]
    facts = {"kind": one["kind"], "id": one["sha256"][:16], "why": explained(words, language)}
    if one["accepted"]:
        return _("%(kind)s %(id)s: the hub took it") % facts
    return _("%(kind)s %(id)s: the hub refuses it: %(why)s") % facts


def _print(lines: Iterable[str]) -> None:
    sys.stdout.writelines(one_line(line) + "\n" for line in lines)


def _print_json(answer: object) -> None:
    sys.stdout.write(plain_json(answer) + "\n")
