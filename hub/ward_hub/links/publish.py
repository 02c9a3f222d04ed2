"""Gives a source what is to be published, as `wardhub publish` does: recordings first, then the statement.

Trust documents have resources of their own: a source that is no office of its own takes them there, or refuses.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Sequence
from pathlib import Path

from aiocoap.numbers.codes import Code

from ward_hub.links.ask import give
from ward_hub.links.endpoint import Ask
from ward_hub.links.errors import PeerError
from ward_hub.links.line import Line
from ward_protocol.envelope import Envelope
from ward_protocol.statements import StatementType

DEADLINE_S = 300.0
PLACES = {StatementType.ROOT: "root", StatementType.GRANTS: "grants"}


async def publish(uri: str, envelope: bytes, media: Sequence[Path] = (), *, deadline: float = DEADLINE_S) -> str:
    """Publish a signed statement and the recordings it names at the source `uri`; return where it stands now.

    The place is a path at the source: feed/ISSUER/SEQUENCE, root/VERSION or grants/VERSION. `deadline` is seconds for
    each thing given. Raises SourceError in its kinds, ProtocolError for bytes that are no envelope, OSError for files
    that cannot be read.
    """
    kind = Envelope.open(envelope).type
    async with Line(uri, rng=random.SystemRandom()) as line:
        for path in media:
            data = await asyncio.to_thread(path.read_bytes)
            place = f"media/{hashlib.sha256(data).hexdigest()}"
            await give(line, Ask(Code.PUT, place, payload=data), line.now() + deadline)
        question = Ask(Code.POST, PLACES.get(kind, "feed"), payload=envelope, content_format=int(kind))
        reply = await give(line, question, line.now() + deadline)
        if not reply.location:
            raise PeerError(
                f"{uri}: {question.path}: accepted ({reply.words}), but the source does not say where it stands"
            )
        return "/".join(reply.location)
