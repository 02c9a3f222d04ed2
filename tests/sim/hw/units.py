"""Stations for `virtual.Line`, written from the documents alone and sharing no code with drivers or firmware.

`amp8` follows the register map of our controller, `waveshare` the maker's manual, both as far as these
tests ask.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from tests.sim.hw.virtual import Reply


def crc16(data: bytes) -> bytes:
    """CRC-16 bit by bit. Ref: Modbus over Serial Line V1.02, section 6.2.2."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xA001 if crc & 1 else 0)
    return crc.to_bytes(2, "little")


def framed(data: bytes) -> bytes:
    return data + crc16(data)


def word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")


@dataclass
class Station:
    """Takes frames with its number and a right CRC; its next answers come after ``delays``, then after ``delay``.

    A delay of None loses the answer; the order is still obeyed. Requests for which ``deaf`` holds True are lost.
    """

    unit: int = 17
    delay: float = 0.002
    delays: list[float | None] = field(default_factory=list)
    relays: list[bool] = field(default_factory=lambda: [False] * 8)
    deaf: list[bool] = field(default_factory=list)

    def __call__(self, frame: bytes) -> list[Reply]:
        if frame[0] not in (self.unit, 0) or crc16(frame[:-2]) != frame[-2:]:
            return []
        if self.deaf and self.deaf.pop(0):
            return []
        answer = self.answer(frame[1:-2])
        delay = self.delays.pop(0) if self.delays else self.delay
        if frame[0] == 0 or delay is None:
            return []
        return [Reply(framed(bytes((self.unit,)) + answer), delay)]

    def answer(self, pdu: bytes) -> bytes:
        raise NotImplementedError

    @property
    def mask(self) -> int:
        return sum(on << number for number, on in enumerate(self.relays))


@dataclass
class Amp8(Station):
    """Our controller: FC 4, 15 and 23 with nonce and status block; relays fall open when the lease ends.

    ``tripped`` are the words flags and last trip, +14 and +15 of the block.
    """

    holding: list[int] = field(default_factory=lambda: [3000, 3600, 0, 0, 0, 0])
    identity: int = 0x1DE7
    stuck: bool = False
    least_lease_ms: int = 500
    closed_at: dict[int, float] = field(default_factory=dict)
    tripped: tuple[int, int] = (0b11, 0)
    _lease: asyncio.TimerHandle | None = None

    def answer(self, pdu: bytes) -> bytes:
        function = pdu[0]
        if function == 4:
            words = self.block()[word(pdu, 1) : word(pdu, 1) + word(pdu, 3)]
            return self.words(function, words)
        if function == 15 and not self.allowed(pdu):
            return bytes((function | 0x80, 4))
        self.renew()
        if function == 15:
            if not self.stuck:
                for number in range(word(pdu, 3)):
                    self.switch(word(pdu, 1) + number, bool(pdu[6] >> number & 1))
            return pdu[:5]
        if function == 23:
            first = word(pdu, 5)
            for index in range(word(pdu, 7)):
                self.holding[first + index] = word(pdu, 10 + 2 * index)
            start, count = word(pdu, 1), word(pdu, 3)
            self.holding[0] = max(self.holding[0], self.least_lease_ms)
            bank = self.block()[start - 0x100 :] if start >= 0x100 else self.holding[start:]
            return self.words(function, bank[:count])
        return bytes((function | 0x80, 1))

    def allowed(self, pdu: bytes) -> bool:
        """Interlock: no zone (mask in register 4) closes unless its supply (3) has been closed for the warm-up (5)."""
        supply, zones, warm_up_ms = self.holding[3:]
        wanted = pdu[6] << word(pdu, 1)
        if not supply or not wanted & zones & ~self.mask:
            return True
        if not warm_up_ms:
            return bool(wanted & supply == supply)
        feeding = [number for number in range(8) if supply >> number & 1]
        now = asyncio.get_running_loop().time()
        return wanted & supply == supply and all(
            self.relays[number] and now - self.closed_at[number] >= warm_up_ms / 1000 for number in feeding
        )

    def switch(self, number: int, on: bool) -> None:
        if on and not self.relays[number]:
            self.closed_at[number] = asyncio.get_running_loop().time()
        self.relays[number] = on

    def block(self) -> list[int]:
        left = 3000 if any(self.relays) else 0
        measured = (775, 2400, 0x10000 - 55)
        return [
            self.holding[2], self.identity, self.mask, *measured, left, 100, 1, 0, 1, 0, 0x0102, 350, *self.tripped
        ]  # fmt: skip

    def renew(self) -> None:
        if self._lease is not None:
            self._lease.cancel()
        self._lease = asyncio.get_running_loop().call_later(self.holding[0] / 1000, self.open_all)

    def open_all(self) -> None:
        self.relays = [False] * 8

    @staticmethod
    def words(function: int, words: list[int]) -> bytes:
        data = b"".join(value.to_bytes(2, "big") for value in words)
        return bytes((function, len(data))) + data


@dataclass
class Waveshare(Station):
    """FC 01, 03 (version), 05 with flash on, 0F. Ref: Waveshare wiki, Modbus RTU Relay, protocol V2."""

    unit: int = 1
    _timers: dict[int, asyncio.TimerHandle] = field(default_factory=dict)

    def answer(self, pdu: bytes) -> bytes:
        function, address, value = pdu[0], word(pdu, 1), word(pdu, 3)
        if function == 1:
            return bytes((1, 1, self.mask))
        if function == 3:
            return bytes((3, 2, 0, 200))
        if function == 5 and address >= 0x0200:
            self.flash(address - 0x0200, value)
        elif function == 5:
            self.switch(address, value == 0xFF00)
        elif function == 15:
            for number in range(value):
                self.switch(address + number, bool(pdu[6] >> number & 1))
        return pdu[:5]

    def flash(self, number: int, steps: int) -> None:
        self.switch(number, True)
        loop = asyncio.get_running_loop()
        self._timers[number] = loop.call_later(steps * 0.1, self.switch, number, False)

    def switch(self, number: int, on: bool) -> None:
        timer = self._timers.pop(number, None)
        if timer is not None:
            timer.cancel()
        self.relays[number] = on
