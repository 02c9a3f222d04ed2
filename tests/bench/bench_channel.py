"""A receipt through the channel against the same receipt in the open: bytes on the wire, and time of a round trip.

Both go over loopback to the simulated source in this process, by turns; so the times are those of both ends, and of no
network. Blocks of numbers go to the disk as on a hub. Then what one seal costs, and one block of numbers.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from aiocoap import Message
from aiocoap.numbers.codes import Code
from tests.bench.harness import Row
from tests.bench.timing import medians_s
from tests.oscore_peer import Datagram
from tests.sim.links.channel_rig import Ends, Tap, enrolled
from tests.sim.links.rig import receipt, source

from ward_hub.channel import count_of
from ward_hub.links import Channel, SourceLink
from ward_hub.links.channel import Context, Seal
from ward_hub.numbers import Numbers
from ward_sim.network import LossyLink

ROUNDS = 300
SMALL = receipt()


async def rows() -> AsyncIterator[Row]:
    """Yield sizes, times of a round trip, and the parts of that."""
    with tempfile.TemporaryDirectory() as name:
        ends = enrolled(Path(name))
        numbers = Numbers(count_of(ends.folder / "hub-1.pem"), ends.key.public)
        channel = Channel(ends.agreement, numbers.take)
        async with ends.source() as sealed_at, source() as open_at:
            sizes = [await _sizes(sealed_at.address, channel), await _sizes(open_at.address, None)]
            for number, what in enumerate(("receipt", "its acknowledgement")):
                yield Row(f"{what}, datagram", "bytes", sizes[0][number], sizes[1][number], "open")
            ours, peer = await _round_trips(sealed_at.uri, open_at.uri, channel)
            yield Row("round trip", "ms", ours * 1000, peer * 1000, "open")
        for row in _parts(ends, numbers):
            yield row


async def _sizes(at: tuple[str, int], channel: Channel | None) -> tuple[int, int]:
    """Sizes of the datagram of a receipt and of its answer, once the source has no more challenge."""
    tap = Tap()
    async with LossyLink(at, delay_s=0, loss=0, seed=1) as network:
        tap.on(network)
        async with SourceLink(network.uri, rng=random.Random(1), channel=channel) as link:
            await link.post_receipt(SMALL, deadline=60)
            await link.post_receipt(receipt(3), deadline=60)
    asked = Datagram.parse([data for data in tap.upward if len(data) > len(SMALL)][-1])
    answer = next(data for data in tap.downward if Datagram.parse(data).token == asked.token)
    return len(asked.wire()), len(answer)


async def _round_trips(sealed: str, opened: str, channel: Channel) -> tuple[float, float]:
    """Median seconds of each way, by turns."""
    taken: list[list[float]] = [[], []]
    async with SourceLink(sealed, channel=channel) as ours, SourceLink(opened) as peer:
        for _ in range(ROUNDS):
            for link, times in zip((ours, peer), taken, strict=True):
                started = time.perf_counter()
                await link.post_receipt(SMALL, deadline=60)
                times.append(time.perf_counter() - started)
    return statistics.median(taken[0]), statistics.median(taken[1])


def _parts(ends: Ends, numbers: Numbers) -> list[Row]:
    context, count = Context(ends.agreement), iter(range(2**40))

    def plain() -> Message:
        return Message(code=Code.POST, payload=SMALL, uri_path=("receipts",))

    seal, message = medians_s(lambda: Seal(context, next(count)).protect(plain()), plain, inner=20)
    (block,) = medians_s(numbers.reserve)
    return [
        Row("sealing a receipt, beside its message", "us", seal * 1e6, message * 1e6, "the message alone"),
        Row("a block of 256 numbers to the disk", "ms", block * 1000),
    ]
