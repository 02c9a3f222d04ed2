"""Relay boards that close a relay for a time (Waveshare): a lease is a "flash on", given again to renew it.

Freshness without a nonce rests on order: a unit answers in the order it was asked, so once an answer is
known to be new, all older ones have come. A flash order's answer repeats the time asked for, and no two
orders in a row ask for the same time, which makes that time a small nonce. Where no flash is needed (all
relays open), a read of another shape is answered first whenever an old answer may be under way.

Ref: profile waveshare/modbus-rtu-relay-8ch.
"""

from __future__ import annotations

import contextlib
import struct
from typing import TYPE_CHECKING

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, WriteMultipleCoilsRequest, WriteSingleCoilRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest

from ward_hw.bus import ModbusBus, Priority
from ward_hw.drivers.dialect import relays_in
from ward_hw.drivers.readings import AmplifierStatus
from ward_hw.errors import LinkError, MisuseError

if TYPE_CHECKING:
    from ward_hw.ports import Clock
    from ward_hw.profile import ProbeFacts, RelayFacts, TimedLease

_VARIATIONS = 4  # times lease, lease + 1 step ... in turn


class FlashRequest(ModbusPDU):
    """FC 05 with a time in place of on or off, which the maker allows at the flash addresses."""

    function_code = 5
    rtu_frame_size = 8

    def __init__(self, address: int, steps: int) -> None:
        super().__init__(address=address)
        self.steps = steps

    def encode(self) -> bytes:
        """Address and time, as in the maker's manual."""
        return struct.pack(">HH", self.address, self.steps)


class TimedDialect:
    """`Dialect` of relay boards with a timed output and no other supervision."""

    def __init__(
        self,
        bus: ModbusBus,
        unit: int,
        relays: RelayFacts,
        lease: TimedLease,
        probe: ProbeFacts,
        *,
        name: str,
        clock: Clock,
    ) -> None:
        self._bus = bus
        self._unit = unit
        self._relays = relays
        self._lease = lease
        self._probe = probe
        self._name = name
        self._clock = clock
        self._steps = -(-lease.default_ms // lease.step_ms)
        self._turn = 0
        self._ordered: frozenset[int] = frozenset()

    @property
    def another_answers(self) -> bool:
        """Never seen: these boards have no serial number."""
        return False

    async def write(self, closed: frozenset[int], priority: Priority, deadline: float) -> None:
        """Flash each relay that shall be closed, then open what is closed and shall not be."""
        self._ordered = closed
        await self._flash(closed, priority, deadline)
        surplus = frozenset(range(self._relays.count))
        if closed:
            surplus = (await self.read_fresh(priority, deadline)).relays - closed
        if surplus:
            await self._open(surplus, priority, deadline)

    async def read_fresh(self, priority: Priority, deadline: float) -> AmplifierStatus:
        """Let older answers drain, where there may be any, then read the coils."""
        if self._bus.suspect(self._unit):
            await self._ask(ReadHoldingRegistersRequest(address=self._probe.register, count=1), priority, deadline)
            self._bus.clear(self._unit)
        return await self.read(priority, deadline)

    async def read(self, priority: Priority, deadline: float) -> AmplifierStatus:
        """FC 01 of all relays."""
        pdu = ReadCoilsRequest(address=self._relays.coil, count=self._relays.count)
        answer = await self._ask(pdu, priority, deadline)
        return AmplifierStatus(relays_in(answer.bits[: self._relays.count]), self._clock())

    async def renew(self, priority: Priority, deadline: float) -> AmplifierStatus:
        """Flash again what was last ordered closed and still is; what fell open stays open."""
        closed = (await self.read_fresh(priority, deadline)).relays & self._ordered
        await self._flash(closed, priority, deadline)
        return await self.read_fresh(priority, deadline)

    async def configure(self, lease_ms: int, max_on_s: int, deadline: float) -> None:
        """Nothing is kept in the board: the time goes with every order, and has the maker's limit.

        Reads the version, to see that the board is there.
        """
        longest = self._lease.max_ms - _VARIATIONS * self._lease.step_ms
        if not self._lease.step_ms <= lease_ms <= longest:
            raise MisuseError(self._name, "configure", f"lease of {lease_ms} ms", remedy=f"choose up to {longest} ms")
        self._steps = -(-lease_ms // self._lease.step_ms)
        await self._ask(ReadHoldingRegistersRequest(address=self._probe.register, count=1), Priority.COMMAND, deadline)

    async def _open(self, relays: frozenset[int], priority: Priority, deadline: float) -> None:
        pdu: ModbusPDU = WriteMultipleCoilsRequest(address=self._relays.coil, bits=[False] * self._relays.count)
        if len(relays) == self._relays.count:
            await self._ask(pdu, priority, deadline)
            return
        for number in sorted(relays):  # not with one order for all: it would end the leases of those closed
            pdu = WriteSingleCoilRequest(address=self._relays.coil + number, bits=[False])
            await self._ask(pdu, priority, deadline)

    async def _flash(self, relays: frozenset[int], priority: Priority, deadline: float) -> None:
        """Give the timed order to each relay; answers may get lost, a reading tells what came of it."""
        self._turn = (self._turn + 1) % _VARIATIONS
        for number in sorted(relays):
            pdu = FlashRequest(self._lease.coil + number, self._steps + self._turn)
            with contextlib.suppress(LinkError):
                await self._ask(pdu, priority, deadline, proof=True)

    async def _ask(self, pdu: ModbusPDU, priority: Priority, deadline: float, *, proof: bool = False) -> ModbusPDU:
        # The bus has already compared the time in the answer with the one in the order.
        accept = _any_answer if proof else None
        return await self._bus.request(pdu, unit=self._unit, deadline=deadline, priority=priority, accept=accept)


def _any_answer(_: ModbusPDU) -> bool:
    return True
