"""One simulated controller: the firmware's process, its wires, its watchdog restarts and its power."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from ward_protocol.portable import reset_cause
from ward_sim.devices.flash import stage
from ward_sim.devices.interpreter import find_micropython

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from ward_sim.line import Station

HEAP = "400k"
"""What an RP2040 leaves to MicroPython is 190 KB; objects of the 64-bit port are twice as large."""
START_S = 20
CRASH_PAUSE_S = 1.0
"""A firmware that ends without its watchdog's last words waits for it in the prompt, its pins as it left them."""
SHIM = Path(__file__).parent / "shim"


class Wires(Protocol):
    """What a controller's pins are soldered to."""

    def pin(self, number: int, level: int) -> None:
        """An output pin was driven to `level`."""

    def spi(self, data: bytes) -> None:
        """Bytes were shifted out."""

    def floating(self) -> None:
        """Reset or no power: all pins are inputs again."""


class Controller:
    """Runs the firmware of `kind` on `station`; an async context manager that leaves no process behind.

    `restarts` counts resets other than by power, `last_words` holds the traceback of the latest crash. `flash` is the
    directory that stands for its file system, while there is one: it outlives a loss of power.
    """

    def __init__(
        self,
        name: str,
        kind: str,
        station: Station,
        wires: Wires,
        *,
        settings: Mapping[str, int],
        serial: bytes,
    ) -> None:
        self.name = name
        self.restarts = 0
        self.last_words = ""
        self.flash: Path | None = None
        self._kind = kind
        self._station = station
        self._wires = wires
        self._settings = settings
        self._serial = serial
        self._analogue: dict[int, int] = {}
        self._cause = reset_cause.POWER_ON
        self._powered = asyncio.Event()
        self._down = asyncio.Event()
        self._down.set()
        self._up = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._tasks = asyncio.TaskGroup()
        self._runner: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether the firmware has come so far as to drive a pin."""
        return self._up.is_set()

    @property
    def pid(self) -> int | None:
        """Process id while there is one."""
        return self._process.pid if self._process else None

    def set_analogue(self, pin: int, value: int) -> None:
        """Put `value` (0..65535) on an ADC pin; kept over restarts."""
        value = max(0, min(65535, value))
        if self._analogue.get(pin) != value:
            self._analogue[pin] = value
            self._tell(f"A {pin} {value}")

    def hang(self) -> None:
        """Let the processor hang until the watchdog bites."""
        self._tell("H")

    def break_down(self) -> None:
        """Have an exception end the main loop: a value that is no number is nothing that an ADC could say."""
        self._tell("A ? ?")

    async def kill(self) -> None:
        """Cut the power; returns when every pin floats."""
        self._powered.clear()
        self._cause = reset_cause.POWER_ON
        if self._process and self._process.returncode is None:
            self._process.kill()
        await self._down.wait()

    async def start(self) -> None:
        """Give power; returns when the firmware drives its pins. Raises TimeoutError, with its last words, if not."""
        self._powered.set()
        try:
            async with asyncio.timeout(START_S):
                await self._up.wait()
        except TimeoutError as late:
            raise TimeoutError(
                f"controller {self.name}: the {self._kind} firmware drove no pin within {START_S} s of power-on; "
                f"its last words: {self.last_words or 'none'}"
            ) from late

    async def __aenter__(self) -> Self:
        find_micropython()  # fail here, with its clear error, and not in the task
        await self._tasks.__aenter__()
        self._runner = self._tasks.create_task(self._run(), name=f"controller {self.name}")
        try:
            await self.start()
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner:
            self._runner.cancel()
        if isinstance(error, asyncio.CancelledError):  # perhaps by the group, because the runner failed
            await self._tasks.__aexit__(kind, error, trace)
        else:  # an error of the body is the body's: it goes on as it is, in no group
            await self._tasks.__aexit__(None, None, None)

    async def _run(self) -> None:
        with tempfile.TemporaryDirectory(prefix="ward-flash-") as directory:
            home = self.flash = Path(directory)
            stage(self._kind, home, self._settings)
            while True:
                await self._powered.wait()
                expected = await self._life(home)
                if self._powered.is_set():
                    self.restarts += 1
                    if not expected:
                        self._cause = reset_cause.WATCHDOG
                        self.last_words = (home / "console.log").read_text(errors="replace")[-2000:]

    async def _life(self, home: Path) -> bool:
        """From reset to reset; True when the firmware said why it ended."""
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        self._station.flush()
        reader, self._writer = await asyncio.open_connection(sock=ours)
        self._down.clear()
        try:
            with theirs, (home / "console.log").open("wb") as console:
                self._process = await asyncio.create_subprocess_exec(
                    find_micropython(), "-X", f"heapsize={HEAP}", "main.py",
                    cwd=home, env=self._environment(home, theirs.fileno()), stdin=asyncio.subprocess.DEVNULL,
                    stdout=console, stderr=console, pass_fds=(self._station.fd, theirs.fileno()),
                )  # fmt: skip
            for pin, value in self._analogue.items():
                self._tell(f"A {pin} {value}")
            expected = await self._listen(reader)
            if not expected and self._powered.is_set():
                await asyncio.sleep(CRASH_PAUSE_S)
            return expected
        finally:
            await self._end()

    def _environment(self, home: Path, wires: int) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "MICROPYPATH": f"{SHIM}:{home / 'lib'}:.frozen",
            "WARD_UART": str(self._station.fd),
            "WARD_WIRES": str(wires),
            "WARD_RESET": str(self._cause),
            "WARD_SERIAL": self._serial.hex(),
        }

    async def _listen(self, reader: asyncio.StreamReader) -> bool:
        reason = b""
        try:
            while line := await reader.readline():
                word, _, rest = line.rstrip(b"\n").partition(b" ")
                if word == b"S":
                    self._wires.spi(bytes.fromhex(rest.decode()))
                elif word == b"P":
                    number, level = rest.split()
                    self._up.set()
                    self._wires.pin(int(number), int(level))
                elif word == b"U":
                    self._station.uart_baud = int(rest)
                elif word == b"R":
                    reason = rest
        except ConnectionResetError:  # killed with words of ours unread
            pass
        if reason:
            self._cause = reset_cause.WATCHDOG if reason == b"wdt" else reset_cause.SOFT
        return bool(reason)

    async def _end(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()
        if self._process:
            await self._process.wait()
        if self._writer:
            self._writer.close()
        self._process = self._writer = None
        self._up.clear()
        self._wires.floating()
        self._down.set()

    def _tell(self, line: str) -> None:
        if self._writer and not self._writer.is_closing():
            self._writer.write(line.encode() + b"\n")
