"""Who a hub is: the key that it signs with, made on it once, and never exchanged for another without a person's doing.

It rests in `hub.key` in the state directory, or on a PKCS#11 token.
"""

from __future__ import annotations

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ward_hub.errors import StateError
from ward_hub.keys.files import private_directory, read_line, read_private, write_private
from ward_hub.keys.sealed import BEGIN as SEALED
from ward_hub.keys.token import Token, reach
from ward_hub.keys.uri import TokenUri
from ward_protocol.errors import MisuseError
from ward_protocol.keys import PublicKey, Signer, Signing

KEY, REQUEST, JOURNAL = "hub.key", "enrolment.cose", "journal.sqlite"
TOKEN_S = 10.0  # a receipt waits for its signature, and an emergency for its receipt


def write_key(path: Path, signer: Signer) -> None:
    """Write a private key to a new file, as `write_private` does; raises NotWritten."""
    write_private(path, signer.to_pem())


def read_key(path: Path) -> Signer:
    """Read a private key; raises StateError when it is missing, is no key, or is not private to this user."""
    data = read_private(path, "key")
    if data.startswith(SEALED.encode()):
        raise StateError(f"{path}: this key is sealed: give it as --sealed-key")
    try:
        return Signer.from_pem(data)
    except MisuseError as error:
        raise StateError(f"{path}: {error}") from error


@contextmanager
def hub_key(state: Path, uri: TokenUri | None = None) -> Generator[Signing]:
    """Give the hub's key: the one on the token of `uri`, or `hub.key` in `state`, made there if the state is new.

    Raises StateError, TokenError, ConfigError.
    """
    private_directory(state)
    if uri is None:
        if not _there(state / KEY):
            _need_new(state)
            write_key(state / KEY, Signer.generate())
        yield read_key(state / KEY)
        return
    with Token(reach(uri), lambda: pin_in_file(uri), TOKEN_S) as token:
        yield token


@contextmanager
def made_hub_key(state: Path, uri: TokenUri | None = None) -> Generator[Signing]:
    """Give the hub's key as `hub_key` does; where there is none yet on a token it is made there, too."""
    private_directory(state)
    if uri is not None and not (token := reach(uri)).holds():
        _need_new(state)
        token.make(pin_in_file(uri))
    with hub_key(state, uri) as key:
        yield key


def hub_public(state: Path, uri: TokenUri | None = None) -> PublicKey:
    """Return the public half of the hub's key, which must be there; a token is not asked for its PIN."""
    return read_key(state / KEY).public if uri is None else reach(uri).public()


def pin_in_file(uri: TokenUri) -> str:
    """Return the PIN of a token from the file that its URI names, read anew each time; raises StateError."""
    if uri.pin_source is None:
        raise StateError(f"{uri}: nobody is there to type its PIN: name a file with pin-source=file:/PATH")
    return read_line(uri.pin_source, "PIN")


@contextmanager
def alone_in(state: Path) -> Generator[None]:
    """Hold the state directory for one agent; raises StateError where another has it. A killed one lets go of it."""
    with (state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StateError(f"{state}: another agent runs with this state; stop it first") from error
        yield


def _there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _need_new(state: Path) -> None:
    """Refuse to make a key beside what another key has signed: the hub would be another one, and nobody would know."""
    for name in (REQUEST, JOURNAL):
        if _there(state / name):
            raise StateError(
                f"{state}: the hub's key is gone, and {name} is of that key: bring the key back; "
                "or move all of this directory away, and enrol the hub as a new one"
            )
