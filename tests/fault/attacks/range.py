"""A ward to attack: the real agent as a process, devices on ptys, its source over UDP, a witness at the outputs.

It lives on a loop of its own in a thread, for all attacks of a module; a test gives it coroutines to run. What every
attack must come to is judged here: not one relay or LED moved, the attempt stands in the audit trail, the agent's
memory stayed bounded, and the next good bulletin airs.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.e2e.walks import free_port
from tests.sim.lan.rig import Client

from ward_protocol.envelope import Envelope, sign
from ward_protocol.keys import Signer
from ward_protocol.reasons import Reason
from ward_protocol.statements import Audience, Beat, Bulletin, Event, Issued, Priority, Receipt, Status, Text
from ward_sim.hub_process import COMMAND
from ward_sim.offices import PROVINCE, WARD
from ward_sim.stage import Stage
from ward_sim.ward import AmplifierSection, BoardSection, LineSection, LinkSection, Ward, ZoneSection
from ward_sim.world import now_ms

Run = Callable[[Coroutine[Any, Any, None]], None]
AREA, HUB, BOARD = "vn/01/00268", "hub-an-thinh", "board-1"
GUARD_S = 60
GROWTH_KB = 16_000
SETTLED_S = 0.05  # what went dark in the very millisecond in which the attack begins was not moved by it
# A board that shows for a moment, a text that stands still: the next good bulletin after each attack costs no minute.
AIRING = {"board_hold_ms": 300, "tail_ms": 0}
SHORT = (Text("vi", "Tốt", " "),)
WARD_AT_STAKE = Ward(
    seed=20261125,
    name="Phường An Thịnh",
    area=AREA,
    hub=HUB,
    line=LineSection(),
    link=LinkSection(delay_ms=5, jitter_ms=0, loss=0.0),
    amplifier=(
        AmplifierSection("amp-1", "Tăng âm 1", 17, (ZoneSection("zone-1", "Tổ 1"), ZoneSection("zone-2", "Tổ 2"))),
    ),
    board=(BoardSection(BOARD, "Bảng tin", 2, 2),),
)


@dataclass
class Line:
    """One entry of the hub's audit trail."""

    number: int
    event: str
    detail: dict[str, Any]


