"""Stations for other processes: a pty for the outside (hub, mbpoll), one end of a socket pair for a controller.

A pty carries bytes at any speed, but it keeps the speed that was set on it: that is the baud rate of its station.
"""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import termios
import tty
from pathlib import Path

from ward_sim.line.medium import Medium, Tap

_READ = 4096
_SPEEDS = {getattr(termios, name): int(name[1:]) for name in dir(termios) if name[0] == "B" and name[1:].isdecimal()}
_OUTPUT_SPEED = 5  # where `tcgetattr` has it; a tty of ours has one for both directions


class Line(Medium):
    """A line that other processes can join."""

    _home: tempfile.TemporaryDirectory[str] | None = None

    @property
    def directory(self) -> Path:
        """Where the stable names of its ttys are; made when first needed."""
        if self._home is None:
            self._home = tempfile.TemporaryDirectory(prefix="ward-line-")
        return Path(self._home.name)

    def station(self, name: str, *, controller: bool = False) -> Station:
        """Attach a new station; a controller's has an `fd`, any other a tty `path`."""
        return Station(self, name, controller=controller)

    async def aclose(self) -> None:
        """Unplug every station and remove the links."""
        await super().aclose()
        if self._home is not None:
            self._home.cleanup()


class Station(Tap):
    """One device on a line. `path` is its tty (outside stations), `fd` its port (controllers).

    `uart_baud` is the rate to which a controller sets its UART, the line's until it does.
    """

    def __init__(self, line: Line, name: str, *, controller: bool) -> None:
        super().__init__(line, name, outside=not controller)
        self.controller = controller
        self.uart_baud = line.baud
        self.plugged = False
        self._link = None if controller else line.directory / name
        self._ours = -1
        self._theirs = -1
        self.plug()

    @property
    def path(self) -> str:
        """The tty of an outside station; a stable name that survives unplugging, as udev's links do."""
        if self._link is None:
            raise ValueError(f"line {self._line.name}: station {self.name} is a controller's: use fd")
        return str(self._link)

    @property
    def fd(self) -> int:
        """The port of a controller's station: a non-blocking stream, to be passed to its process."""
        if not self.controller:
            raise ValueError(f"line {self._line.name}: station {self.name} is an outside one: use path")
        return self._theirs

    @property
    def configured_baud(self) -> int:
        """The controller's, or what whoever opened the tty set, if it is a usual rate."""
        if self._link is None or not self.plugged:
            return self.uart_baud
        return _SPEEDS.get(termios.tcgetattr(self._ours)[_OUTPUT_SPEED]) or self._line.baud

    def plug(self) -> None:
        """Attach the station (done once by `Line.station`)."""
        if self.plugged:
            return
        if self._link is None:
            ours, theirs = socket.socketpair()
            self._ours, self._theirs = ours.detach(), theirs.detach()
            os.set_blocking(self._theirs, False)
        else:
            # Our own hold on the slave keeps the master readable while nobody has the tty open.
            self._ours, self._theirs = os.openpty()
            tty.setraw(self._ours)
            tty.setraw(self._theirs)
            _set_speed(self._theirs, self._line.baud)
            self._link.symlink_to(os.ttyname(self._theirs))
        os.set_blocking(self._ours, False)
        self.plugged = True
        self._line.loop.add_reader(self._ours, self._readable)

    def unplug(self) -> None:
        """Detach it: whoever has the tty open gets EIO, as with a USB adapter that is pulled."""
        if not self.plugged:
            return
        self.plugged = False
        self._line.loop.remove_reader(self._ours)
        os.close(self._ours)
        os.close(self._theirs)
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        self.forget()

    def deliver(self, data: bytes) -> None:
        """Hand received characters to the device; what it has no room for is lost, as in a UART's FIFO."""
        if self.plugged:
            with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
                os.write(self._ours, data)

    def flush(self) -> None:
        """Throw away what a controller has not read: a UART that starts begins with an empty FIFO."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self.fd, _READ):
                pass

    def _readable(self) -> None:
        try:
            data = os.read(self._ours, _READ)
        except BlockingIOError:
            return
        self.send(data)


def _set_speed(fd: int, baud: int) -> None:
    """Set a tty to the line's rate, for programs that set none; a rate without a name is nobody's to set."""
    speed = next((number for number, rate in _SPEEDS.items() if rate == baud), termios.B0)
    attributes = termios.tcgetattr(fd)
    attributes[4:6] = speed, speed
    termios.tcsetattr(fd, termios.TCSANOW, attributes)
