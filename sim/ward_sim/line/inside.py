"""Stations in this process: a port for a master's code, and controllers that run their real core (tier A).

On the loop of `ward_sim.line.clock` a transaction takes no real time but that of computing it.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from ward_sim.line.medium import Tap

if TYPE_CHECKING:
    import asyncio

    from ward_hw.ports import Receiver, SerialPort
    from ward_sim.line.medium import Medium

WATCHDOG_S = 1.0
_MASK = 0x3FFFFFFF  # MicroPython's counter of microseconds wraps


class Core(Protocol):
    """A controller without its pins, as the firmware has it: bytes and time in, bytes out, never waits."""

    @property
    def turnaround_us(self) -> int:
        """Silence before an answer."""
        ...

    def rx(self, data: bytes, now_us: int) -> bytes:
        """Take bytes; returns the answer."""
        ...

    def tick(self, now_us: int) -> None:
        """Let time pass in which nothing came."""
        ...

    def wait_ms(self) -> int:
        """How long no `tick` matters while nothing comes."""
        ...


Boot = Callable[[int], Core]
"""Starts a core at a reading of the counter, its relays open."""


class Port(Tap):
    """The master's end; `open` is a `ward_hw.ports.SerialOpener`."""

    def __init__(self, line: Medium, name: str = "hub") -> None:
        super().__init__(line, name, outside=True)
        self.plugged = True
        self._receiver: Receiver | None = None
        self._opened_at = line.baud

    @property
    def configured_baud(self) -> int:
        """At which it was opened last."""
        return self._opened_at

    def open(self, path: str, baudrate: int, receiver: Receiver) -> SerialPort:
        """Open it, once; raises OSError while it is unplugged."""
        if not self.plugged:
            raise FileNotFoundError(errno.ENOENT, "no such device", path)
        if self._receiver is not None:
            raise OSError(errno.EBUSY, "opened by somebody else", path)
        self._receiver, self._opened_at = receiver, baudrate
        return _Opened(self)

    def plug(self) -> None:
        """Put it back."""
        self.plugged = True

    def unplug(self) -> None:
        """Pull it: whoever has it open is told."""
        self.plugged = False
        self.forget()
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.connection_lost(OSError(errno.EIO, "unplugged"))

    def release(self) -> None:
        """Nobody has it open any more."""
        self._receiver = None

    def deliver(self, data: bytes) -> None:
        """Hand them to whoever has it open."""
        if self._receiver is not None:
            self._receiver.data_received(data)


class _Opened:
    """One opening of a port."""

    def __init__(self, port: Port) -> None:
        self._port: Port | None = port

    def write(self, data: bytes) -> None:
        if self._port is not None and self._port.plugged:
            self._port.send(data)

    def close(self) -> None:
        port, self._port = self._port, None
        if port is not None and port.plugged:
            port.release()


class Unit(Tap):
    """A controller on the line: `boot` starts its core, `floating` is called when its pins are let go."""

    def __init__(self, line: Medium, name: str, boot: Boot, *, floating: Callable[[], None]) -> None:
        super().__init__(line, name, outside=False)
        self.restarts = 0
        self._boot = boot
        self._floating = floating
        self._hangs = False
        self._timers: list[asyncio.TimerHandle] = []
        self._told = 0.0
        self._core: Core | None = None
        self.start()

    @property
    def alive(self) -> bool:
        """Whether the core runs."""
        return self._core is not None and not self._hangs

    def start(self) -> None:
        """Give power."""
        if self._core is None:
            self._core = self._boot(self._now_us())
            self._tick()

    def kill(self) -> None:
        """Cut the power."""
        self._core, self._hangs = None, False
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self.forget()
        self._floating()

    def hang(self) -> None:
        """Let the processor hang: its pins stay as they are until the watchdog restarts it."""
        if self.alive:
            self._hangs = True
            self._later(WATCHDOG_S, self._bite)

    def deliver(self, data: bytes) -> None:
        """Let the core have them; its answer follows its turnaround."""
        if self._core is None or self._hangs:
            return
        if self._line.came > self._told:
            self._core.tick(_us(self._line.came))  # its loop had looked, and found nothing, until then
        self._told = self._line.loop.time()
        answer = self._core.rx(data, self._now_us())
        if answer:
            at = self._line.ended + self._core.turnaround_us / 1e6
            self._later(at - self._line.loop.time(), self.send, answer, at)

    def unplug(self) -> None:
        """Take it away, powerless."""
        self.kill()

    def _bite(self) -> None:
        self.kill()
        self.restarts += 1
        self.start()

    def _tick(self) -> None:
        if self._core is not None and not self._hangs:
            self._told = self._line.loop.time()
            self._core.tick(self._now_us())
            self._later(self._core.wait_ms() / 1000, self._tick)

    def _later(self, seconds: float, what: Callable[..., None], *arguments: object) -> None:
        loop = self._line.loop
        self._timers = [timer for timer in self._timers if not timer.cancelled() and timer.when() > loop.time()]
        self._timers.append(loop.call_later(seconds, what, *arguments))

    def _now_us(self) -> int:
        return _us(self._line.loop.time())


def _us(at: float) -> int:
    return round(at * 1e6) & _MASK
