"""Amplifier controller: joins the core to UART, relays, ADC and watchdog. Is main.py on the board."""

import select

import machine

from ward_firmware import settings
from ward_firmware.amplifier import pins
from ward_firmware.amplifier.core import Amplifier
from ward_firmware.clock import now_us, pause_us

CHUNK = 256


class Relays:
    """The relay pins, open from the first moment."""

    def __init__(self) -> None:
        self._pins = [machine.Pin(number, machine.Pin.OUT, value=1 - pins.RELAY_CLOSED) for number in pins.RELAYS]

    def write(self, mask: int) -> None:
        """Drive all pins."""
        for index, pin in enumerate(self._pins):
            pin.value(pins.RELAY_CLOSED if mask >> index & 1 else 1 - pins.RELAY_CLOSED)

    def read(self) -> int:
        """The levels at the pads, not what was written."""
        mask = 0
        for index, pin in enumerate(self._pins):
            if pin.value() == pins.RELAY_CLOSED:
                mask |= 1 << index
        return mask


class Sensors:
    """The three analogue inputs."""

    def __init__(self) -> None:
        self._line = machine.ADC(machine.Pin(pins.LINE_ADC))
        self._supply = machine.ADC(machine.Pin(pins.SUPPLY_ADC))
        self._temperature = machine.ADC(machine.Pin(pins.TEMPERATURE_ADC))

    def line_mv(self) -> int:
        """Loudspeaker line level, mV."""
        return _scaled(self._line, pins.LINE_FULL_SCALE_MV)

    def supply_cv(self) -> int:
        """Amplifier supply, steps of 10 mV."""
        return _scaled(self._supply, pins.SUPPLY_FULL_SCALE_CV)

    def temperature_dc(self) -> int:
        """Temperature, 0.1 degC; 1 mV is 0.1 degC."""
        return _scaled(self._temperature, pins.REFERENCE_MV) - pins.TEMPERATURE_ZERO_MV


def _scaled(adc: "machine.ADC", full_scale: int) -> int:
    # Halves up: cutting off would put every reading of an exact value one step low.
    return (int(adc.read_u16()) * full_scale + 32767) // 65535


def main() -> None:
    """Run until reset."""
    relays = Relays()
    drive = machine.Pin(pins.DRIVE_ENABLE, machine.Pin.OUT, value=0)
    values = settings.load(pins.DEFAULTS)
    core = Amplifier(
        values["unit"],
        relays,
        Sensors(),
        baud=values["baud"],
        cause=machine.reset_cause(),
        now_us=now_us(),
    )
    uart = machine.UART(pins.UART, baudrate=values["baud"], tx=machine.Pin(pins.TX), rx=machine.Pin(pins.RX), timeout=0)
    poller = select.poll()
    poller.register(uart, select.POLLIN)
    watchdog = machine.WDT(timeout=pins.WATCHDOG_MS)
    while True:
        watchdog.feed()
        if poller.poll(1 if drive.value() else core.wait_ms()):
            answer = core.rx(uart.read(CHUNK) or b"", now_us())
            if answer:
                pause_us(core.turnaround_us)
                drive.value(1)
                uart.write(answer)
        else:
            core.tick(now_us())
        # The transceiver listens again as soon as the last stop bit is out; nothing waits for that.
        if drive.value() and uart.txdone():
            drive.value(0)


main()
