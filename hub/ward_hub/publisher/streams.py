"""The stream of an order's draft, and its key: read from a file, and locked to each hub that is to hear it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from ward_hub.enrolment import requested
from ward_hub.errors import StateError
from ward_hub.keys.files import read_line
from ward_hub.publisher.drafts import Section
from ward_hub.publisher.errors import CeremonyError
from ward_protocol.errors import MisuseError, ProtocolError
from ward_protocol.schema import to_map
from ward_protocol.statements import Enrolment, Stream, StreamCodec, Suite, lock_master
from ward_protocol.statements.stream import LONGEST_S, MASTER_SIZE, MOST_HUBS

CLOCK_RATES = {StreamCodec.OPUS: 48_000, StreamCodec.PCMA: 8000, StreamCodec.L16: 48_000}
DYNAMIC = 96


class StreamDraft(Section, frozen=True, kw_only=True):
    """A live stream as an officer writes it. `key` and `requests` are files: names are looked for beside the draft.

    `requests` are the requests by which the hubs were enrolled: each holds the key that its hub unlocks with.
    """

    port: int
    key: str
    requests: Annotated[tuple[str, ...], Meta(min_length=1, max_length=MOST_HUBS)]
    max_s: Annotated[int, Meta(ge=1, le=LONGEST_S)]
    codec: StreamCodec = StreamCodec.OPUS
    payload_type: int = DYNAMIC
    clock_rate: int | None = None
    channels: int = 1
    address: str = ""
    ssrc: int | None = None
    silence_s: int = 10


def stream_of(draft: StreamDraft, folder: Path, *, issuer: str, sequence: int) -> Stream:
    """Return the stream of an order by `issuer` under that number.

    Raises ValueError for what cannot be, CeremonyError and StateError for files that cannot be used.
    """
    master = stream_key(folder / draft.key)
    hubs = _hubs([folder / one for one in draft.requests])
    stream = Stream(
        port=draft.port,
        suite=Suite.AES_CM_128_HMAC_SHA1_80,
        keys={one.hub: lock_master(master, one.channel, issuer=issuer, sequence=sequence, hub=one.hub) for one in hubs},
        codec=draft.codec,
        payload_type=draft.payload_type,
        clock_rate=draft.clock_rate or CLOCK_RATES[draft.codec],
        channels=draft.channels,
        max_s=draft.max_s,
        address=draft.address,
        ssrc=draft.ssrc,
        silence_s=draft.silence_s,
    )
    try:
        to_map(stream)
    except MisuseError as error:
        raise CeremonyError(f"order: {error}") from error
    return stream


def stream_key(path: Path) -> bytes:
    """Return the master key and salt in a file of the form that SDP has (RFC 4568 §6.1); raises StateError."""
    try:
        master = base64.b64decode(read_line(path, "key"), validate=True)
    except ValueError as error:
        raise StateError(f"{path}: it holds no key of a stream") from error
    if len(master) != MASTER_SIZE:
        raise StateError(f"{path}: a key of a stream has {MASTER_SIZE} bytes, not {len(master)}")
    return master


def _hubs(paths: Sequence[Path]) -> list[Enrolment]:
    """Return the requests of hubs, each once."""
    found: dict[str, Enrolment] = {}
    for path in paths:
        try:
            one = requested(path.read_bytes())
        except OSError as error:
            raise CeremonyError(f"stream.requests: {path} cannot be read: {error.strerror}") from error
        except (ProtocolError, CeremonyError) as error:
            raise CeremonyError(f"stream.requests: {path}: {error}") from error
        if one.hub in found:
            raise CeremonyError(f"stream.requests: {path}: hub {one.hub} is there twice; give its newest request")
        found[one.hub] = one
    return list(found.values())
