"""A real serial port on the event loop: pyserial opens and configures it, the loop watches its descriptor."""

from __future__ import annotations

import asyncio
import contextlib
import os
import termios
from typing import TYPE_CHECKING

import serial

if TYPE_CHECKING:
    from ward_hw.ports import Receiver, SerialPort

_CHUNK = 4096


class TtyPort:
    """An open tty.

    Nothing here blocks: reads and writes wait for the loop to say that the descriptor is ready.
    """

    def __init__(self, tty: serial.Serial, receiver: Receiver) -> None:
        self._tty: serial.Serial | None = tty
        self._fd = tty.fileno()
        self._receiver = receiver
        self._unsent = bytearray()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._readable)

    def write(self, data: bytes) -> None:
        """Send now what the driver takes now, and the rest when it takes more."""
        if self._tty is None:
            return
        if self._unsent:
            self._unsent += data
            return
        sent = self._send(data)
        if sent is not None and sent < len(data):
            self._unsent += data[sent:]
            self._loop.add_writer(self._fd, self._writable)

    def close(self) -> None:
        """Release the descriptor."""
        if self._tty is None:
            return
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._unsent.clear()
        tty, self._tty = self._tty, None
        with contextlib.suppress(OSError, termios.error):  # an unplugged adapter may fail even to close
            tty.close()

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, _CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:  # EIO: the adapter was pulled
            self._lost(error)
            return
        if data:
            self._receiver.data_received(data)
        else:  # a readable tty without data has hung up
            self._lost(OSError("the serial device hung up"))

    def _writable(self) -> None:
        sent = self._send(bytes(self._unsent))
        if sent is None:
            return
        del self._unsent[:sent]
        if not self._unsent:
            self._loop.remove_writer(self._fd)

    def _send(self, data: bytes) -> int | None:
        """Bytes taken by the driver, or None when the port was lost."""
        try:
            return os.write(self._fd, data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            # Not from inside write(): the caller may be in the middle of a state change.
            self._loop.call_soon(self._lost, error)
            return None

    def _lost(self, error: OSError) -> None:
        if self._tty is not None:
            self.close()
            self._receiver.connection_lost(error)


def open_tty(path: str, baudrate: int, receiver: Receiver) -> SerialPort:
    """Open ``path`` exclusively at ``baudrate`` 8N1 without flow control.

    Raises OSError (pyserial's SerialException is one) when the device is absent, busy or not a serial port.
    """
    try:
        tty = serial.Serial(path, baudrate, timeout=0, write_timeout=0, exclusive=True)
    except termios.error as error:  # pyserial lets this one through, and it is no OSError
        raise OSError(*error.args) from error
    with contextlib.suppress(ValueError, OSError, NotImplementedError):
        # FTDI adapters hold bytes back for 16 ms by default; a pty does not know the request.
        tty.set_low_latency_mode(True)
    os.set_blocking(tty.fileno(), False)
    _tell_silence_from_hang_up(tty.fileno())
    return TtyPort(tty, receiver)


def _tell_silence_from_hang_up(fd: int) -> None:
    """Make an empty read mean hang-up only. With pyserial's VMIN of 0 it would mean "nothing yet" as well.

    Ref: POSIX.1-2017, Base Definitions, section 11.1.7 (non-canonical mode).
    """
    attributes = termios.tcgetattr(fd)
    attributes[6][termios.VMIN] = 1
    attributes[6][termios.VTIME] = 0
    termios.tcsetattr(fd, termios.TCSANOW, attributes)
