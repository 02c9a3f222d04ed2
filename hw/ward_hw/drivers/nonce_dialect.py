"""Controllers with a nonce register (ours): one FC 23 writes a new number and reads it back with the status.

The standard has FC 23 write first and read then, so an answer that holds the number can only come from a
controller that has just been asked, and the relay bits beside it are those of that moment. No quiet time is
needed for it.

A nonce is one unit's: its low byte is the unit's number. Units that are asked in turn count in step, and a late answer
of the one that comes in the name of the other would hold the right number otherwise. The count in its high byte comes
again after 256 exchanges. Those that were answered proved that older answers have come, for a unit answers in order;
those that were not took a time-out each.

Beside the nonce stands the controller's identity, made of its serial number. A controller that answers to a number that
is another's would be believed otherwise as soon as the other is dead. Where no serial number is configured, the first
whose answer proves itself is the one.

Ref: Modbus Application Protocol V1.1b3, section 6.17; profile wardhub/amp8.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pymodbus.pdu.bit_message import WriteMultipleCoilsRequest
from pymodbus.pdu.register_message import ReadInputRegistersRequest, ReadWriteMultipleRegistersRequest

from ward_hw.bus import ModbusBus, Priority
from ward_hw.drivers.dialect import Interlock, relays_in
from ward_hw.drivers.readings import AmplifierStatus
from ward_hw.errors import LinkError, PeerError, WrongController
from ward_protocol.portable.amplifier_reading import FLAG_NAMES, LASTING, TRIP_NAMES

if TYPE_CHECKING:
    from pymodbus.pdu import ModbusPDU

    from ward_hw.ports import Clock
    from ward_hw.profile import NonceFacts, RegisterLease, RelayFacts, StatusScale

_WORD = 0x10000
_COUNTS = 0x100


@dataclass(frozen=True, slots=True)
class NonceRegisters:
    """Where such a controller keeps things: the parts of its profile that are used here."""

    relays: RelayFacts
    lease: RegisterLease
    nonce: NonceFacts
    status: StatusScale


class NonceDialect:
    """`Dialect` of controllers with a nonce register and a lease register."""

    def __init__(
        self,
        bus: ModbusBus,
        unit: int,
        registers: NonceRegisters,
        *,
        name: str,
        clock: Clock,
        interlock: Interlock | None = None,
        identity: int | None = None,
    ) -> None:
        self._bus = bus
        self._unit = unit
        self._relays = registers.relays
        self._lease = registers.lease
        self._facts = registers.nonce
        self._scale = registers.status
        self._interlock = interlock
        self._identity = identity
        self._name = name
        self._clock = clock
        # Begins elsewhere after each start of the agent: an answer to the previous agent must not fit.
        self._count = int(clock() * 1000) % _COUNTS
        self._nonce = 0
        self._nonce_known = False
        self._is_other = False  # who answered last

    @property
    def another_answers(self) -> bool:
        """Whether who answered last has another serial number."""
        return self._is_other

    async def write(self, closed: frozenset[int], priority: Priority, deadline: float) -> None:
        """One FC 15 for all relays.

        A lost answer is no failure: the reading that follows tells what became of the order. While another
        controller answers, nothing is closed there.
        """
        if closed and self._is_other:
            await self.read(priority, deadline)
        pdu = WriteMultipleCoilsRequest(
            address=self._relays.coil, bits=[number in closed for number in range(self._relays.count)]
        )
        with contextlib.suppress(LinkError):
            await self._bus.request(pdu, unit=self._unit, deadline=deadline, priority=priority, may_be_stale=True)

    async def read_fresh(self, priority: Priority, deadline: float) -> AmplifierStatus:
        """Nonce, identity and relays only: three words, the shortest transaction that proves itself."""
        return self._status(await self._exchange(self._scale.relays + 1, priority, deadline))

    async def renew(self, priority: Priority, deadline: float) -> AmplifierStatus:
        """Any valid write renews the lease, so does this one; it brings the whole status back."""
        return self._status(await self._exchange(self._facts.count, priority, deadline))

    async def read(self, priority: Priority, deadline: float) -> AmplifierStatus:
        """FC 04, which renews nothing. The nonce must be the last one written, or 0 after a restart."""
        pdu = ReadInputRegistersRequest(address=self._facts.inputs, count=self._facts.count)
        answer = await self._bus.request(pdu, unit=self._unit, deadline=deadline, priority=priority)
        words = list(answer.registers)
        if self._identity is not None:
            self._check(words, self._identity)
        if self._nonce_known and words[0] not in (self._nonce, 0):
            raise PeerError(
                self._name,
                "read",
                f"nonce {words[0]}, the last one written was {self._nonce}",
                remedy="look for a second master on the line, or a second unit with this number",
            )
        return self._status(words)

    async def configure(self, lease_ms: int, max_on_s: int, deadline: float) -> None:
        """Written together with a nonce (and the interlock, if any), and read back in the same transaction."""
        nonce = self._next_nonce()
        wanted = [lease_ms, max_on_s, nonce]
        if self._interlock:
            wanted += [_mask(self._interlock.supply), _mask(self._interlock.zones), self._interlock.warm_up_ms]
        pdu = ReadWriteMultipleRegistersRequest(
            read_address=self._lease.register,
            read_count=len(wanted),
            write_address=self._lease.register,
            write_registers=wanted,
        )

        def proves(answer: ModbusPDU) -> bool:
            return answer.registers[2] == nonce

        answer = await self._bus.request(
            pdu, unit=self._unit, deadline=deadline, priority=Priority.COMMAND, accept=proves
        )
        self._nonce_known = True
        if list(answer.registers) != wanted:
            raise PeerError(
                self._name,
                "configure",
                f"took {list(answer.registers)} instead of {wanted} (lease_ms, max_on_s, nonce, interlock)",
                remedy="check the limits in the profile against the firmware version",
            )

    async def _exchange(self, count: int, priority: Priority, deadline: float) -> list[int]:
        if self._is_other:
            await self.read(priority, deadline)  # which renews nothing there
        nonce = self._next_nonce()
        pdu = ReadWriteMultipleRegistersRequest(
            read_address=self._facts.status,
            read_count=count,
            write_address=self._facts.register,
            write_registers=[nonce],
        )

        def proves(answer: ModbusPDU) -> bool:
            return answer.registers[0] == nonce

        answer = await self._bus.request(pdu, unit=self._unit, deadline=deadline, priority=priority, accept=proves)
        words = list(answer.registers)
        if self._identity is None:
            self._identity = words[self._scale.identity]
        self._check(words, self._identity)
        self._nonce_known = True
        return words

    def _check(self, words: list[int], identity: int) -> None:
        """Raise WrongController for an answer of another one."""
        answered = words[self._scale.identity]
        self._is_other = answered != identity
        if self._is_other:
            raise WrongController(
                self._name,
                "read",
                f"another controller answers as unit {self._unit}: identity {answered:#06x}, not {identity:#06x}",
                remedy="look for two with this number; where it was replaced, configure its serial number or restart",
            )

    def _next_nonce(self) -> int:
        self._nonce_known = False  # until it is seen to have arrived, either number may be in the register
        self._count = (self._count + 1) % _COUNTS
        self._nonce = self._count << 8 | self._unit  # never 0, which a restarted controller holds
        return self._nonce

    def _status(self, words: list[int]) -> AmplifierStatus:
        """A status from as many words of the block as were read."""
        scale = self._scale
        mask = words[scale.relays]
        relays = relays_in(bool(mask >> number & 1) for number in range(self._relays.count))
        if len(words) < self._facts.count:
            return AmplifierStatus(relays, self._clock())
        temperature, flags, last = words[scale.temperature_dc], words[scale.flags], words[scale.last_trip]
        return AmplifierStatus(
            relays,
            self._clock(),
            line_level_mv=words[scale.line_level_mv],
            supply_mv=words[scale.supply] * scale.supply_unit_mv,
            temperature_dc=temperature - _WORD if temperature & 0x8000 else temperature,
            lease_left_ms=words[scale.lease_left_ms],
            uptime_s=words[scale.uptime_s],
            reset_cause=words[scale.reset_cause],
            trips=words[scale.trips],
            current_ma=words[scale.current_ma],
            last_trip=TRIP_NAMES[last] if last < len(TRIP_NAMES) else str(last),
            lasting=frozenset(
                LASTING[name] for bit, name in enumerate(FLAG_NAMES) if flags >> bit & 1 and name in LASTING
            ),
            supply_present=bool(flags >> FLAG_NAMES.index("supply_present") & 1),
            latched=relays_in(bool(flags >> 8 >> number & 1) for number in range(self._relays.count)),
        )


def _mask(relays: frozenset[int]) -> int:
    return sum(1 << number for number in relays)
