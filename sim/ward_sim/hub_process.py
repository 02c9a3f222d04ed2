"""The hub under test: the real agent as a process of its own, known only by its command line and its files."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from ward_protocol.envelope import Envelope
from ward_sim.ward import BOARD_BAUDRATE, SUPPLY_RELAY, Ward

START_S = 30.0
STOP_S = 15.0
COMMAND = (sys.executable, "-m", "ward_hub")


class HubProcess:
    """Starts, kills and restarts one agent whose state lives in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "hub.toml"
        self.state = folder / "state"
        self.log = folder / "hub.log"
        self.capture = folder / "heard.wav"
        self.restarts = 0
        self.wanted = False
        self._process: asyncio.subprocess.Process | None = None
        self._changing = asyncio.Lock()  # starting takes a while: who starts or ends it meanwhile has to know of it

    async def request(self, ward: Ward, *key: str) -> bytes:
        """Have the hub make its keys and ask to be enrolled; return its request. `key` is `--key` and a token's URI."""
        out = self.folder / "request.cose"
        await self._enrol("request", "--hub", ward.hub, "--area", ward.area, "--out", str(out), *key)
        return out.read_bytes()

    async def install(self, answer: bytes, root: bytes, *key: str) -> None:
        """Have the hub install the answer to its request, by the root's id; its configuration is there already."""
        path, root_id = self.folder / "answer.cose", Envelope.open(root).digest.hex()
        path.write_bytes(answer)
        await self._enrol("install", str(path), "--root-id", root_id, "--config", str(self.config), *key)

    def write_config(self, ward: Ward, uri: str, ports: Mapping[str, str], airing: Mapping[str, int]) -> None:
        """Write the hub's configuration: `ports` gives the tty of the line ("line") and of each board's id."""
        lines = [
            *_section("[hub]", id=ward.hub, name=ward.name, area=ward.area, state=str(self.state)),
            *_section("[trust]", root=str(self.folder / "root.cose")),
            *_section("[source]", uri=uri, protected=True),
            *_section("[airing]", **airing),
            *_section("[audio]", backend="null", capture=str(self.capture)),
            *_section("[[bus]]", name="line", port=ports["line"], baudrate=ward.line.baudrate),
        ]
        for amplifier in ward.amplifier:
            lines += _section(
                "[[amplifier]]", name=amplifier.id, bus="line", unit=amplifier.unit, profile="wardhub/amp8",
                supply_relay=SUPPLY_RELAY, warm_up_ms=amplifier.warm_up_ms,
            )  # fmt: skip
            for zone in amplifier.zones:
                lines += _section("[[amplifier.zones]]", id=zone.id, name=zone.name, relay=amplifier.relay_of(zone.id))
        for board in ward.board:
            lines += _section("[[board]]", id=board.id, name=board.name, port=ports[board.id], baudrate=BOARD_BAUDRATE)
        self.config.write_text("\n".join(lines) + "\n", encoding="utf-8")

    @property
    def up(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """Its process id, 0 when it does not run."""
        return self._process.pid if self._process is not None and self.up else 0

    async def start(self) -> None:
        """Start the agent, if it does not run; it says in its log when it is ready."""
        self.wanted = True
        async with self._changing:
            if self.up or not self.wanted:
                return
            self.restarts += self._process is not None
            with self.log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *COMMAND, "run", "--config", str(self.config),
                    stdout=log, stderr=log, stdin=asyncio.subprocess.DEVNULL,
                )  # fmt: skip

    async def wait_for_log(self, text: str) -> None:
        """Wait until the log says `text`; raises RuntimeError with the log's end when the agent ends or is silent."""
        try:
            async with asyncio.timeout(START_S):
                while text not in self.log.read_text(encoding="utf-8"):
                    if not self.up:
                        break
                    await asyncio.sleep(0.05)
                else:
                    return
        except TimeoutError:
            pass
        raise RuntimeError(f"the hub did not say {text!r}; the end of its log:\n{self.tail()}")

    def tail(self, lines: int = 20) -> str:
        """Return the end of the log."""
        return "\n".join(self.log.read_text(encoding="utf-8").splitlines()[-lines:])

    async def kill(self) -> None:
        """End the agent as a power cut would: SIGKILL; it stays down until `start`."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """Ask the agent to end, and insist after a while."""
        try:
            async with asyncio.timeout(STOP_S):
                await self._end(signal.SIGTERM)
        except TimeoutError:
            await self.kill()

    async def ended(self) -> None:
        """Wait until the process has ended, whoever ended it."""
        async with self._changing:
            process = self._process
        if process is not None:
            await process.wait()

    async def _enrol(self, step: str, *words: str) -> None:
        done = await asyncio.create_subprocess_exec(
            *COMMAND, "enrol", step, *words, "--state", str(self.state), "--json", stdout=asyncio.subprocess.DEVNULL
        )
        if await done.wait():
            raise RuntimeError(f"the hub could not do `enrol {step}`; what it said stands above")

    async def _end(self, number: signal.Signals) -> None:
        self.wanted = False
        async with self._changing:
            if self._process is not None:
                if self.up:
                    self._process.send_signal(number)
                await self._process.wait()


def _section(header: str, **values: str | int) -> list[str]:
    """Return a TOML section; JSON's strings and integers are TOML's as well."""
    return [header, *(f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()), ""]
