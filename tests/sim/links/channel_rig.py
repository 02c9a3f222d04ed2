"""Both ends of the channel of hub-1, a source that knows it, and a tap on the wire between them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.oscore_peer import OSCORE, Datagram, Keys
from tests.sim.links.rig import DELAY_S, HANG_S, PERIOD_S
from tests.statements import AREA, BEAT_KEY, GRANT_KEY, GRANTS, NOW, ROOT, ROOT_KEY, STRANGER

from ward_hub.channel import count_of, write_key
from ward_hub.links import Channel, SourceLink
from ward_hub.links.channel import Sealing
from ward_hub.numbers import Numbers
from ward_protocol.channel import Agreement, ChannelKey, agree
from ward_protocol.envelope import Envelope, sign
from ward_protocol.keys import Signer
from ward_protocol.statements import Enrolment
from ward_sim.network import LossyLink, Mangle
from ward_sim.source import Channels, Source
from ward_sim.source.source import SourceEvent

BLOCK = 16


@dataclass(slots=True)
class Ends:
    """What enrolment leaves at both ends: files in `folder`, and the hub's request."""

    folder: Path
    request: bytes
    key: ChannelKey
    source_key: bytes
    hub: str

    @property
    def agreement(self) -> Agreement:
        """What the hub derives."""
        return agree(self.key, self.hub, self.key.public, self.source_key, Envelope.open(self.request).digest)

    @property
    def keys(self) -> Keys:
        """The same for the second computation."""
        return Keys(self.agreement.secret, self.agreement.salt, self.agreement.context)

    @property
    def numbers(self) -> Numbers:
        """The hub's numbers, as a process that begins has them."""
        return Numbers(count_of(self.folder / f"{self.hub}.pem"), self.key.public, BLOCK)

    def channel(self) -> Channel:
        """The hub's end, as a process that begins has it."""
        return Channel(self.agreement, self.numbers.take)

    def source(self, port: int = 0, on_event: Callable[[SourceEvent], None] = lambda _event: None) -> Source:
        """Return a source, as a process that begins has it, which knows the hub by its request."""
        one = Source(
            beat_signer=lambda beat: sign(beat, [BEAT_KEY]),
            root=[sign(ROOT, [ROOT_KEY])],
            grants=[sign(GRANTS, [GRANT_KEY])],
            hub_keys={},
            channels=Channels(self.folder / "source.pem"),
            bind=("127.0.0.1", port),
            beat_period=PERIOD_S,
            on_event=on_event,
        )
        one.enrol(self.request)
        return one


def enrolled(folder: Path, hub: str = "hub-1", key: Signer = STRANGER) -> Ends:
    """Enrol a hub: make its key and the source's (once), and the request."""
    source = folder / "source.pem"
    channels = Channels(source) if source.exists() else Channels.made(source)
    own = ChannelKey.generate()
    write_key(folder / f"{hub}.pem", own)
    return Ends(folder, sign(Enrolment(hub, AREA, key.public.raw, own.public, NOW), [key]), own, channels.public, hub)


@dataclass(slots=True)
class Tap:
    """Everything that went over the wire, and what is done to it: `up` and `down` change it, or lose it (None)."""

    upward: list[bytes] = field(default_factory=list[bytes])
    downward: list[bytes] = field(default_factory=list[bytes])
    up: Mangle = lambda data: data
    down: Mangle = lambda data: data

    def on(self, network: LossyLink) -> None:
        """Tap a link."""
        network.upward.mangle = self._up
        network.downward.mangle = self._down

    def _up(self, data: bytes) -> bytes | None:
        self.upward.append(data)
        return self.up(data)

    def _down(self, data: bytes) -> bytes | None:
        self.downward.append(data)
        return self.down(data)

    @property
    def sealed(self) -> list[Datagram]:
        """The hub's protected requests, in order."""
        return [one for one in map(Datagram.parse, self.upward) if one.option(OSCORE) is not None]

    @property
    def answers(self) -> list[Datagram]:
        """The source's protected answers."""
        return [one for one in map(Datagram.parse, self.downward) if one.option(OSCORE) is not None]

    @property
    def open(self) -> list[Datagram]:
        """The hub's requests that are not protected, but for those after the beat."""
        plain = [one for one in map(Datagram.parse, self.upward) if one.code and one.option(OSCORE) is None]
        return [one for one in plain if (11, b"beat") not in one.options]


@asynccontextmanager
async def tapped(
    ends: Ends,
    at: Source,
    *,
    loss: float = 0.0,
    seed: int = 1,
    channel: Sealing | None = None,
) -> AsyncIterator[tuple[Tap, SourceLink]]:
    """Give a tap, and a link to a source through its channel."""
    tap = Tap()
    async with (
        asyncio.timeout(HANG_S),
        LossyLink(at.address, delay_s=DELAY_S, loss=loss, seed=seed) as network,
        SourceLink(network.uri, rng=random.Random(7), period=PERIOD_S, channel=channel or ends.channel()) as link,
    ):
        tap.on(network)
        yield tap, link
