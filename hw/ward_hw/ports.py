"""The interfaces behind which the operating system stands, so that a simulated line can stand there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Clock = Callable[[], float]
"""Seconds; only differences and order matter to this package."""


class Receiver(Protocol):
    """Takes what a serial port delivers. Called from the event loop, never from a thread."""

    def data_received(self, data: bytes) -> None:
        """Take the next bytes, in order, in any chunking, never empty."""
        ...

    def connection_lost(self, reason: Exception) -> None:
        """The port is gone (unplugged, hung up); called once, the port is already closed."""
        ...


class SerialPort(Protocol):
    """An open serial port."""

    def write(self, data: bytes) -> None:
        """Queue bytes to be sent in order; never blocks. A failure is told by `Receiver.connection_lost`."""
        ...

    def close(self) -> None:
        """Release the port at once; unsent bytes are dropped. Closing twice is harmless."""
        ...


class SerialOpener(Protocol):
    """Opens the port at a path. Called inside a running event loop."""

    def __call__(self, path: str, baudrate: int, receiver: Receiver) -> SerialPort:
        """Open exclusively, 8N1, and deliver to ``receiver``; raises OSError when that cannot be done now."""
        ...
