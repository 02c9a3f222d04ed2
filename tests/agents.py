"""A real agent as a process that is cut off: it has root, grants and a beat, no source, and nothing attached."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.e2e.walks import free_port
from tests.journals import FILE, HUB, HUB_KEY, rows
from tests.statements import AREA, BEAT, BEAT_KEY, GRANT_KEY, GRANTS, MINIMAL, ROOT, ROOT_KEY, SIGNER

from ward_hub.clock import Clock
from ward_hub.control import NAME, ask
from ward_hub.identity import write_key
from ward_hub.journal import Journal
from ward_protocol.envelope import sign
from ward_protocol.keys import Signer
from ward_protocol.statements import Bulletin

GUARD_S = 120.0
MONTH_S = 30 * 86_400
CONFIG = """
[hub]
id = "{hub}"
area = "{area}"
state = "{folder}/state"

[trust]
root = "{folder}/root.cose"

[source]
uri = "coap://127.0.0.1:9"

[lan]
listen = "127.0.0.1:{port}"

[usb]
mount = "{folder}/stick"

[audio]
backend = "null"
"""


def bulletin(sequence: int, by: Signer = SIGNER, **changes: Any) -> bytes:  # noqa: ANN401 - a field is anything
    """Return a bulletin that is signed and in its time now."""
    now = int(time.time())
    plain: Bulletin = replace(MINIMAL, sequence=sequence, issued=now, not_before=now, expires=now + 3600)
    return sign(replace(plain, **changes), [by])


@dataclass
class CutOff:
    """The agent in `folder`; its way in over the network is at `uri`, the mount of its sticks is `stick`."""

    folder: Path
    port: int = field(default_factory=lambda: int(free_port()))
    process: asyncio.subprocess.Process | None = None

    def __post_init__(self) -> None:
        self.state, self.stick = self.folder / "state", self.folder / "stick"
        self.config, self.log = self.folder / "hub.toml", self.folder / "hub.log"
        self.state.mkdir(mode=0o700)
        self.stick.mkdir()
        now = int(time.time())
        (self.folder / "root.cose").write_bytes(sign(replace(ROOT, issued=now, expires=now + MONTH_S), [ROOT_KEY]))
        self.config.write_text(CONFIG.format(hub=HUB, area=AREA, folder=self.folder, port=self.port), encoding="utf-8")
        write_key(self.state / "hub.key", HUB_KEY)
        until = now + MONTH_S
        authorities = tuple(replace(one, not_after=until) for one in GRANTS.authorities)
        grants = replace(GRANTS, issued=now, expires=until, authorities=authorities)
        with Journal(self.state / FILE, HUB, HUB_KEY, Clock()) as journal:
            journal.ledger.keep_document("grants", 1, bytes(32), sign(grants, [GRANT_KEY]))
            journal.ledger.keep_beat(now, sign(replace(BEAT, time=now, heads={}), [BEAT_KEY]))

    @property
    def uri(self) -> str:
        """Where it takes what is pushed."""
        return f"coap://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process is not None
        return self.process.pid

    async def start(self) -> None:
        """Start it, and wait until it is ready."""
        said = self.text().count("ready: hub")
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "ward_hub", "run", "--config", str(self.config), stdout=log, stderr=log
            )
        async with asyncio.timeout(GUARD_S):
            while self.text().count("ready: hub") == said or not (self.state / NAME).exists():
                assert self.process.returncode is None, self.text()
                await asyncio.sleep(0.02)

    async def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it, and wait until it has."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)
        if self.process is not None:
            async with asyncio.timeout(GUARD_S):
                await self.process.wait()

    async def asked(self, do: str, **details: object) -> Any:  # noqa: ANN401 - JSON is anything
        """Return what it answers at its control socket."""
        return await asyncio.to_thread(ask, self.state, do, patience=GUARD_S, **details)

    def text(self) -> str:
        """Return its log."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def states(self) -> dict[bytes, str]:
        """Return where each statement stands that it accepted."""
        return dict(rows(self.state, "SELECT digest, state FROM statement"))

    def incoming(self) -> list[Path]:
        """Return what has not come whole yet."""
        return list((self.state / "incoming").iterdir())


@asynccontextmanager
async def cut_off(folder: Path) -> AsyncIterator[CutOff]:
    """A running agent, ended with what uses it."""
    one = CutOff(folder)
    try:
        await one.start()
        yield one
    finally:
        await one.end()
