"""`wardhub sign`: makes a signed bulletin, its cancel, or an order; adds or joins signatures of any signed file.

Each officer signs on a machine of their own: the file goes round (`--add`), or copies of it come back (`--join`).
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ward_hub.cli.documents import grants_at, opened, out_arguments, root_at, seconds_now, tell, trusted_arguments
from ward_hub.cli.keys import key_argument, passphrase_argument, signing_with, unsealed
from ward_hub.drafts import LIFE_S, Issue, from_cap, from_toml
from ward_hub.errors import UsageError
from ward_hub.publisher.issue import check
from ward_hub.publisher.orders import is_order, order_of
from ward_hub.publisher.standing import need_use, standings
from ward_hw.audio import AudioSettings, AudioWorker, Clip
from ward_protocol.envelope import Envelope, add_signature, join_signatures, sign
from ward_protocol.keys import Signing
from ward_protocol.statements import Bulletin, Cancel, Order

SUMMARY = "sign a bulletin, its cancel, or an order; add a signature to a signed file, or join the signatures of two"


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    one.add_argument(
        "file", type=Path, help="a draft (.toml) of a bulletin or an order, a CAP 1.2 alert (.xml), or a signed file"
    )
    key_argument(one, required=False)
    one.add_argument("--sealed-key", type=Path, metavar="FILE", help="a sealed key; asks for two officers' passphrases")
    passphrase_argument(one)
    one.add_argument("--add", action="store_true", help="add signatures to the signed FILE")
    one.add_argument("--join", type=Path, action="append", default=[], help="add the signatures of this copy of FILE")
    one.add_argument("--cancel", action="store_true", help="take the bulletin or the stream in the signed FILE back")
    one.add_argument(
        "--announce", action="store_true", help="with --cancel: hubs that had it on air say that it was sent in error"
    )
    one.add_argument("--why", default="", help="with --cancel: why, for receipts and people")
    one.add_argument("--issuer", help="the authority that issues it")
    one.add_argument("--sequence", type=int, help="the issuer's next number")
    one.add_argument("--area", action="append", default=[], help="for whom: an area such as vn/01/00268")
    one.add_argument("--audio", type=Path, action="append", default=[], help="a recording to name in it")
    trusted_arguments(
        one,
        "refuse what hubs under this root would refuse; for a root, the one before it",
        "refuse what hubs with these grants would refuse",
    )
    out_arguments(one)


def act(chosen: argparse.Namespace) -> int:
    """Sign or join, and write the file."""
    if chosen.announce and not chosen.cancel:
        raise UsageError("sign: --announce goes with --cancel")
    root = root_at(chosen.root) if chosen.root else None
    grants = grants_at(chosen.grants, chosen.root) if chosen.grants else None
    if chosen.passphrase_file and not chosen.sealed_key:
        raise UsageError("sign: --passphrase-file is for --sealed-key")
    with signing_with(chosen.key, chosen.lang) as signers:
        if chosen.sealed_key:
            signers.append(unsealed(chosen.sealed_key, chosen.passphrase_file, chosen.lang))
        data = _signed(chosen, signers)
    envelope = Envelope.open(data)
    check(envelope.statement, root, grants, seconds_now())
    need_use(envelope, [one.public.kid for one in signers], standings(envelope, root, grants))
    return tell(chosen, data, root, grants)


def _signed(chosen: argparse.Namespace, signers: Sequence[Signing]) -> bytes:
    if not chosen.add and not chosen.join:
        return sign(_cancel(chosen) if chosen.cancel else _draft(chosen), signers)
    data: bytes = chosen.file.read_bytes()
    for path in chosen.join:
        data = join_signatures(data, path.read_bytes())
    if chosen.add and not signers:
        raise UsageError("sign: --add needs a --key")
    for signer in signers:
        data = add_signature(data, signer)
    return data


def _cancel(chosen: argparse.Namespace) -> Cancel:
    """Return the cancel of the very file that was published: it is named by its digest, signatures included."""
    if chosen.sequence is None or not _has_key(chosen):
        raise UsageError("sign: a cancel needs --sequence and --key")
    data = chosen.file.read_bytes()
    target = _that_airs(chosen.file)
    if chosen.announce and isinstance(target, Order):
        raise UsageError("sign: what a live stream said cannot be corrected by --announce: leave it out")
    if chosen.issuer not in {None, target.issuer}:
        raise UsageError(f"sign: only {target.issuer} can take back what {target.issuer} issued")
    now = seconds_now()
    # A stream may be on air for long after its order could last begin it.
    life_s = LIFE_S if chosen.announce else target.stream.max_s if isinstance(target, Order) and target.stream else 0
    return Cancel(
        issuer=target.issuer,
        sequence=chosen.sequence,
        issued=now,
        expires=max(target.expires, now + life_s) if life_s else target.expires,
        audience=replace(target.audience, areas=tuple(chosen.area) or target.audience.areas),
        target=Envelope.open(data).digest,
        why=chosen.why,
        announce=chosen.announce,
    )


def _that_airs(path: Path) -> Bulletin | Order:
    """Return the bulletin, or the order that starts a stream, in a signed file; raises CeremonyError."""
    found = Envelope.open(path.read_bytes()).statement
    return found if isinstance(found, Order) and found.stream else opened(path, Bulletin)


def _has_key(chosen: argparse.Namespace) -> bool:
    return bool(chosen.key or chosen.sealed_key)


def _draft(chosen: argparse.Namespace) -> Bulletin | Order:
    content = chosen.file.read_bytes()
    of_an_order = chosen.file.suffix != ".xml" and is_order(content)
    what = "order" if of_an_order else "bulletin"
    if not chosen.issuer or chosen.sequence is None or not chosen.area:
        raise UsageError(f"sign: a new {what} needs --issuer, --sequence and --area")
    if not _has_key(chosen):
        raise UsageError(f"sign: a new {what} needs a --key")
    if of_an_order and chosen.audio:
        raise UsageError("sign: an order names no recording: leave --audio out")
    clips = asyncio.run(_probe(chosen.audio))
    issue = Issue(chosen.issuer, chosen.sequence, seconds_now(), tuple(chosen.area), tuple(clips))
    if of_an_order:
        return order_of(content, issue, chosen.file.parent)
    return (from_cap if chosen.file.suffix == ".xml" else from_toml)(content, issue)


async def _probe(paths: list[Path]) -> list[tuple[Path, Clip]]:
    if not paths:
        return []
    async with AudioWorker(AudioSettings(backend="null", capture=None)) as audio:
        return [(path, await audio.probe(path)) for path in paths]
