"""What the commands that sign have in common: reading the documents they are given, and telling what they wrote."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from ward_hub.durable import write_whole
from ward_hub.printed import one_line, plain_json
from ward_hub.publisher.errors import CeremonyError
from ward_hub.publisher.standing import Standing, standings
from ward_hub.trust import Trust
from ward_protocol.envelope import Envelope
from ward_protocol.statements import Bulletin, Cancel, Grants, Order, Root, Statement

S = TypeVar("S", bound=Statement)
NO_NEWER = 0


def trusted_arguments(one: argparse.ArgumentParser, root: str, grants: str) -> None:
    """Declare --root and --grants, with what they are for."""
    one.add_argument("--root", type=Path, help=root)
    one.add_argument("--grants", type=Path, help=grants)


def out_arguments(one: argparse.ArgumentParser) -> None:
    """Declare --out and --json."""
    one.add_argument("--out", type=Path, required=True)
    one.add_argument("--json", action="store_true", help="print what was written as JSON")


def opened(path: Path, kind: type[S]) -> S:
    """Return the statement in a signed file that must be a `kind`; its signatures are not looked at."""
    statement = Envelope.open(path.read_bytes()).statement
    if not isinstance(statement, kind):
        raise CeremonyError(f"{path}: a {kind.__name__.lower()} is needed, not a {type(statement).__name__.lower()}")
    return statement


def root_at(path: Path) -> Root:
    """Return a root that its own threshold signed; raises StatementError."""
    return Trust.from_first_root(path.read_bytes()).root


def grants_at(path: Path, root: Path | None) -> Grants:
    """Return grants, verified by the root where one is given that they are for."""
    grants = opened(path, Grants)
    if root is not None and (trust := Trust.from_first_root(root.read_bytes())).root.version == grants.root_version:
        trust.with_grants(path.read_bytes(), now=NO_NEWER)
    return grants


def seconds_now() -> int:
    """Return Unix time as statements hold it."""
    return int(time.time())


def tell(chosen: argparse.Namespace, data: bytes, root: Root | None = None, grants: Grants | None = None) -> int:
    """Write the signed file, say what it is and whose signatures are still needed; return the exit status."""
    envelope = Envelope.open(data)
    known = standings(envelope, root, grants)
    write_whole(chosen.out, data)
    kind = envelope.type.name.lower()
    about = _about(envelope.statement)
    if chosen.json:
        facts = {
            **about,
            "file": str(chosen.out),
            "type": kind,
            "digest": envelope.digest.hex(),
            "bytes": len(data),
            "signed_by": [one.kid.hex() for one in envelope.signatures],
            "thresholds": [plain(one) for one in known],
        }
        sys.stdout.write(plain_json(facts) + "\n")
        return os.EX_OK
    count = len(envelope.signatures)
    sys.stdout.write(
        f"{chosen.out}: {kind} {envelope.digest.hex()}, {len(data)} bytes, "
        f"{count} {'signature' if count == 1 else 'signatures'}\n"
    )
    if about:
        sys.stdout.write(one_line(f"  {_in_words(about)}") + "\n")
    for one in known:
        sys.stdout.write(one_line(f"  {one}") + "\n")
    return os.EX_OK


def _about(statement: Statement) -> dict[str, str]:
    """Return what whoever signs must see at a glance: whether it is real, how urgent, and what it does."""
    match statement:
        case Bulletin():
            return {"status": statement.status.value, **_urgency(statement), "title": statement.title}
        case Order():
            status = {"status": statement.status.value} if statement.status else {}
            return {**status, **_urgency(statement), "title": _does(statement)}
        case Cancel():
            aloud = ", says aloud that it was sent in error" if statement.announce else ""
            return {"title": f"cancel of {statement.target.hex()}{aloud}"}
        case _:
            return {}


def _urgency(statement: Bulletin | Order) -> dict[str, str]:
    return {"priority": statement.priority.name.lower()}


def _does(order: Order) -> str:
    if order.stream:
        return f"a live stream of at most {order.stream.max_s} s"
    settings = [f"{name} = {value}" for name, value in (order.settings or {}).items()]
    return ", ".join([f"order {order.title}", *settings])


def _in_words(about: Mapping[str, str]) -> str:
    urgency = ", ".join(about[name] for name in ("status", "priority") if name in about)
    return f"{urgency}: {about['title']}" if urgency else about["title"]


def plain(one: Standing) -> dict[str, object]:
    """Return a standing as JSON has it."""
    return {
        "who": one.who,
        "threshold": one.threshold,
        "signed": sorted(kid.hex() for kid in one.signed),
        "open": sorted(kid.hex() for kid in one.others),
        "met": one.met,
    }
