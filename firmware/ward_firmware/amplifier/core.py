"""The amplifier controller without its pins: bytes and time in, bytes and relay masks out. Never waits.

The register map is that of `ward_protocol.portable.amplifier`.
"""

import struct

from ward_firmware.amplifier.framing import BROADCAST, Framer
from ward_firmware.amplifier.identification import objects
from ward_firmware.amplifier.lease import Relays
from ward_firmware.amplifier.refusal import DEVICE_FAILURE, ILLEGAL_ADDRESS, ILLEGAL_VALUE, Refused
from ward_firmware.amplifier.server import Server
from ward_firmware.amplifier.trips import Guard
from ward_firmware.ticks import Uptime
from ward_protocol.portable import amplifier as registers
from ward_protocol.portable.crc16 import crc16, seal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ward_firmware.amplifier.lease import RelayPort
    from ward_firmware.configuration import Configuration
    from ward_firmware.start import Start

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

        def current_ma(self) -> int:
            """What the amplifier draws, mA."""
            raise NotImplementedError


VERSION = 0x0102
IDLE_WAIT_MS = 100
SAMPLE_MS = 100
PRESENT_CV = 500
"""From where on a supply counts as present where no least value is set: 5 V."""


class Amplifier:
    """One amplifier controller, as `configuration` has it; `restart_wanted` once a master has asked for that."""

    coils = registers.RELAYS
    discrete_inputs = registers.DISCRETE_INPUTS

    def __init__(
        self, configuration: "Configuration", relays: "RelayPort", sensors: "Sensors", start: "Start", now_us: int
    ) -> None:
        self.restart_wanted = False
        self.objects = objects(VERSION, start)
        self._configuration = configuration
        self._unit = configuration.active[0]
        self._sensors = sensors
        self._start = start
        self._identity = crc16(start.serial)
        self._nonce = 0
        self._refused = 0
        self._broadcast = False
        self._uptime = Uptime(now_us)
        self._sampled_ms = -SAMPLE_MS
        self._relays = Relays(relays, self.coils)
        self._guard = Guard()
        self._limits = [0, 0, 0]
        for index, register in enumerate(registers.CONFIG_SETTINGS):
            self._set(register, configuration.active[2 + index])
        self.framer = Framer(self._unit, configuration.active[1] * 100)
        self._server = Server(self)

    def rx(self, data: bytes, now_us: int) -> bytes:
        """Take received bytes; returns what to send, mostly nothing."""
        # Expired leases end before a late write could renew them.
        self.tick(now_us, silent=False)
        answers = b""
        for frame in self.framer.feed(data, now_us):
            self._broadcast = frame[0] == BROADCAST
            answer, written = self._server.execute(frame[1:-2])
            if written:
                self._relays.renew(self._uptime.ms)
                self._relays.enforce(self._uptime.ms)
            if not self._broadcast:
                answers += seal(bytes((self._unit,)) + answer)
        return answers

    def tick(self, now_us: int, silent: bool = True) -> None:
        """Let time pass, in which nothing came if `silent`: ends leases and parts of frames, looks at the sensors."""
        self._uptime.advance(now_us)
        ms = self._uptime.ms
        self._relays.enforce(ms)
        if silent:
            self.framer.silence(now_us)
        if ms - self._sampled_ms >= SAMPLE_MS:
            self._sampled_ms = ms
            self._look(ms)

    @property
    def turnaround_us(self) -> int:
        """Silence to keep before an answer: t3.5, in which the master's transceiver lets go of the line."""
        return self.framer.gap_us

    def wait_ms(self) -> int:
        """How long no `tick` matters while nothing comes: what a host whose time is virtual may pass over."""
        if self.framer.pending:
            return self.framer.gap_us // 1000 + 1
        left = self._relays.lease_left_ms(self._uptime.ms)
        return min(left + 1, IDLE_WAIT_MS) if left else IDLE_WAIT_MS

    def read_coils(self) -> int:
        """All relays, from the pins."""
        return self._relays.read()

    def read_discrete_inputs(self) -> int:
        """Relays, those that do not follow, flags."""
        actual = self._relays.read()
        return actual | (actual ^ self._relays.wanted) << 8 | self._flags() << 16

    def write_coils(self, first: int, closed: "list[bool]") -> bool:
        """Open and close relays, as far as interlock and trips let them."""
        done = self._relays.write(first, closed, self._uptime.ms)
        if not done:
            self._refused += 1
        return done

    def read_input(self, first: int, count: int) -> "bytes | None":
        """The status block."""
        return _slice(self._status(), first - registers.STATUS_INPUT, count)

    def read_holding(self, first: int, count: int) -> "bytes | None":
        """The settings, or the status block from STATUS_HOLDING, or the configuration as it is staged."""
        if first < registers.STATUS_HOLDING:
            relays = self._relays
            settings = [relays.lease_ms, relays.max_on_s, self._nonce, relays.supply, relays.zones, relays.warm_up_ms]
            return _slice(_packed(settings + self._limits), first, count)
        if first < registers.CONFIG:
            return _slice(self._status(), first - registers.STATUS_HOLDING, count)
        return _slice(_packed(self._configuration.staged) + bytes(2), first - registers.CONFIG, count)

    def refusal(self, register: int, value: int) -> int:
        """Ranges of the register map; no configuration by broadcast, none kept or restarted with a relay closed."""
        if register < registers.SETTINGS:
            return 0 if registers.setting_valid(register, value) else ILLEGAL_VALUE
        if not registers.CONFIG <= register <= registers.COMMIT or self._broadcast:
            return ILLEGAL_ADDRESS
        if register < registers.COMMIT:
            return 0 if registers.config_valid(register - registers.CONFIG, value) else ILLEGAL_VALUE
        if value not in (registers.COMMIT_STORE, registers.COMMIT_RESTART):
            return ILLEGAL_VALUE
        return DEVICE_FAILURE if self._relays.read() else 0

    def write_holding(self, register: int, value: int) -> None:
        """A setting takes effect at once, the configuration is staged, COMMIT keeps it or asks for a restart."""
        if register < registers.SETTINGS:
            self._set(register, value)
        elif register < registers.COMMIT:
            self._configuration.staged[register - registers.CONFIG] = value
        elif value == registers.COMMIT_RESTART:
            self.restart_wanted = True
        else:
            try:
                self._configuration.commit()
            except OSError:
                raise Refused(DEVICE_FAILURE)  # noqa: B904 - MicroPython keeps no cause

    def _set(self, register: int, value: int) -> None:
        if register == registers.LEASE_MS:
            self._relays.lease_ms = value
        elif register == registers.MAX_ON_S:
            self._relays.max_on_s = value
        elif register == registers.NONCE:
            self._nonce = value
        elif register == registers.SUPPLY:
            self._relays.supply = value
        elif register == registers.ZONES:
            self._relays.zones = value
        elif register == registers.WARM_UP_MS:
            self._relays.warm_up_ms = value
        else:
            self._limits[register - registers.TEMPERATURE_LIMIT_DC] = value

    def _look(self, ms: int) -> None:
        """Take a reading of what can trip."""
        relays, guard = self._relays, self._guard
        hottest_dc, most_ma, least_cv = self._limits
        if guard.temperature(self._sensors.temperature_dc(), hottest_dc, ms):
            relays.trip(registers.TRIP_TEMPERATURE)
        if guard.current(self._sensors.current_ma(), most_ma, ms):
            relays.trip(registers.TRIP_CURRENT)
        # Without an interlock nobody knows what feeds the amplifier: any closed relay may.
        feeding = relays.supply or relays.wanted
        expected = feeding > 0 and relays.powered_ms(feeding, ms) >= max(relays.warm_up_ms, SAMPLE_MS)
        if guard.voltage(self._sensors.supply_cv(), least_cv, expected, ms):
            relays.trip(registers.TRIP_VOLTAGE)
        relays.blocked = guard.active

    def _flags(self) -> int:
        guard, configuration = self._guard, self._configuration
        facts = (
            self._sensors.supply_cv() >= (self._limits[2] or PRESENT_CV),
            self._relays.warm(self._uptime.ms),
            guard.over_temperature.active,
            guard.over_current.active,
            guard.under_voltage.active,
            configuration.is_default,
            configuration.damaged,
            configuration.waiting,
        )
        flags = self._relays.latched << 8
        for bit, fact in enumerate(facts):
            if fact:
                flags |= 1 << bit
        return flags

    def _status(self) -> bytes:
        ms = self._uptime.ms
        relays = self._relays
        values = [
            self._nonce,
            self._identity,
            relays.read(),
            self._sensors.line_mv(),
            self._sensors.supply_cv(),
            self._sensors.temperature_dc(),
            relays.lease_left_ms(ms),
            ms // 1000,
            self._start.cause,
            sum(relays.counts),
            self.framer.good,
            self.framer.bad,
            VERSION,
            self._sensors.current_ma(),
            self._flags(),
            relays.last,
        ]
        values += relays.counts[registers.TRIP_LEASE :]
        values += (self._start.boots, self._refused)
        return registers.pack_status(values)


def _packed(values: "list[int]") -> bytes:
    return struct.pack(">%dH" % len(values), *values)


def _slice(block: bytes, first: int, count: int) -> "bytes | None":
    if first < 0 or 2 * (first + count) > len(block):
        return None
    return block[2 * first : 2 * (first + count)]
