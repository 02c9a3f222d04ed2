"""The amplifier controller without its pins: bytes and time in, bytes and relay masks out. Never waits.

The register map is that of `ward_protocol.portable.amplifier`.
"""

import struct

from ward_firmware.amplifier.framing import BROADCAST, Framer
from ward_firmware.amplifier.lease import Relays
from ward_firmware.amplifier.server import Server
from ward_firmware.ticks import Uptime
from ward_protocol.portable import amplifier as registers
from ward_protocol.portable.crc16 import seal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ward_firmware.amplifier.lease import RelayPort

    class Sensors(Protocol):
        """The analogue inputs in register units."""

        def line_mv(self) -> int:
            """Loudspeaker line level, mV."""
            raise NotImplementedError

        def supply_cv(self) -> int:
            """Amplifier supply, steps of 10 mV."""
            raise NotImplementedError

        def temperature_dc(self) -> int:
            """Temperature, 0.1 degC."""
            raise NotImplementedError


VERSION = 0x0100
IDLE_WAIT_MS = 100


class Amplifier:
    """One amplifier controller with Modbus address `unit` on a line of `baud`."""

    coils = registers.RELAYS

    def __init__(
        self, unit: int, relays: "RelayPort", sensors: "Sensors", *, baud: int, cause: int, now_us: int
    ) -> None:
        if not 1 <= unit <= 247:
            raise ValueError("amplifier: unit must be 1..247")
        self._unit = unit
        self._sensors = sensors
        self._cause = cause
        self._nonce = 0
        self._uptime = Uptime(now_us)
        self._relays = Relays(relays, self.coils, registers.LEASE_DEFAULT_MS, registers.MAX_ON_DEFAULT_S)
        self._framer = Framer(unit, baud)
        self._server = Server(self)

    def rx(self, data: bytes, now_us: int) -> bytes:
        """Take received bytes; returns what to send, mostly nothing."""
        # Expired leases end before a late write could renew them.
        self.tick(now_us)
        answers = b""
        for frame in self._framer.feed(data, now_us):
            answer, written = self._server.execute(frame[1:-2])
            if written:
                self._relays.renew(self._uptime.ms)
            if frame[0] != BROADCAST:
                answers += seal(bytes((self._unit,)) + answer)
        return answers

    def tick(self, now_us: int) -> None:
        """Let time pass: ends leases and half-received frames."""
        self._uptime.advance(now_us)
        self._relays.enforce(self._uptime.ms)
        self._framer.silence(now_us)

    @property
    def turnaround_us(self) -> int:
        """Silence to keep before an answer: t3.5, in which the master's transceiver lets go of the line."""
        return self._framer.gap_us

    def wait_ms(self) -> int:
        """How long the caller may sleep for input before the next `tick`."""
        if self._framer.pending:
            return self._framer.gap_us // 1000 + 1
        left = self._relays.lease_left_ms(self._uptime.ms)
        return min(left + 1, IDLE_WAIT_MS) if left else IDLE_WAIT_MS

    def read_coils(self) -> int:
        """All relays, from the pins."""
        return self._relays.read()

    def write_coils(self, first: int, closed: "list[bool]") -> None:
        """Open and close relays."""
        self._relays.write(first, closed, self._uptime.ms)

    def read_input(self, first: int, count: int) -> "bytes | None":
        """The status block."""
        return _slice(self._status(), first - registers.STATUS_INPUT, count)

    def read_holding(self, first: int, count: int) -> "bytes | None":
        """The settings, or the status block from STATUS_HOLDING."""
        if first < registers.STATUS_HOLDING:
            settings = struct.pack(">3H", self._relays.lease_ms, self._relays.max_on_s, self._nonce)
            return _slice(settings, first, count)
        return _slice(self._status(), first - registers.STATUS_HOLDING, count)

    def writable(self, register: int) -> bool:
        """Only the settings are."""
        return register < registers.SETTINGS

    def setting_valid(self, register: int, value: int) -> bool:
        """Ranges of the register map."""
        return registers.setting_valid(register, value)

    def write_setting(self, register: int, value: int) -> None:
        """Takes effect at once."""
        if register == registers.LEASE_MS:
            self._relays.lease_ms = value
        elif register == registers.MAX_ON_S:
            self._relays.max_on_s = value
        else:
            self._nonce = value

    def _status(self) -> bytes:
        ms = self._uptime.ms
        return registers.pack_status(
            registers.Status(
                self._nonce,
                self._relays.read(),
                self._sensors.line_mv(),
                self._sensors.supply_cv(),
                self._sensors.temperature_dc(),
                self._relays.lease_left_ms(ms),
                ms // 1000,
                self._cause,
                self._relays.trips,
                self._framer.good,
                self._framer.bad,
                VERSION,
            )
        )


def _slice(block: bytes, first: int, count: int) -> "bytes | None":
    if first < 0 or 2 * (first + count) > len(block):
        return None
    return block[2 * first : 2 * (first + count)]
