"""`wardhub inspect`: says in words what a signed file holds, and whether it verifies."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any, cast

from ward_hub.errors import UsageError
from ward_hub.i18n import DEFAULT_LANGUAGE, LANGUAGES, translator
from ward_hub.trust import Trust
from ward_protocol.cbor import is_array
from ward_protocol.envelope import Envelope
from ward_protocol.errors import MisuseError, StatementError
from ward_protocol.keys import PublicKey
from ward_protocol.reasons import Reason
from ward_protocol.statements import Bulletin, Cancel, StatementType

NO_KEY = "no key that was given signed it; give --root and --grants, or --key"
TIMES = frozenset({"issued", "not_before", "expires", "time", "not_after"})

SUMMARY = "say what a signed file holds and whether it verifies"


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    one.add_argument("file", type=Path)
    one.add_argument("--root", type=Path, help="the root to verify it by; a root verifies by itself")
    one.add_argument("--grants", type=Path, help="the grants to verify bulletins and cancels by")
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
    facts: dict[str, Any] = {
        "type": envelope.type.name.lower(),
        "digest": envelope.digest.hex(),
        "bytes": len(envelope.data),
        "signed_by": [one.kid.hex() for one in envelope.signatures],
        "verifies": good,
        "verdict": verdict,
        "statement": plain(envelope.statement),
    }
    if chosen.json:
        json.dump(facts, sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
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
    data = envelope.data
    if not chosen.root and envelope.type is not StatementType.ROOT:
        raise StatementError(Reason.UNKNOWN_KEY, NO_KEY)
    trust = Trust.from_first_root(chosen.root.read_bytes() if chosen.root else data)
    if not chosen.root or envelope.type.name == "ROOT":
        return "by its own root keys" if not chosen.root else _root(trust, data)
    if envelope.type.name == "GRANTS":
        return f"by root {trust.with_grants(data, now=0).root.version}"
    if envelope.type.name == "BEAT":
        return f"by root {trust.with_beat(data)[0].root.version}"
    return _by_grants(envelope, trust, chosen)


def _public(text: str) -> PublicKey:
    try:
        return PublicKey(bytes.fromhex(text))
    except (ValueError, MisuseError) as error:
        raise UsageError(f"--key {text}: a public key is 64 hex digits") from error


def _root(trust: Trust, data: bytes) -> str:
    if Envelope.open(data).statement == trust.root:
        return "by its own root keys"
    return f"as the next root, {trust.with_root(data).root.version}"


def _by_grants(envelope: Envelope, trust: Trust, chosen: argparse.Namespace) -> str:
    statement = envelope.statement
    if chosen.grants and isinstance(statement, (Bulletin, Cancel)):
        grants = trust.with_grants(chosen.grants.read_bytes(), now=0).grants
        authority = grants.authority(statement.issuer) if grants else None
        if authority is not None:
            trust.check_signatures(envelope, authority)
            return f"by authority {authority.id} under root {trust.root.version}"
    raise StatementError(Reason.UNKNOWN_KEY, NO_KEY)


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
        return datetime.fromtimestamp(value, UTC).isoformat()
    return value


def in_words(facts: Mapping[str, Any], language: str) -> str:
    """Return the facts as lines for a person."""
    _ = translator(language)
    verdict = _("It verifies: %s.") if facts["verifies"] else _("It does NOT verify: %s.")
    lines = [
        _("A signed %(type)s of %(bytes)d bytes, id %(digest)s.") % facts,
        verdict % facts["verdict"],
        _("Signed by: %s") % ", ".join(facts["signed_by"]),
        *_lines(facts["statement"], "  "),
    ]
    return "\n".join(lines) + "\n"


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
            lines.append(f"{indent}{name}: {', '.join(map(str, items))}")
    return lines
