"""The meter driver: one named reading of a product that measures, known to be fresh.

A meter has no nonce. Freshness rests on order, as with relay boards (`ward_hw.drivers.timed_dialect`): before the first
reading, and whenever an old answer may be under way, a number is read with another function, whose answer cannot be
one of a reading's. A unit answers in the order it was asked, so when that answer has come, all older ones have. What
is read there is known beforehand, so it also shows that this is the product, and the range, that was meant.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from ward_hw.bus import ModbusBus, Priority
from ward_hw.errors import PeerError

if TYPE_CHECKING:
    from pymodbus.pdu import ModbusPDU

    from ward_hw.meter_profile import CheckFacts, MeterProfile, NumberFacts
    from ward_hw.ports import Clock

_READ_BUDGET_S = 2.0


@dataclass(frozen=True, slots=True)
class Measurement:
    """A fresh reading in its ``unit``; ``at`` is the driver's clock when its answer had arrived."""

    value: float
    unit: str
    at: float


class Meter:
    """One ``reading`` of a measuring product on a bus. ``clock`` stamps measurements; MisuseError for a wrong name."""

    def __init__(
        self, name: str, bus: ModbusBus, unit: int, profile: MeterProfile, reading: str, *, clock: Clock
    ) -> None:
        self.name = name
        self.unit = unit
        self._bus = bus
        self._facts = profile.reading(reading)
        self._check: CheckFacts = self._facts.check or profile.check
        self._clock = clock
        self._checked = False  # an agent before this one may have left an answer under way

    async def read(self, *, priority: Priority = Priority.POLL, budget_s: float = _READ_BUDGET_S) -> Measurement:
        """Return a measurement made after this call. Raises LinkError, PeerError (also for another product)."""
        deadline = asyncio.get_running_loop().time() + budget_s
        if not self._checked or self._bus.suspect(self.unit):
            await self._drain(priority, deadline)
        counts = await self._ask(self._facts, priority, deadline)
        if not math.isfinite(counts):
            raise PeerError(self.name, "read", f"it sent {counts}", remedy="check its inputs and the profile")
        return Measurement(counts / self._facts.per_unit, self._facts.unit, self._clock())

    async def _drain(self, priority: Priority, deadline: float) -> None:
        self._checked = False
        found = await self._ask(self._check, priority, deadline)
        wanted = self._check.values or (self.unit,)
        if found not in wanted:
            raise PeerError(
                self.name,
                "check",
                f"register 0x{self._check.register:04X} holds {found:g}, not {' or '.join(map(str, wanted))}",
                remedy="check profile, unit number and the range that is set in the device",
            )
        self._bus.clear(self.unit)
        self._checked = True

    async def _ask(self, facts: NumberFacts, priority: Priority, deadline: float) -> float:
        kind = ReadHoldingRegistersRequest if facts.function == 3 else ReadInputRegistersRequest
        pdu: ModbusPDU = kind(address=facts.register, count=facts.count)
        answer = await self._bus.request(pdu, unit=self.unit, deadline=deadline, priority=priority)
        return facts.decode(answer.registers)
