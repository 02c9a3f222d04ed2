"""Live streams in the ward under attack: orders for them, locked to its hub, and what of them residents heard."""

from __future__ import annotations

import time
from array import array
from dataclasses import dataclass, field, replace
from typing import Any

from tests.fault.attacks.range import AREA, HUB, WARD, Range
from tests.sim.hw.streams import captured, is_open, share_of, stream
from tests.srtp_peer import MASTER

from ward_protocol.envelope import Envelope
from ward_protocol.statements import (
    Action,
    Audience,
    Enrolment,
    Event,
    Order,
    Priority,
    Receipt,
    Status,
    lock_master,
)
from ward_sim.world import now_ms

ZONE = "zone-1"
SILENCE_S = 2
ENDED = {Event.AIRED, Event.PARTLY, Event.NOT_AIRED, Event.REFUSED, Event.CANCELLED}


@dataclass
class OnAir:
    """A stream that was ordered: since when, at which port, and from which sample of the capture on it may be heard."""

    at: Range
    order: Order
    digest: bytes
    begun_ms: int = field(default_factory=now_ms)
    samples: int = 0

    @property
    def port(self) -> int:
        assert self.order.stream is not None
        return self.order.stream.port

    async def opens(self) -> None:
        await self.at.until(lambda: is_open(self.port), "its port is open")

    def ending(self) -> Receipt | None:
        return next((one for one in self.at.receipts(self.digest) if one.event in ENDED), None)

    async def ends(self) -> Receipt:
        """Wait for its last receipt, and until everything is released; its port is closed then."""
        await self.at.until(self.ending, "the stream has ended")
        await self.at.until(self.at.all_quiet, "everything is released")
        assert not is_open(self.port)
        ending = self.ending()
        assert ending is not None
        return ending

    def heard(self) -> array[int]:
        """What the device took since it was ordered."""
        return captured(self.at.stage.hub.capture)[self.samples :]

    def heard_ms(self) -> int:
        """For how long sound came out of the zone's horns."""
        return self.at.stage.world.witness.heard_ms(ZONE, self.begun_ms, now_ms())


def hub_key(at: Range) -> bytes:
    """The public key of the hub's end of its channel, as its request tells it."""
    asked = Envelope.open((at.folder / "request.cose").read_bytes()).statement
    assert isinstance(asked, Enrolment)
    return asked.channel


def locked(at: Range, sequence: int, *, issuer: str = WARD, master: bytes = MASTER) -> dict[str, bytes]:
    """A stream's key, locked to the hub for the order of that number."""
    return {HUB: lock_master(master, hub_key(at), issuer=issuer, sequence=sequence, hub=HUB)}


def start(
    at: Range,
    issuer: str = WARD,
    *,
    master: bytes = MASTER,
    status: Status = Status.ACTUAL,
    said: dict[str, Any] | None = None,
) -> Order:
    """An order of the issuer to start a stream in one zone, with its next number; `said` changes the stream."""
    now, number = int(time.time()), at.next(issuer)
    keys = locked(at, number, issuer=issuer, master=master)
    one = replace(stream(keys=keys, silence_s=SILENCE_S, max_s=30), **(said or {}))
    return command(at, Action.STREAM_START, issuer, now, stream=one, status=status)


def command(at: Range, action: Action, issuer: str, now: int, **changes: Any) -> Order:  # noqa: ANN401 - fields
    audience = Audience((AREA,), zones=(ZONE,), boards=("none",))
    return Order(issuer, at.next(issuer), now, now + 60, audience, Priority.PRIORITY, action, **changes)


def stop(at: Range) -> Order:
    return command(at, Action.STREAM_STOP, WARD, int(time.time()))


def ordered(at: Range, order: Order) -> OnAir:
    """Publish an order."""
    begun, samples = now_ms(), len(captured(at.stage.hub.capture))
    return OnAir(at, order, Envelope.open(at.publish(order)).digest, begun, samples)


def tone_of(samples: array[int], hertz: int) -> float:
    """How many seconds of samples hold little but that tone."""
    piece = 4800
    parts = (samples[at : at + piece] for at in range(0, len(samples) - piece + 1, piece))
    return sum(share_of(part, hertz) > 0.8 and max(part) > 3000 for part in parts) / 10