@dataclass
class Range:
    """The ward under attack; everything asynchronous runs on the stage's own loop."""

    stage: Stage
    folder: Path
    sequences: dict[str, int] = field(default_factory=dict)
    port: int = field(default_factory=lambda: int(free_port()))

    # What attackers reach beside the source, and where the power goes

    @property
    def stick(self) -> Path:
        """Where sticks are mounted."""
        return self.folder / "stick"

    async def open_ways(self) -> None:
        """Let the hub listen on its own network and look at sticks, and begin anew with that."""
        ways = f'[lan]\nlisten = "127.0.0.1:{self.port}"\n[usb]\nmount = "{self.stick}"\n'
        self.stick.mkdir()
        config = self.stage.hub.config
        config.write_text(config.read_text(encoding="utf-8") + ways, encoding="utf-8")
        await self.restart()

    @contextmanager
    def peer(self, host: str) -> Iterator[Client]:
        """A machine of the ward's network, at that address of the loopback's."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.bind((host, 0))
            sock.connect(("127.0.0.1", self.port))
            yield Client(sock)

    async def restart(self) -> None:
        """Let the agent end as it does when it is asked to, and start it."""
        await self.stage.hub.stop()
        await self._start()

    async def power_cut(self) -> None:
        """Kill the agent in the middle of whatever it does, and start it."""
        await self.stage.hub.kill()
        await self._start()

    async def _start(self) -> None:
        """Start the agent; return when it hears its source again, and listens where it is to."""
        log = self.stage.hub.log
        said = log.stat().st_size
        words = ["ready: hub", ": observing", *(["lan: listening"] if self.stick.exists() else [])]

        def is_up() -> bool:
            new = log.read_bytes()[said:].decode()
            return all(one in new for one in words)

        await self.stage.hub.start()
        await self.until(is_up, "the agent is up again")

    # What may be published

    def bulletin(self, issuer: str = WARD, **changes: object) -> Bulletin:
        """A good bulletin with the issuer's next number, for the board alone, changed."""
        now = int(time.time())
        plain = Bulletin(
            issuer=issuer,
            sequence=self.next(issuer),
            issued=now,
            not_before=now,
            expires=now + 600,
            audience=Audience((AREA,), zones=("none",), boards=(BOARD,)),
            priority=Priority.NORMAL,
            status=Status.ACTUAL,
            texts=(Text("vi", "Thử", "Một hai ba."),),
        )
        return replace(plain, **changes)  # type: ignore[arg-type]

    def next(self, issuer: str = WARD) -> int:
        """The number that the issuer's next statement takes."""
        return self.sequences.get(issuer, 0) + 1

    def by(self, issuer: str = WARD) -> list[Signer]:
        """The author of an authority."""
        return [self.stage.offices.author(issuer)]

    def serve(self, data: bytes, issuer: str = WARD, sequence: int | None = None) -> None:
        """Put bytes where a hijacked source would: by default into the issuer's next place."""
        number = sequence or self.next(issuer)
        self.sequences[issuer] = max(self.sequences.get(issuer, 0), number)
        self.stage.source.inject(issuer, number, data)

    def publish(self, statement: Issued, signers: list[Signer] | None = None) -> bytes:
        """Put a truly signed statement into its place."""
        data = sign(statement, signers or self.by(statement.issuer))
        self.serve(data, statement.issuer, statement.sequence)
        return data

    @contextmanager
    def serving(
        self,
        *,
        root: tuple[int, bytes] | None = None,
        grants: tuple[int, bytes] | None = None,
        beat: Callable[[Beat], bytes] | None = None,
    ) -> Iterator[None]:
        """Have the source serve documents that no careful source would take, and name them in its beats."""
        source = self.stage.source
        changed = [(one, given) for one, given in ((source.root, root), (source.grants, grants)) if given]
        signer, newest = source._beat_signer, [one.newest for one, _ in changed]
        for one, (version, data) in changed:
            one._documents[version], one.newest = data, version
        source._beat_signer = beat or signer
        source._changed.set()
        try:
            yield
        finally:
            source._beat_signer = signer
            for (one, (version, _)), before in zip(changed, newest, strict=True):
                del one._documents[version]
                one.newest = before
            source._changed.set()

    # What is seen

    @property
    def journal(self) -> Path:
        return self.folder / "state" / "journal.sqlite"

    def trail(self, after: int = 0) -> list[Line]:
        """The audit trail's entries after a number, read beside the running agent."""
        with closing(sqlite3.connect(f"{self.journal.as_uri()}?mode=ro", uri=True)) as db:
            rows = db.execute("SELECT number, event, detail FROM entry WHERE number > ? ORDER BY number", (after,))
            return [Line(number, event, json.loads(detail)) for number, event, detail in rows]

    def receipts(self, statement: bytes) -> list[Receipt]:
        return [one for one in self.stage.source.receipts if one.statement == statement]

    def resident_kb(self) -> int:
        for line in Path(f"/proc/{self.stage.hub.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("the agent does not run")

    async def until(self, true: Callable[[], object], what: str, seconds: float = GUARD_S) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not true():
                    await asyncio.sleep(0.03)
        except TimeoutError:
            raise AssertionError(f"it did not come to this: {what}\n{self.stage.hub.tail(30)}") from None

    async def refused(self, reason: Reason, since: int, count: int = 1) -> None:
        """Wait until the audit trail holds that many refusals for `reason` after an entry."""
        await self.until(
            lambda: sum(one.detail.get("reason") == reason.word for one in self.trail(since)) >= count,
            f"{count} × {reason.word} in the audit trail",
        )

    async def counted(self, since: int) -> Counter[str]:
        """Return what was told by its count alone, after an entry; the agent ends for it, so that nothing is open."""
        await self.restart()
        words: Counter[str] = Counter()
        for line in self.trail(since):
            if line.event == "counted":
                words.update({word: count for word, count in line.detail.items() if word not in {"place", "s"}})
        return words

    async def command(self, *words: str) -> str:
        """Run `wardhub` with words at the hub, as somebody there would; return what it prints."""
        program = await asyncio.create_subprocess_exec(
            *COMMAND, *words, "--config", str(self.stage.hub.config), "--lang", "en",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await program.communicate()
        assert program.returncode == 0, err.decode()
        return out.decode()

    def all_quiet(self) -> bool:
        """Every relay open, every LED dark."""
        relays = any(any(one.relays) for one in self.stage.world.amplifiers.values())
        return not relays and not any(any(one.frame) for one in self.stage.world.boards.values())

    @asynccontextmanager
    async def attack(
        self, *, moved: bool = False, audited: bool = True, growth_kb: int = GROWTH_KB, then: str = WARD
    ) -> AsyncIterator[int]:
        """Gives the audit trail's end before the attack; what every attack must come to is asserted after it.

        `moved` where the attacker has hands on a wire, so that an output moved before the hub undid it; not `audited`
        where nothing reached the hub that it could have seen. `then` issues the next good bulletin.
        """
        await self.until(self.all_quiet, "a quiet ward before the attack")
        await asyncio.sleep(SETTLED_S)
        begun, before, memory = now_ms(), len(self.trail()), self.resident_kb()
        yield before
        assert moved or not self.stage.world.witness.anything_moved(begun, now_ms()), "a relay or an LED moved"
        assert self.all_quiet()
        if audited:  # written behind what was done, not before
            await self.until(lambda: len(self.trail()) > before, "the attempt in the audit trail")
        assert self.resident_kb() < memory + growth_kb, "the agent grew"
        await self.next_good_bulletin_airs(then)

    async def next_good_bulletin_airs(self, issuer: str = WARD) -> None:
        data = self.publish(self.bulletin(issuer, texts=SHORT))
        digest = Envelope.open(data).digest
        await self.until(
            lambda: any(one.event is Event.AIRED for one in self.receipts(digest)), "the next good bulletin airs"
        )
        await self.until(self.all_quiet, "a quiet ward after it")


@contextmanager
def ranged(folder: Path, ward: Ward = WARD_AT_STAKE) -> Iterator[tuple[Range, Run]]:
    """A range, and what runs a coroutine on its loop and waits for it."""
    loop = asyncio.new_event_loop()
    pool = ThreadPoolExecutor(1)  # begun here: a thread that one of a module's tests begins would be left behind by it
    pool.submit(int).result()
    loop.set_default_executor(pool)
    thread = threading.Thread(target=loop.run_forever, name="range")
    thread.start()
    up: asyncio.Future[Range] = loop.create_future()
    over = asyncio.Event()

    async def live() -> None:
        try:
            async with Stage(ward, folder, AIRING, keep=True) as stage:
                at = Range(stage, folder)
                await at.until(lambda: "grants 1 are in force" in stage.hub.tail(50), "the hub knows its grants")
                up.set_result(at)
                await over.wait()
        except BaseException as error:
            if not up.done():
                up.set_exception(error)
            raise

    async def come_up() -> Range:
        return await up

    def run(work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, loop).result(GUARD_S * 4)

    living = asyncio.run_coroutine_threadsafe(live(), loop)
    try:
        yield asyncio.run_coroutine_threadsafe(come_up(), loop).result(GUARD_S), run
    finally:
        loop.call_soon_threadsafe(over.set)
        try:
            living.result(GUARD_S)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()
            pool.shutdown()


__all__ = ["AREA", "BOARD", "HUB", "PROVINCE", "WARD", "Range", "Run", "ranged"]
