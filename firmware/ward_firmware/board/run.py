"""Board controller: joins the core to UART, panel, flash and watchdog of the board that `pins` describes."""

import select

import machine

from ward_firmware import settings
from ward_firmware.board.core import Board
from ward_firmware.board.factory import defaults, factory
from ward_firmware.board.hub12 import Hub12, scan_hz
from ward_firmware.clock import now_us, pause_s
from ward_firmware.configuration import Configuration
from ward_firmware.slots import Slots, count_start
from ward_firmware.start import Start
from ward_protocol.portable.board import config_valid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Hardware(Protocol):
        """A `pins` module of this controller: numbers of pins and units, rates."""

        MODEL: str
        UART: int
        TX: int
        RX: int
        RX_BUFFER: int
        SPI: int
        CLOCK: int
        DATA: int
        SPI_BAUD: int
        A: int
        B: int
        LATCH: int
        ENABLE: int
        TIMER: int
        SCAN_HZ: int
        WATCHDOG_MS: int


CHUNK = 512


def _output(number: int) -> "machine.Pin":
    return machine.Pin(number, machine.Pin.OUT, value=0)


def _panel(pins: "Hardware", wide: int, high: int, enable: "machine.Pin") -> Hub12:
    spi = machine.SPI(pins.SPI, baudrate=pins.SPI_BAUD, sck=machine.Pin(pins.CLOCK), mosi=machine.Pin(pins.DATA))
    return Hub12(spi, (_output(pins.A), _output(pins.B), _output(pins.LATCH), enable), wide, high)


def _serial(pins: "Hardware", baud: int) -> "machine.UART":
    return machine.UART(
        pins.UART,
        baudrate=baud,
        tx=machine.Pin(pins.TX),
        rx=machine.Pin(pins.RX),
        timeout=0,
        rxbuf=pins.RX_BUFFER,
    )


def _serve(core: Board, panel: Hub12, uart: "machine.UART", watchdog: "machine.WDT") -> None:
    poller = select.poll()
    poller.register(uart, select.POLLIN)
    lit = core.frame
    while not (core.restart_wanted and uart.txdone()):
        watchdog.feed()
        if poller.poll(core.wait_ms()):
            answer = core.rx(uart.read(CHUNK) or b"", now_us())
            if answer:
                uart.write(answer)
        else:
            core.tick(now_us())
        if core.frame is not lit:
            lit = core.frame
            panel.show(lit)


def main(pins: "Hardware") -> None:
    """Run until reset. Ctrl-C resets too; the start after that waits for a second one with the panel dark."""
    enable = _output(pins.ENABLE)  # dark before anything else
    if settings.held():
        pause_s(settings.HOLD_S)
        machine.reset()
    configuration = Configuration(Slots("config"), factory(settings.load(defaults())), config_valid)
    baud, wide, high = configuration.active
    panel = _panel(pins, wide, high, enable)
    # Counted before the line is listened to: writing flash would lose what comes meanwhile.
    serial = (machine.unique_id() + bytes(8))[:8]
    start = Start(machine.reset_cause(), count_start(Slots("starts")), pins.MODEL.encode(), serial)
    core = Board(configuration, start, now_us())
    uart = _serial(pins, baud)
    watchdog = machine.WDT(timeout=pins.WATCHDOG_MS)
    # Held in a name all the time: a timer that is collected as garbage stops.
    often = scan_hz(wide, high, pins.SPI_BAUD, pins.SCAN_HZ)
    scanner = machine.Timer(pins.TIMER, mode=machine.Timer.PERIODIC, freq=often, callback=panel.scan)
    try:
        _serve(core, panel, uart, watchdog)
    except KeyboardInterrupt:
        settings.hold()
    finally:
        # Whatever ended it, four rows must not stay lit at full current until the watchdog bites.
        scanner.deinit()
        panel.off()
    machine.reset()
