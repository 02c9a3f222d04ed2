"""By what a product may be known on a line: reads that its profile says it answers, and what they hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pymodbus.pdu.bit_message import ReadCoilsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from ward_hw.meter_profile import is_meter, load_meter
from ward_hw.profile import known_profiles, load_profile

if TYPE_CHECKING:
    from pymodbus.pdu import ModbusPDU

    from ward_hw.meter_profile import MeterProfile, NumberFacts
    from ward_hw.profile import AmplifierProfile

_REQUESTS: dict[int, type[ReadCoilsRequest | ReadHoldingRegistersRequest | ReadInputRegistersRequest]] = {
    1: ReadCoilsRequest,
    3: ReadHoldingRegistersRequest,
    4: ReadInputRegistersRequest,
}


def _anything(_answer: ModbusPDU, _unit: int) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Sign:
    """A read that the product answers; ``fits`` judges the answer, given the unit's number."""

    function: int
    address: int
    count: int
    fits: Callable[[ModbusPDU, int], bool] = _anything

    @property
    def key(self) -> tuple[int, int, int]:
        """What is asked; signs of several profiles may ask the same."""
        return self.function, self.address, self.count

    def request(self) -> ModbusPDU:
        """The request to send."""
        return _REQUESTS[self.function](address=self.address, count=self.count)


@cache
def known_signs() -> tuple[tuple[str, tuple[Sign, ...]], ...]:
    """The installed profiles with their signs, the more telling ones first: whoever has 32 relays has 8 as well."""
    every = [
        (name, _of_meter(load_meter(name)) if is_meter(name) else _of_amplifier(load_profile(name)))
        for name in known_profiles()
    ]
    return tuple(sorted(every, key=lambda item: -max(sign.count for sign in item[1] if sign.function != 4)))


def _of_meter(profile: MeterProfile) -> tuple[Sign, ...]:
    def held(facts: NumberFacts, wanted: tuple[int, ...]) -> Sign:
        def fits(answer: ModbusPDU, unit: int) -> bool:
            return facts.decode(answer.registers) in (wanted or (unit,))

        return Sign(facts.function, facts.register, facts.count, fits)

    facts = profile.reading(profile.names()[0])
    return held(profile.check, profile.check.values), Sign(facts.function, facts.register, facts.count)


def _of_amplifier(profile: AmplifierProfile) -> tuple[Sign, ...]:
    relays = Sign(1, profile.relays.coil, profile.relays.count)
    if profile.probe is not None:
        return Sign(3, profile.probe.register, 1), relays
    lease, nonce = profile.register_lease, profile.nonce
    if lease is None or nonce is None:
        return (relays,)

    def fits(answer: ModbusPDU, _unit: int) -> bool:
        return lease.min_ms <= answer.registers[0] <= lease.max_ms

    return Sign(3, lease.register, 1, fits), Sign(4, nonce.inputs, nonce.count), relays
