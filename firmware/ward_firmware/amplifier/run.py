"""Amplifier controller: joins the core to UART, relays, ADC, flash and watchdog of the board that `pins` describes."""

import binascii

import machine

from ward_firmware import settings
from ward_firmware.amplifier.core import Amplifier
from ward_firmware.amplifier.factory import defaults, factory
from ward_firmware.clock import now_us, pause_s, pause_us
from ward_firmware.configuration import Configuration
from ward_firmware.slots import Slots, count_start
from ward_firmware.start import Start
from ward_protocol.portable.amplifier import config_valid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Hardware(Protocol):
        """A `pins` module of this controller: numbers of pins, levels, scales."""

        MODEL: str
        UART: int
        TX: int
        RX: int
        DRIVE_ENABLE: int
        RELAYS: tuple[int, ...]
        RELAY_CLOSED: int
        WATCHDOG_MS: int
        ADC_OPTIONS: dict[str, int]
        LINE_ADC: int
        LINE_FULL_SCALE_MV: int
        SUPPLY_ADC: int
        SUPPLY_FULL_SCALE_CV: int
        TEMPERATURE_ADC: int
        TEMPERATURE_FULL_SCALE_MV: int
        TEMPERATURE_ZERO_MV: int
        CURRENT_ADC: int
        CURRENT_FULL_SCALE_MA: int


class Relays:
    """The relay pins, open from the first moment."""

    def __init__(self, pins: "Hardware") -> None:
        self._closed = pins.RELAY_CLOSED
        self._pins = [machine.Pin(number, machine.Pin.OUT, value=1 - self._closed) for number in pins.RELAYS]

    def write(self, mask: int) -> None:
        """Drive all pins."""
        for index, pin in enumerate(self._pins):
            pin.value(self._closed if mask >> index & 1 else 1 - self._closed)

    def read(self) -> int:
        """The levels at the pads, not what was written."""
        mask = 0
        for index, pin in enumerate(self._pins):
            if pin.value() == self._closed:
                mask |= 1 << index
        return mask


class Sensors:
    """The four analogue inputs."""

    def __init__(self, pins: "Hardware") -> None:
        self._pins = pins
        numbers = (pins.LINE_ADC, pins.SUPPLY_ADC, pins.TEMPERATURE_ADC, pins.CURRENT_ADC)
        inputs = [machine.ADC(machine.Pin(number), **pins.ADC_OPTIONS) for number in numbers]
        self._line, self._supply, self._temperature, self._current = inputs

    def line_mv(self) -> int:
        """Loudspeaker line level, mV."""
        return _scaled(self._line, self._pins.LINE_FULL_SCALE_MV)

    def supply_cv(self) -> int:
        """Amplifier supply, steps of 10 mV."""
        return _scaled(self._supply, self._pins.SUPPLY_FULL_SCALE_CV)

    def temperature_dc(self) -> int:
        """Temperature, 0.1 degC; 1 mV is 0.1 degC."""
        return _scaled(self._temperature, self._pins.TEMPERATURE_FULL_SCALE_MV) - self._pins.TEMPERATURE_ZERO_MV

    def current_ma(self) -> int:
        """What the amplifier draws, mA."""
        return _scaled(self._current, self._pins.CURRENT_FULL_SCALE_MA)


def _scaled(adc: "machine.ADC", full_scale: int) -> int:
    # Halves up: cutting off would put every reading of an exact value one step low.
    return (int(adc.read_u16()) * full_scale + 32767) // 65535


def _serve(core: Amplifier, uart: "machine.UART", drive: "machine.Pin", watchdog: "machine.WDT") -> None:
    """Until a restart is wanted and its answer is out.

    It never sleeps: how long a pause on the line was is known from how often it was looked at in vain.
    """
    while drive.value() or not core.restart_wanted:
        watchdog.feed()
        before_us = now_us()
        waiting = uart.any()
        if waiting:
            # No more than is there: a longer read waits for the next character, and hides the pause before it.
            answer = core.rx(uart.read(waiting) or b"", now_us())
            if answer:
                pause_us(core.turnaround_us)
                drive.value(1)
                uart.write(answer)
        else:
            # Nothing had come at the moment before the look; what came since may only have missed it.
            core.tick(before_us)
        # The transceiver listens again as soon as the last stop bit is out; nothing waits for that.
        if drive.value() and uart.txdone():
            drive.value(0)


def main(pins: "Hardware") -> None:
    """Run until reset. Ctrl-C resets too; the start after that waits for a second one with every relay open."""
    relays = Relays(pins)
    drive = machine.Pin(pins.DRIVE_ENABLE, machine.Pin.OUT, value=0)
    if settings.held():
        pause_s(settings.HOLD_S)
        machine.reset()
    configuration = Configuration(Slots("config"), factory(settings.load(defaults())), config_valid)
    # Counted before the line is listened to: writing flash would lose what comes meanwhile.
    start = Start(
        machine.reset_cause(), count_start(Slots("starts")), pins.MODEL.encode(), binascii.hexlify(machine.unique_id())
    )
    core = Amplifier(configuration, relays, Sensors(pins), start, now_us())
    uart = machine.UART(
        pins.UART,
        baudrate=configuration.active[1] * 100,
        tx=machine.Pin(pins.TX),
        rx=machine.Pin(pins.RX),
        timeout=0,
    )
    try:
        try:
            _serve(core, uart, drive, machine.WDT(timeout=pins.WATCHDOG_MS))
        finally:
            # Whatever ended it: at the prompt nothing renews or ends a lease, and the watchdog takes its time to bite.
            relays.write(0)
    except KeyboardInterrupt:
        settings.hold()
    machine.reset()
