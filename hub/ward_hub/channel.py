"""This hub's end of the channel to its source, in the state directory: its key, what was agreed on, its numbers.

A key is made for one request, stands under the request's digest, and is good once the answer to it is installed. Beside
each key stands the count of what was sent under it (`ward_hub.numbers`): a key without its count is not used.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ward_hub.durable import replace_whole, sync
from ward_hub.errors import NotWritten, StateError
from ward_hub.keys.files import read_private, write_private
from ward_hub.numbers import AGAIN, Numbers, begin
from ward_protocol.channel import Agreement, ChannelKey, agree
from ward_protocol.envelope import Envelope
from ward_protocol.errors import MisuseError, ProtocolError
from ward_protocol.statements import Admission

FOLDER = "channel"
ADMISSION = "admission.cose"
NAMED_BY = 16  # hex digits of the request's digest


@dataclass(frozen=True, slots=True)
class HubEnd:
    """The channel as the hub has it: what both ends agreed on, and where its numbers come from."""

    agreement: Agreement
    numbers: Numbers


def write_key(path: Path, key: ChannelKey) -> None:
    """Write a new key and, beside it, that nothing was sent under it yet; raises NotWritten."""
    write_private(path, key.to_pem())
    try:
        begin(count_of(path), key.public)
        sync(path.parent)
    except OSError as error:
        raise NotWritten(f"{count_of(path)}: cannot be written: {error.strerror}") from error


def read_key(path: Path) -> ChannelKey:
    """Read a key; raises StateError as `read_private` does, and where it is none."""
    try:
        return ChannelKey.from_pem(read_private(path, "channel's key"))
    except MisuseError as error:
        raise StateError(f"{path}: {error}; {AGAIN}") from error


def count_of(path: Path) -> Path:
    """Return where the numbers of the key at `path` are counted."""
    return path.with_name(path.name + ".numbers")


def keep_key(state: Path, request: bytes, key: ChannelKey) -> None:
    """Keep the key that was made for the request of that digest."""
    path = _key_file(state, request)
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        sync(state)
    except OSError as error:
        raise NotWritten(f"{path.parent}: cannot be made: {error.strerror}") from error
    write_key(path, key)


def own_key(state: Path, hub: str) -> ChannelKey:
    """Return the key of this hub's end, as it is in force; raises StateError where there is none."""
    return read_key(_key_file(state, _admission(state, hub).request))


def hub_end(state: Path, admission: Admission) -> HubEnd:
    """Return the channel that an answer to this hub's request makes; raises StateError."""
    path = _key_file(state, admission.request)
    key = read_key(path)
    try:
        agreement = agree(key, admission.hub, key.public, admission.channel, admission.request)
    except MisuseError as error:
        raise StateError(f"{path}: {error}; {AGAIN}") from error
    numbers = Numbers(count_of(path), key.public)
    numbers.read()
    return HubEnd(agreement, numbers)


def install(state: Path, answer: bytes, admission: Admission) -> None:
    """Put an answer into force, which was checked, and destroy the keys of other requests; raises StateError."""
    hub_end(state, admission)
    own = _key_file(state, admission.request)
    try:
        replace_whole(state / ADMISSION, answer)
        for path in own.parent.iterdir():
            if path not in {own, count_of(own)}:
                path.unlink()
    except OSError as error:
        raise StateError(f"{state}: the channel cannot be installed: {error.strerror}") from error


def installed(state: Path, hub: str, *, protected: bool | None) -> HubEnd | None:
    """Return the channel that is in force; None where receipts go unprotected.

    `protected` is `source.protected`: None means as enrolled. Raises StateError where there should be a channel and it
    cannot be used: never is that taken for a hub without one.
    """
    path = state / ADMISSION
    if protected is False or (protected is None and not path.exists()):
        return None
    return hub_end(state, _admission(state, hub))


def _admission(state: Path, hub: str) -> Admission:
    """Return the answer to this hub's enrolment that is in force; raises StateError."""
    path = state / ADMISSION
    try:
        admission = Envelope.open(path.read_bytes()).statement
    except OSError as error:
        raise StateError(f"{path}: the answer to the enrolment cannot be read: {error.strerror}; {AGAIN}") from error
    except ProtocolError as error:
        raise StateError(f"{path}: {error}; {AGAIN}") from error
    if not isinstance(admission, Admission) or admission.hub != hub:
        raise StateError(f"{path}: it is not the answer to hub {hub}; {AGAIN}")
    return admission


def _key_file(state: Path, request: bytes) -> Path:
    return state / FOLDER / f"{request.hex()[:NAMED_BY]}.pem"
