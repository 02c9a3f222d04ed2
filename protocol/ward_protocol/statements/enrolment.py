"""How a hub and its source become known to each other: the hub's request, and the answer. Times are Unix seconds."""

from __future__ import annotations

from dataclasses import dataclass

from ward_protocol.channel import check_public
from ward_protocol.errors import MisuseError
from ward_protocol.schema import Codec, blob, key, text, uint
from ward_protocol.statements.bulletin import DIGEST
from ward_protocol.statements.documents import AREA, IDENTIFIER, PUBLIC_KEY

MAX_ROOT = 32 * 1024


def _channel_key(item: object) -> bytes:
    try:
        return check_public(item if isinstance(item, bytes) else b"")
    except MisuseError as error:
        raise ValueError(str(error)) from error


CHANNEL = Codec(bytes, _channel_key)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A hub asks to be known under this key; signed with the key itself, which proves that the hub has it.

    `channel` is the public side of the hub's end of the channel (X25519), made for this request alone.
    """

    hub: str = key(1, IDENTIFIER)
    area: str = key(2, AREA)
    public: bytes = key(3, PUBLIC_KEY)
    channel: bytes = key(4, CHANNEL)
    issued: int = key(5, uint())


@dataclass(frozen=True, slots=True)
class Admission:
    """The answer to one request: the root to begin with, an envelope of its own, and the source's URI.

    `channel` is the public side of the source's end of the channel (X25519). Signed by the grant role of the root
    that it brings.
    """

    hub: str = key(1, IDENTIFIER)
    request: bytes = key(2, DIGEST)
    root: bytes = key(3, blob(MAX_ROOT, 1))
    source: str = key(4, text(200))
    channel: bytes = key(5, CHANNEL)
    issued: int = key(6, uint())
