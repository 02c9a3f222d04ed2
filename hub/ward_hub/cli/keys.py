"""What commands take as keys: files, keys on PKCS#11 tokens by their URI, and a sealed key with its two passphrases."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from ward_hub.cli import ask
from ward_hub.errors import StateError, UsageError
from ward_hub.i18n import DEFAULT_LANGUAGE, LANGUAGES
from ward_hub.identity import pin_in_file, read_key
from ward_hub.keys.files import read_line
from ward_hub.keys.sealed import MAX_SIZE, Passphrases, unseal
from ward_hub.keys.token import Token, reach
from ward_hub.keys.uri import SCHEME, TokenUri
from ward_protocol.keys import Signer, Signing

TOUCH_S = 60.0  # some tokens wait for a finger
KEY_HELP = "a key file, or the pkcs11: URI of a key on a token"


def key_argument(one: argparse.ArgumentParser, what: str = "", *, required: bool = True) -> None:
    """Declare --key, with whose keys they are, and --lang for what is asked on the terminal."""
    words = "; ".join(word for word in (KEY_HELP, what, "may be given several times") if word)
    one.add_argument("--key", action="append", default=None if required else [], required=required, help=words)
    language_argument(one)


def language_argument(one: argparse.ArgumentParser) -> None:
    """Declare --lang."""
    one.add_argument("--lang", choices=LANGUAGES, default=DEFAULT_LANGUAGE, help="for what is asked on the terminal")


def passphrase_argument(one: argparse.ArgumentParser) -> None:
    """Declare --passphrase-file."""
    one.add_argument(
        "--passphrase-file", type=Path, action="append", default=[], metavar="FILE",
        help="an officer's passphrase, instead of asking for it; given twice",
    )  # fmt: skip


@contextmanager
def signing_with(keys: Iterable[str], language: str) -> Generator[list[Signing]]:
    """Give what signs for each `--key`; tokens are logged out at the end. Raises StateError, TokenError, UsageError."""
    with ExitStack() as stack:
        signers: list[Signing] = []
        for key in keys:
            if key.startswith(SCHEME):
                uri = token_uri(key)
                signers.append(stack.enter_context(Token(reach(uri), pin_of(uri, language), TOUCH_S)))
            else:
                signers.append(read_key(Path(key)))
        yield signers


def token_uri(text: str) -> TokenUri:
    """Return the URI of a key on a token; raises UsageError."""
    try:
        return TokenUri.parse(text)
    except ValueError as error:
        raise UsageError(f"the URI of a key on a token: {error}") from error


def pin_of(uri: TokenUri, language: str) -> Callable[[], str]:
    """Return what gives the PIN of a token: its file where the URI names one, else the terminal."""
    return partial(pin_in_file, uri) if uri.pin_source else partial(ask.pin, uri, language)


def passphrases(files: list[Path], language: str, *, new: bool) -> Passphrases:
    """Return two officers' passphrases from their files, or as they are typed; raises UsageError, StateError."""
    if not files:
        return ask.passphrases(language, new=new)
    if len(files) != 2:
        raise UsageError("--passphrase-file is given twice, once for each officer")
    return Passphrases(*(read_line(one, "passphrase") for one in files))


def unsealed(path: Path, files: list[Path], language: str) -> Signer:
    """Return the key in a sealed file, opened in memory; raises StateError, SealError, UsageError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SIZE + 1)
    except OSError as error:
        raise StateError(f"{path}: the sealed key cannot be read: {error.strerror}") from error
    return unseal(data, passphrases(files, language, new=False))
