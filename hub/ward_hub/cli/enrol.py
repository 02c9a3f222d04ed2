"""`wardhub enrol`: makes a hub known. The hub asks, the office answers, the hub installs the answer."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ward_hub import channel, enrolment
from ward_hub.cli.documents import out_arguments, root_at, seconds_now, tell
from ward_hub.cli.keys import key_argument, signing_with, token_uri
from ward_hub.cli.run import DEFAULT_CONFIG
from ward_hub.durable import write_whole
from ward_hub.errors import StateError, UsageError
from ward_hub.identity import REQUEST, hub_public, made_hub_key
from ward_hub.keys.uri import TokenUri
from ward_hub.printed import one_line, plain_json
from ward_hub.publisher.drafts import channel_public
from ward_hub.publisher.standing import need_use, standings
from ward_protocol.channel import ChannelKey
from ward_protocol.envelope import Envelope, sign

SUMMARY = "make a hub known: request, answer, install"
HUB_KEY = "where the hub's key is on a token, not in its state: a pkcs11: URI"


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the three steps and their arguments."""
    steps = one.add_subparsers(metavar="STEP", required=True, dest="step")
    ask = steps.add_parser("request", help="on the hub: make its keys and a request")
    ask.add_argument("--hub", required=True, help="the hub's id")
    ask.add_argument("--area", required=True, help="where it is, such as vn/01/00268")
    ask.add_argument("--state", type=Path, required=True, help="the directory of its state")
    ask.add_argument("--key", metavar="URI", help=f"{HUB_KEY}; it is made there if it is not there yet")
    out_arguments(ask)
    reply = steps.add_parser("answer", help="at the office: answer a request")
    reply.add_argument("file", type=Path, help="the request")
    reply.add_argument("--root", type=Path, required=True, help="the root in force")
    reply.add_argument("--source", required=True, metavar="URI", help="the source, coap://HOST[:PORT]")
    reply.add_argument(
        "--channel", required=True, metavar="KEY", help="the source's channel key: x25519:HEX, or a file that holds it"
    )
    key_argument(reply, "of the role grant")
    out_arguments(reply)
    take = steps.add_parser("install", help="on the hub: check the answer and install it")
    take.add_argument("file", type=Path, help="the answer")
    take.add_argument("--root-id", required=True, metavar="HEX", help="the root's id, as the office tells it")
    take.add_argument("--state", type=Path, required=True, help="the directory of the hub's state")
    take.add_argument("--key", metavar="URI", help=f"{HUB_KEY}, as in the request")
    take.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help=f"default: {DEFAULT_CONFIG}")
    take.add_argument("--json", action="store_true", help="print what was installed as JSON")


def act(chosen: argparse.Namespace) -> int:
    """Do one step."""
    return {"request": _request, "answer": _answer, "install": _install}[chosen.step](chosen)


def _request(chosen: argparse.Namespace) -> int:
    enrolment.need_names(chosen.hub, chosen.area)
    own = ChannelKey.generate()
    with made_hub_key(chosen.state, _uri(chosen)) as key:
        data = enrolment.request(key, chosen.hub, chosen.area, own.public, seconds_now())
    channel.keep_key(chosen.state, Envelope.open(data).digest, own)
    # The answer names this request by its digest: it is kept beside the key until then.
    write_whole(chosen.state / REQUEST, data)
    return tell(chosen, data)


def _answer(chosen: argparse.Namespace) -> int:
    root = root_at(chosen.root)
    asked = chosen.file.read_bytes()
    source_key = channel_public(chosen.channel)
    admission = enrolment.answer(asked, chosen.root.read_bytes(), chosen.source, source_key, seconds_now())
    with signing_with(chosen.key, chosen.lang) as signers:
        data = sign(admission, signers)
    need_use(Envelope.open(data), [one.public.kid for one in signers], standings(Envelope.open(data)))
    status = tell(chosen, data, root)
    if not chosen.json:
        key = enrolment.requested(asked).public.hex()
        sys.stdout.write(one_line(f"  hub {admission.hub} with public key {key}") + "\n")
        sys.stdout.write(
            f"  tell the hub's technician by telephone: root id {Envelope.open(admission.root).digest.hex()}\n"
        )
    return status


def _install(chosen: argparse.Namespace) -> int:
    try:
        asked = (chosen.state / REQUEST).read_bytes()
    except OSError as error:
        raise StateError(
            f"{chosen.state / REQUEST}: there is no request: make one with `wardhub enrol request`"
        ) from error
    own = enrolment.requested(asked)
    if own.public != hub_public(chosen.state, _uri(chosen)).raw:
        raise StateError(f"{chosen.state}: the request is for another key than the hub's: make a new request")
    given = enrolment.checked(chosen.file.read_bytes(), asked, _digest(chosen.root_id))
    root = enrolment.install(given, chosen.config, own, chosen.state, chosen.key)
    if chosen.json:
        facts = {"hub": given.hub, "root": str(root), "root_version": given.version, "source": given.source}
        sys.stdout.write(plain_json(facts) + "\n")
    else:
        installed = f"hub {given.hub}, root {given.version} in {root}, source {given.source}"
        sys.stdout.write(one_line(f"{chosen.config}: {installed}") + "\n")
    return os.EX_OK


def _uri(chosen: argparse.Namespace) -> TokenUri | None:
    return token_uri(chosen.key) if chosen.key else None


def _digest(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise UsageError("--root-id: hex digits are needed") from error
