"""A source with test keys, a link that loses, and statements to publish."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from tests.statements import BEAT_KEY, GRANT_KEY, GRANTS, MINIMAL, RECEIPT, ROOT, ROOT_KEY, SIGNER, STRANGER

from ward_hub.links import LinkState, SourceLink
from ward_protocol.envelope import Envelope, sign
from ward_protocol.errors import StatementError
from ward_protocol.keys import Signer
from ward_protocol.statements import Beat
from ward_sim.network import LossyLink
from ward_sim.source import Source
from ward_sim.source.source import SourceEvent

HANG_S = 60.0
PERIOD_S = 0.2
# The link of most tests: short, so that the tests are.
DELAY_S = 0.01


def source(
    port: int = 0,
    *,
    unchecked: bool = False,
    on_event: Callable[[SourceEvent], None] | None = None,
    hub_key: Signer = STRANGER,
) -> Source:
    """Return a source that knows the test ward's authority and hub-1 with its key."""
    return Source(
        beat_signer=lambda beat: sign(beat, [BEAT_KEY]),
        root=[sign(ROOT, [ROOT_KEY])],
        grants=[sign(GRANTS, [GRANT_KEY])],
        hub_keys={"hub-1": hub_key.public.raw},
        bind=("127.0.0.1", port),
        beat_period=PERIOD_S,
        unchecked=unchecked,
        on_event=on_event or (lambda _event: None),
    )


@asynccontextmanager
async def linked(
    loss: float = 0.0, *, delay_s: float = DELAY_S, seed: int = 1, rate: float | None = None
) -> AsyncIterator[tuple[Source, LossyLink, SourceLink]]:
    """Give a source, the network in front of it, and a link through that."""
    async with (
        asyncio.timeout(HANG_S),
        source() as at,
        LossyLink(at.address, delay_s=delay_s, loss=loss, seed=seed, rate=rate) as network,
        link_to(network.uri) as link,
    ):
        yield at, network, link


def link_to(uri: str) -> SourceLink:
    """Return a link with seeded jitter."""
    return SourceLink(uri, rng=random.Random(7), period=PERIOD_S)


def bulletin(sequence: int, body: str = "") -> bytes:
    """Return a signed bulletin of the test ward."""
    statement = replace(MINIMAL, sequence=sequence)
    if body:
        statement = replace(statement, texts=(replace(MINIMAL.texts[0], body=body),))
    return sign(statement, [SIGNER])


def receipt(sequence: int = 2, *, zones: int = 1, key: Signer = STRANGER) -> bytes:
    """Return a receipt of hub-1 with evidence of so many zones."""
    evidence = RECEIPT.evidence
    assert evidence is not None
    statement = replace(RECEIPT, sequence=sequence, evidence=replace(evidence, zones=evidence.zones * zones))
    return sign(statement, [key])


async def beat_with(link: SourceLink, wanted: Callable[[Beat], bool]) -> Beat:
    """Return the first beat of which `wanted` holds."""
    async for data in link.beats():
        try:
            beat = Envelope.open(data).statement
        except StatementError:
            continue  # whatever a hostile link made of it
        if isinstance(beat, Beat) and wanted(beat):
            return beat
    raise AssertionError("beats ended")


async def reached(link: SourceLink, state: LinkState) -> None:
    """Wait until the beat comes in that way."""
    while link.state is not state:
        await asyncio.sleep(PERIOD_S / 4)


def head(sequence: int) -> Callable[[Beat], bool]:
    """Hold where the ward's head is at least so high."""
    return lambda beat: beat.heads.get("ward", 0) >= sequence
