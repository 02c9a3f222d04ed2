"""`wardhub keygen`: makes a key where it will be used: in a file, on a token, or sealed by two officers.

It signs, or is a source's end of the channels to its hubs.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from pathlib import Path

from ward_hub import channel
from ward_hub.cli.keys import language_argument, passphrase_argument, passphrases, pin_of, token_uri
from ward_hub.durable import write_whole
from ward_hub.errors import UsageError
from ward_hub.identity import write_key
from ward_hub.keys.files import write_private
from ward_hub.keys.sealed import NONCE_SIZE, SALT_SIZE, seal
from ward_hub.keys.token import reach
from ward_hub.keys.uri import SCHEME
from ward_hub.printed import plain_json
from ward_hub.publisher.drafts import channel_text
from ward_protocol.channel import ChannelKey
from ward_protocol.keys import PublicKey, Signer

SUMMARY = "make a key in a new file that only you can read, on a token, or sealed by two officers"


def arguments(one: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    one.add_argument("file", metavar="KEY", help="a new file, or the pkcs11: URI of a new key on a token")
    one.add_argument("--sealed", action="store_true", help="usable only with the passphrases of two officers")
    passphrase_argument(one)
    one.add_argument("--public", type=Path, metavar="FILE", help="write the public key to this file as well")
    one.add_argument(
        "--channel",
        action="store_true",
        help="not a key that signs, but X25519: a source's end of the channels",
    )
    one.add_argument("--json", action="store_true", help="print key id and public key as JSON")
    language_argument(one)


def act(chosen: argparse.Namespace) -> int:
    """Make the key and print its public side."""
    if chosen.channel:
        name, facts = "", {"public": _channel(chosen)}
    else:
        key = _made(chosen)
        name, facts = f"key {key.kid.hex()}, ", {"kid": key.kid.hex(), "public": key.raw.hex()}
    if chosen.public:
        write_whole(chosen.public, f"{facts['public']}\n".encode())
    if chosen.json:
        sys.stdout.write(plain_json({"file": chosen.file, **facts}) + "\n")
    else:
        sys.stdout.write(f"{chosen.file}: {name}public {facts['public']}\n")
    return os.EX_OK


def _channel(chosen: argparse.Namespace) -> str:
    if chosen.sealed or chosen.file.startswith(SCHEME):
        raise UsageError("keygen: a channel's key is in use day and night: it is in a file, not sealed, not on a token")
    key = ChannelKey.generate()
    channel.write_key(Path(chosen.file), key)
    return channel_text(key.public)


def _made(chosen: argparse.Namespace) -> PublicKey:
    on_token = chosen.file.startswith(SCHEME)
    if chosen.passphrase_file and not chosen.sealed:
        raise UsageError("keygen: --passphrase-file is for --sealed")
    if on_token and chosen.sealed:
        raise UsageError("keygen: a key on a token never leaves it, and cannot be sealed")
    if on_token:
        uri = token_uri(chosen.file)
        return reach(uri).make(pin_of(uri, chosen.lang)())
    signer = Signer.generate()
    if chosen.sealed:
        both = passphrases(chosen.passphrase_file, chosen.lang, new=True)
        salt, nonce = secrets.token_bytes(SALT_SIZE), secrets.token_bytes(NONCE_SIZE)
        write_private(Path(chosen.file), seal(signer, both, salt=salt, nonce=nonce))
    else:
        write_key(Path(chosen.file), signer)
    return signer.public
