"""Whether a relay board really opens a relay by itself: one relay is closed for a time, twice, and looked at.

What a timed order does is the maker's word. The second trial gives the order again before the first has ended: renewing
rests on that beginning the time anew.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pymodbus.pdu.bit_message import ReadCoilsRequest, WriteSingleCoilRequest

from ward_hw.bus import Priority
from ward_hw.drivers.timed_dialect import FlashRequest
from ward_hw.errors import MisuseError, PeerError

if TYPE_CHECKING:
    from pymodbus.pdu import ModbusPDU

    from ward_hw.bus import ModbusBus
    from ward_hw.profile import AmplifierProfile, TimedLease

TIME_S = 3.0  # for which it is ordered closed
AGAIN_S = 2.0  # after which the second order comes
PATIENCE_S = 10.0  # behind the last order
TOLERANCE_S = 0.5
_LOOK_S = 0.1
_ANSWER_S = 2.0


@dataclass(frozen=True, slots=True)
class LeaseProof:
    """Seconds from the last order to the relay's opening, None where it did not open in PATIENCE_S.

    ``once`` after one order, ``again`` after one that was given again.
    """

    once: float | None
    again: float | None

    @property
    def holds(self) -> bool:
        """Whether it opens when it should, both times."""
        return all(one is not None and abs(one - TIME_S) <= TOLERANCE_S for one in (self.once, self.again))


async def prove_lease(bus: ModbusBus, unit: int, profile: AmplifierProfile, relay: int) -> LeaseProof:
    """Try `relay` (0 is the first) of a board, and leave it open.

    Raises MisuseError for a product without a timed output or without that relay, PeerError where the relay does not
    close or cannot be opened, LinkError.
    """
    name = f"unit {unit}"
    lease = profile.timed_lease
    if lease is None:
        raise MisuseError(name, "prove the lease", "its relays have no timed order", remedy="it needs no proof")
    if not 0 <= relay < profile.relays.count:
        last = profile.relays.count - 1
        raise MisuseError(name, "prove the lease", f"relay {relay}", remedy=f"relays are 0 to {last}")
    trial = _Trial(bus, unit, profile.relays.coil + relay, lease, relay)
    try:
        once = await trial.opens_after(1)
        again = await trial.opens_after(2)
    finally:
        await trial.open()
    return LeaseProof(once, again)


class _Trial:
    """Orders and looks at one coil."""

    def __init__(self, bus: ModbusBus, unit: int, coil: int, lease: TimedLease, relay: int) -> None:
        self._bus = bus
        self._unit = unit
        self._coil = coil
        self._flash = FlashRequest(lease.coil + relay, round(TIME_S * 1000 / lease.step_ms))

    async def opens_after(self, orders: int) -> float | None:
        """Give so many orders, AGAIN_S apart; return when it was first seen open behind the last, in seconds."""
        loop = asyncio.get_running_loop()
        await self.open()
        began = loop.time()
        for number in range(orders):
            if number:
                await asyncio.sleep(AGAIN_S)
            began = loop.time()
            await self._ask(self._flash)
            if not await self._closed():
                raise self._failed("the relay does not close", "check profile, relay number and supply of the board")
        while loop.time() - began < PATIENCE_S:
            await asyncio.sleep(_LOOK_S)
            if not await self._closed():
                return loop.time() - began
        return None

    async def open(self) -> None:
        """Order it open, and see that it is."""
        await self._closed()  # before the first order: by that the bus learns whether the adapter hears itself
        await self._ask(WriteSingleCoilRequest(address=self._coil, bits=[False]))
        if await self._closed():
            raise self._failed("the relay does not open", "take the board's supply away")

    async def _closed(self) -> bool:
        return bool((await self._ask(ReadCoilsRequest(address=self._coil, count=1))).bits[0])

    async def _ask(self, pdu: ModbusPDU) -> ModbusPDU:
        deadline = asyncio.get_running_loop().time() + _ANSWER_S
        return await self._bus.request(pdu, unit=self._unit, deadline=deadline, priority=Priority.COMMAND)

    def _failed(self, problem: str, remedy: str) -> PeerError:
        return PeerError(f"unit {self._unit}", "prove the lease", problem, remedy=remedy)
