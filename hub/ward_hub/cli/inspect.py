"""`wardhub inspect`: says in words what a signed file holds, and whether it verifies."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import time
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, cast

from ward_hub.alarm_words import detail_in_words
from ward_hub.cli.documents import opened
from ward_hub.cli.documents import plain as standing
from ward_hub.cli.drills import warning
from ward_hub.errors import UsageError
from ward_hub.expiry import Ending, endings
from ward_hub.i18n import DEFAULT_LANGUAGE, LANGUAGES, translator
from ward_hub.moments import moment
from ward_hub.printed import one_line, plain_json
from ward_hub.publisher.authorities import ward_of
from ward_hub.publisher.standing import Standing, root_in, standings
from ward_hub.trust import Trust, keyring
from ward_protocol.cbor import is_array
from ward_protocol.envelope import Envelope
from ward_protocol.errors import MisuseError, StatementError
from ward_protocol.keys import PublicKey
from ward_protocol.reasons import Reason
from ward_protocol.statements import Admission, Beat, Bulletin, Cancel, Enrolment, Grants, Order, Root, Statement

NO_KEY = "no key that was given signed it; give --root and --grants, or --key"
AIRS = frozenset({"bulletin", "order"})
TIMES = frozenset({"issued", "not_before", "expires", "time", "not_after"})

SUMMARY = "say what a signed file holds and whether it verifies"


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    one.add_argument("file", type=Path)
    one.add_argument("--root", type=Path, help="the root to verify it by; a root verifies by itself")
    one.add_argument("--grants", type=Path, help="the grants to verify bulletins and cancels by")
    one.add_argument(
        "--area", default="", help="the area of the hub that is to judge it; of who issues in one ward, that ward"
    )
    one.add_argument("--key", action="append", default=[], metavar="HEX", help="a public key to verify it by")
    one.add_argument("--lang", choices=LANGUAGES, default=DEFAULT_LANGUAGE)
    one.add_argument("--json", action="store_true")


def act(chosen: argparse.Namespace) -> int:
    """Print what the file holds; the status is 0 only where it verifies, 65 otherwise."""
    envelope = Envelope.open(chosen.file.read_bytes())
    try:
        verdict, good = _verify(envelope, chosen), True
    except StatementError as error:
        verdict, good = str(error), False
    known = _thresholds(envelope, chosen)
    facts: dict[str, Any] = {
        "type": envelope.type.name.lower(),
        "digest": envelope.digest.hex(),
        "bytes": len(envelope.data),
        "signed_by": [one.kid.hex() for one in envelope.signatures],
        "verifies": good,
        "verdict": verdict,
        "thresholds": [standing(one) for one in known],
        "ends": [one.detail().as_json() for one in _endings(envelope.statement)],
        "statement": explained(envelope.statement),
    }
    if chosen.json:
        sys.stdout.write(plain_json(facts, indent=2) + "\n")
    else:
        sys.stdout.write(in_words(facts, chosen.lang))
    return os.EX_OK if good else os.EX_DATAERR


def _verify(envelope: Envelope, chosen: argparse.Namespace) -> str:
    """Return by whom the file verifies; raises StatementError where it does not."""
    given = [_public(text) for text in chosen.key]
    if given:
        good = envelope.verified_by({one.kid: one for one in given})
        if good:
            return "by key " + ", ".join(sorted(kid.hex() for kid in good))
    data, statement = envelope.data, envelope.statement
    if isinstance(statement, Enrolment):
        return _enough(standings(envelope))
    if isinstance(statement, Admission):
        return _admission(envelope, statement, chosen)
    if not chosen.root and not isinstance(statement, Root):
        raise StatementError(Reason.UNKNOWN_KEY, NO_KEY)
    trust = Trust.from_first_root(chosen.root.read_bytes() if chosen.root else data)
    if isinstance(statement, Root):
        return "by its own root keys" if not chosen.root else _root(trust, data)
    if isinstance(statement, Grants):
        return f"by root {trust.with_grants(data, now=0).root.version}"
    if isinstance(statement, Beat):
        return f"by root {trust.with_beat(data)[0].root.version}"
    return _by_grants(envelope, trust, chosen)


def _public(text: str) -> PublicKey:
    try:
        return PublicKey(bytes.fromhex(text))
    except MisuseError as error:
        raise UsageError(f"--key {text}: {error}") from error
    except ValueError as error:
        raise UsageError(f"--key {text}: a public key is 64 or 128 hex digits") from error


def _root(trust: Trust, data: bytes) -> str:
    if Envelope.open(data).statement == trust.root:
        Trust.from_first_root(data)  # it says the same as the one of --root: that does not say who signed it
        return "by its own root keys"
    return f"as the next root, {trust.with_root(data).root.version}"


def _admission(envelope: Envelope, statement: Admission, chosen: argparse.Namespace) -> str:
    trust = Trust.from_first_root(statement.root)
    if chosen.root and Trust.from_first_root(chosen.root.read_bytes()).root != trust.root:
        raise StatementError(Reason.WRONG_VERSION, "it brings another root than that of --root")
    return _enough(standings(envelope))


def _by_grants(envelope: Envelope, trust: Trust, chosen: argparse.Namespace) -> str:
    statement = envelope.statement
    if chosen.grants and isinstance(statement, (Bulletin, Cancel, Order)):
        grants = trust.with_grants(chosen.grants.read_bytes(), now=0).grants
        authority = grants.authority(statement.issuer) if grants else None
        if authority is not None:
            signed_by = envelope.verified_by(keyring(trust.root, grants))
            warrant = trust.warrant(statement, signed_by, authority, chosen.area or ward_of(authority))
            by = f"authority {authority.id}" if warrant.break_glass is None else f"a break-glass key of {authority.id}"
            return f"by {by} under root {trust.root.version}"
    raise StatementError(Reason.UNKNOWN_KEY, NO_KEY)


def _enough(known: tuple[Standing, ...]) -> str:
    for one in known:
        if not one.met:
            reason = Reason.THRESHOLD_NOT_MET if one.signed else Reason.UNKNOWN_KEY
            raise StatementError(reason, str(one))
    return "by " + " and ".join(one.who for one in known)


def _thresholds(envelope: Envelope, chosen: argparse.Namespace) -> tuple[Standing, ...]:
    """Return whose signatures are needed, as far as the files given tell."""
    root = opened(chosen.root, Root) if chosen.root else None
    grants = opened(chosen.grants, Grants) if chosen.grants else None
    try:
        return standings(envelope, root, grants)
    except StatementError:
        return ()  # the verdict says what does not fit


def _endings(statement: Statement) -> tuple[Ending, ...]:
    now = time.time()
    if isinstance(statement, Admission):
        return endings(root_in(statement), None, now)
    root, grants = (statement if isinstance(statement, kind) else None for kind in (Root, Grants))
    return endings(cast("Root | None", root), cast("Grants | None", grants), now)


def explained(statement: Statement) -> dict[str, Any]:
    """Return what a statement says as JSON can hold it; a root inside another statement is opened."""
    said: dict[str, Any] = plain(statement)
    if isinstance(statement, Admission):
        said["root"] = {"id": Envelope.open(statement.root).digest.hex(), **plain(root_in(statement))}
    return said


def plain(value: object, name: str = "") -> Any:  # noqa: ANN401 - JSON is anything
    """Return a statement as what JSON can hold: times as ISO 8601, digests and keys as hex."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name), one.name) for one in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.name.lower() if isinstance(value, int) else value.value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in cast("Mapping[object, object]", value).items()}
    if isinstance(value, tuple):
        return [plain(item) for item in cast("tuple[object, ...]", value)]
    if name in TIMES and isinstance(value, int):
        return moment(value).isoformat()
    return value


