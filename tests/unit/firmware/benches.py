"""An amplifier in time: milliseconds and requests in, relays and status out."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tests.unit.firmware.ports import Flash, Readings, RelayBank, amplifier

from ward_protocol.portable import amplifier_reading as reading
from ward_protocol.portable.crc16 import crc16, seal

if TYPE_CHECKING:
    from ward_firmware.configuration import Store


class AmplifierBench:
    """Starts near the wrap of the microsecond counter; `settings` as in settings.json."""

    def __init__(self, flash: Store | None = None, **settings: int) -> None:
        self.relays = RelayBank()
        self.readings = Readings(temperature_dc=250)
        self.flash = flash or Flash()
        self.ms = 0
        self.unit = settings.setdefault("unit", 1)
        self.core = amplifier(self.relays, self.readings, self.flash, now_us=self.now_us, **settings)

    @property
    def now_us(self) -> int:
        return (2**30 - 1_000_000 + self.ms * 1000) % 2**30

    def after(self, ms: int) -> int:
        """Let `ms` pass in the steps that the core asks for; returns the relays."""
        end = self.ms + ms
        while self.ms < end:
            self.ms = min(end, self.ms + self.core.wait_ms())
            self.core.tick(self.now_us)
        return self.relays.mask

    def keep(self, ms: int, mask: int) -> int:
        """As `after`, with a master that writes these coils five times a second."""
        for _ in range(ms // 200):
            self.coils(mask)
            self.after(200)
        return self.relays.mask

    def ask(self, pdu: str, unit: int | None = None) -> str:
        """The answer PDU, both in hex; "" for none."""
        request = seal(bytes((self.unit if unit is None else unit,)) + bytes.fromhex(pdu))
        answer = self.core.rx(request, self.now_us)
        assert not answer or (answer[0], crc16(answer)) == (self.unit, 0)
        return answer[1:-2].hex(" ").upper()

    def coils(self, mask: int) -> str:
        """Write all coils."""
        return self.ask(f"0F 0000 0008 01 {mask:02X}")

    def status(self) -> reading.Status:
        block = bytes.fromhex(self.ask(f"04 0000 {reading.STATUS_SIZE:04X}"))[2:]
        return reading.unpack_status(struct.unpack(f">{reading.STATUS_SIZE}H", block))

    def flags(self) -> frozenset[str]:
        return reading.flags_in(self.status())
