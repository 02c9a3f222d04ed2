"""Board controller: joins the core to UART, panel and watchdog. Is main.py on the board."""

import select

import machine

from ward_firmware import settings
from ward_firmware.board import pins
from ward_firmware.board.core import Board
from ward_firmware.board.hub12 import MODULE_HEIGHT, MODULE_WIDTH, Hub12
from ward_firmware.clock import now_us

CHUNK = 512


def _output(number: int) -> "machine.Pin":
    return machine.Pin(number, machine.Pin.OUT, value=0)


def _panel(wide: int, high: int) -> Hub12:
    enable = _output(pins.ENABLE)  # dark before anything else
    spi = machine.SPI(pins.SPI, baudrate=pins.SPI_BAUD, sck=machine.Pin(pins.CLOCK), mosi=machine.Pin(pins.DATA))
    return Hub12(spi, (_output(pins.A), _output(pins.B), _output(pins.LATCH), enable), wide, high)


def _serial(baud: int) -> "machine.UART":
    return machine.UART(
        pins.UART,
        baudrate=baud,
        tx=machine.Pin(pins.TX),
        rx=machine.Pin(pins.RX),
        timeout=0,
        rxbuf=pins.RX_BUFFER,
    )


def _serve(core: Board, panel: Hub12, uart: "machine.UART") -> None:
    poller = select.poll()
    poller.register(uart, select.POLLIN)
    watchdog = machine.WDT(timeout=pins.WATCHDOG_MS)
    lit = core.frame
    while True:
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


def main() -> None:
    """Run until reset."""
    values = settings.load(pins.DEFAULTS)
    wide, high = values["modules_wide"], values["modules_high"]
    panel = _panel(wide, high)
    core = Board(
        wide * MODULE_WIDTH,
        high * MODULE_HEIGHT,
        serial=machine.unique_id(),
        cause=machine.reset_cause(),
        now_us=now_us(),
    )
    # Held in a name all the time: a timer that is collected as garbage stops.
    scanner = machine.Timer(-1, mode=machine.Timer.PERIODIC, freq=pins.SCAN_HZ, callback=panel.scan)
    try:
        _serve(core, panel, _serial(values["baud"]))
    finally:
        # Whatever ended it, four rows must not stay lit at full current until the watchdog bites.
        scanner.deinit()
        panel.off()


main()
