"""Products to buy, for `virtual.Line`, written from their makers' manuals and sharing no code with drivers.

Ref: Waveshare wiki, Modbus RTU Relay 32CH, Modbus RTU Analog Input 8CH; Peacefair PZEM-014/016 user manual,
sections 2.3 and 2.4; Eastron SDM120-Modbus protocol implementation, input and holding registers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from tests.sim.hw.units import Station, Waveshare, word

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS = 1, 2


def refusal(function: int, code: int) -> bytes:
    return bytes((function | 0x80, code))


@dataclass
class Registers(Station):
    """Answers FC 3 and 4 from two maps of registers; whatever is not there is an illegal address."""

    def holding(self) -> dict[int, int]:
        return {}

    def inputs(self) -> dict[int, int]:
        return {}

    def answer(self, pdu: bytes) -> bytes:
        function = pdu[0]
        if function not in {3, 4}:
            return refusal(function, ILLEGAL_FUNCTION)
        bank = self.holding() if function == 3 else self.inputs()
        wanted = range(word(pdu, 1), word(pdu, 1) + word(pdu, 3))
        if not wanted or any(number not in bank for number in wanted):
            return refusal(function, ILLEGAL_ADDRESS)
        data = b"".join(bank[number].to_bytes(2, "big") for number in wanted)
        return bytes((function, len(data))) + data


@dataclass
class RelayBoard(Waveshare):
    """The larger boards: as the 8-channel one, which has its address at 0x4000 and its version at 0x8000 too."""

    count: int = 8

    def __post_init__(self) -> None:
        self.relays = [False] * self.count

    def answer(self, pdu: bytes) -> bytes:
        function, address, value = pdu[0], word(pdu, 1), word(pdu, 3)
        if function == 1:
            if address + value > self.count:
                return refusal(function, ILLEGAL_ADDRESS)
            mask = (self.mask >> address) & ((1 << value) - 1)
            data = mask.to_bytes((value + 7) // 8, "little")
            return bytes((1, len(data))) + data
        if function == 3:
            held = {0x4000: self.unit, 0x8000: 200}
            if address not in held or value != 1:
                return refusal(function, ILLEGAL_ADDRESS)
            return bytes((3, 2)) + held[address].to_bytes(2, "big")
        if function == 15:
            for number in range(value):
                self.switch(address + number, bool(pdu[6 + number // 8] >> number % 8 & 1))
            return pdu[:5]
        return super().answer(pdu) if function == 5 else refusal(function, ILLEGAL_FUNCTION)


@dataclass
class AnalogInput8(Registers):
    """Eight inputs, mV or uA by their range register."""

    unit: int = 1
    channels: list[int] = field(default_factory=lambda: [0] * 8)
    ranges: list[int] = field(default_factory=lambda: [2] * 8)  # as delivered: 0 to 20 mA

    def inputs(self) -> dict[int, int]:
        return dict(enumerate(self.channels))

    def holding(self) -> dict[int, int]:
        ranges = {0x1000 + number: value for number, value in enumerate(self.ranges)}
        return {**ranges, 0x2000: 1, 0x4000: self.unit, 0x8000: 100}


@dataclass
class Pzem016(Registers):
    """Mains values in tenths and thousandths, 32 bits low word first."""

    unit: int = 1
    volts: float = 230.2
    amps: float = 0.361
    watts: float = 83.1

    def inputs(self) -> dict[int, int]:
        current, power, energy = round(self.amps * 1000), round(self.watts * 10), 70_000
        low_first = [part for number in (current, power, energy) for part in (number & 0xFFFF, number >> 16)]
        return dict(enumerate([round(self.volts * 10), *low_first, 500, 98, 0]))

    def holding(self) -> dict[int, int]:
        return {1: 23_000, 2: self.unit}


@dataclass
class Sdm120(Registers):
    """IEEE 754 floats of two registers, the more significant one first."""

    unit: int = 1
    volts: float = 230.2
    amps: float = 0.361
    watts: float = 83.1

    def inputs(self) -> dict[int, int]:
        return self.floats({0x0000: self.volts, 0x0006: self.amps, 0x000C: self.watts, 0x0046: 50.0})

    def holding(self) -> dict[int, int]:
        return self.floats({0x0012: 0.0, 0x0014: float(self.unit), 0x001C: 0.0})

    @staticmethod
    def floats(values: dict[int, float]) -> dict[int, int]:
        found: dict[int, int] = {}
        for register, value in values.items():
            found[register], found[register + 1] = struct.unpack(">HH", struct.pack(">f", value))
        return found