def in_words(facts: Mapping[str, Any], language: str) -> str:
    """Return the facts as lines for a person, who is to see what is in it: a text's further lines begin with a bar."""
    _ = translator(language)
    verdict = _("It verifies: %s.") if facts["verifies"] else _("It does NOT verify: %s.")
    lines = [
        _("A signed %(type)s of %(bytes)d bytes, id %(digest)s.") % facts,
        *(
            warning(facts["statement"]["status"], language)
            if facts["type"] in AIRS and facts["statement"]["status"]
            else ()
        ),
        verdict % facts["verdict"],
        _("Signed by: %s") % ", ".join(facts["signed_by"]),
        *(_needed(one, language) for one in facts["thresholds"]),
        *(_("Note: %s.") % detail_in_words(one, language) for one in facts["ends"]),
        *_lines(facts["statement"], "  "),
    ]
    return "".join(one_line(one) + "\n" for one in lines)


def _needed(one: Mapping[str, Any], language: str) -> str:
    _ = translator(language)
    facts = {"who": one["who"], "have": len(one["signed"]), "need": one["threshold"], "open": ", ".join(one["open"])}
    if one["met"]:
        return _("Needed: %(need)d of %(who)s; %(have)d signed.") % facts
    return _("Needed: %(need)d of %(who)s; %(have)d signed. Could still sign: %(open)s") % facts


def _lines(value: Mapping[str, Any], indent: str) -> list[str]:
    lines: list[str] = []
    for name, item in value.items():
        if item is None or item in ("", [], {}):
            continue
        if isinstance(item, Mapping):
            lines += [f"{indent}{name}:", *_lines(cast("Mapping[str, Any]", item), indent + "  ")]
            continue
        items = item if is_array(item) else [item]
        if isinstance(items[0], Mapping):
            for number, one in enumerate(items, 1):
                lines += [f"{indent}{name} {number}:", *_lines(one, indent + "  ")]
        else:
            first, *more = ", ".join(map(str, items)).replace("\t", " ").split("\n")
            lines += [f"{indent}{name}: {first}", *(f"{indent}| {line}" for line in more)]
    return lines
