"""The whole simulated ward, up and running: source, network, hub process and world, with one timeline."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from ward_protocol.envelope import Envelope
from ward_protocol.reasons import Reason
from ward_protocol.statements import Event, Receipt, Status
from ward_sim.cases import Case, state
from ward_sim.hub_process import HubProcess
from ward_sim.network import LossyLink
from ward_sim.offices import Offices
from ward_sim.page.snapshot import Severity, Snapshot, StoryStep, TimelineEntry
from ward_sim.source import ChainBreak, Channels, Source
from ward_sim.ward import Ward
from ward_sim.words import marked
from ward_sim.world import World, now_ms

KEPT_ENTRIES = 200
RESTART_S = 1.0  # RestartSec of the hub's service
EVENTS: dict[Event, tuple[str, str, Severity]] = {
    Event.ACCEPTED: ("Chấp nhận", "Accepted", "info"),
    Event.REFUSED: ("Từ chối", "Refused", "warn"),
    Event.AIRED: ("Đã phát", "Aired", "good"),
    Event.PARTLY: ("Phát một phần", "Partly aired", "warn"),
    Event.NOT_AIRED: ("Không phát", "Not aired", "alarm"),
    Event.CANCELLED: ("Đã huỷ", "Cancelled", "info"),
    Event.RECEIVED: ("Đã nhận", "Received", "info"),
    Event.CARRIED_OUT: ("Đã thi hành", "Carried out", "good"),
    Event.ALARM: ("Cảnh báo", "Alarm", "alarm"),
    Event.ALARM_CLEARED: ("Hết cảnh báo", "Alarm is over", "good"),
}


class Stage:
    """Builds everything that a story needs, in `folder`; an async context manager.

    `airing` overrides settings of the section of that name in the hub's configuration; `keep` leaves the offices' keys
    and documents in the folder too, for whoever wants to publish something, and at the end the receipts.
    """

    def __init__(self, ward: Ward, folder: Path, airing: Mapping[str, int] | None = None, keep: bool = False) -> None:
        self._keep = keep
        self._airing = dict(airing or {})
        self.ward = ward
        self.phase = "start"
        self.cases: list[Case] = []
        self.timeline: list[TimelineEntry] = []
        self.steps: Callable[[], list[StoryStep]] = list
        self.length_s = 0.0
        self.on_change: Callable[[], None] = lambda: None
        self.offices = Offices(ward.area, int(time.time()))
        self.hub = HubProcess(folder)
        self.world = World(ward, self.hub.capture, self.note)
        self.channels: Channels
        self.source: Source
        self.link: LossyLink
        self.zero_ms = now_ms()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._build()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def note(self, kind: str, vi: str, en: str, severity: Severity = "info") -> None:
        """Add an entry to the timeline."""
        self.timeline.append({"t": self.t, "kind": kind, "vi": vi, "en": en, "severity": severity})
        del self.timeline[:-KEPT_ENTRIES]
        self.on_change()

    def attack(self, name: str, data: bytes, reason: Reason, issuer: str, sequence: int) -> Case:
        """Put an envelope where a hijacked source would; the hub must refuse it for `reason`."""
        place = f"feed/{issuer}/{sequence}"
        case = Case(name, Envelope.open(data), now_ms(), Event.REFUSED, reason, place)
        self.cases.append(case)
        self.source.inject(issuer, sequence, data)
        self.note("attack", f"Kẻ gian đưa vào {place}: {name}", f"An attacker puts into {place}: {name}", "warn")
        return case

    async def enrol(self, *key: str) -> None:
        """Make the hub known to its source, as people do; `key` as `wardhub enrol` takes it, `--key` and a URI."""
        request = await self.hub.request(self.ward, *key)
        self.source.enrol(request)
        root = self.offices.root()
        await self.hub.install(self.offices.admit(request, root, self.link.uri, self.channels.public), root, *key)

    @property
    def t(self) -> float:
        """Seconds since the start."""
        return (now_ms() - self.zero_ms) / 1000

    def snapshot(self) -> Snapshot:
        """Return the ward as page and terminal draw it."""
        return {
            "t": self.t,
            "clock": datetime.now(UTC).isoformat(),
            "phase": self.phase,
            "hub": {"up": self.hub.up, "pid": self.hub.pid, "restarts": self.hub.restarts},
            "link": {"up": self.link.up, "delay_ms": self.ward.link.delay_ms, "loss": self.ward.link.loss},
            "boards": self.world.board_states(),
            "amplifiers": self.world.amplifier_states(),
            "zones": self.world.zone_states(),
            "timeline": list(self.timeline),
            "bulletins": [state(case, self.zero_ms) for case in self.cases],
            "story": {"length_s": self.length_s, "steps": self.steps()},
        }

    async def _build(self) -> None:
        enter, ward = self._stack.enter_async_context, self.ward
        self.hub.folder.mkdir(parents=True, exist_ok=True)
        await enter(self.world)
        if self._keep:
            self.offices.save(self.hub.folder / "offices")
        self.channels = Channels.made(self.hub.folder / "source.pem")
        self.source = await enter(
            Source(
                beat_signer=self.offices.sign_beat,
                root=[self.offices.root()],
                grants=[self.offices.grants()],
                hub_keys={},
                channels=self.channels,
                bind=("127.0.0.1", 0),
                on_event=self._source_event,
            )
        )
        if self._keep:
            self._stack.callback(self.source.save_receipts, self.hub.folder / "receipts")
        self.link = await enter(
            LossyLink(
                self.source.address,
                delay_s=ward.link.delay_ms / 1000,
                jitter_s=ward.link.jitter_ms / 1000,
                loss=ward.link.loss,
                seed=ward.seed,
            )
        )
        self.hub.write_config(ward, self.link.uri, self.world.ports, self._airing)
        await self.enrol()
        self._push_task(self.world.listen())
        self._push_task(self.world.fail())
        await self.hub.start()
        self._stack.push_async_callback(self.hub.stop)
        self._push_task(self._keep_hub())
        await self.hub.wait_for_log("ready: hub")
        self.note("hub", "Thiết bị trung tâm đã sẵn sàng", "The hub is ready", "good")
        tty = self.world.tools_port
        self.note("tools", f"Cổng cho công cụ ngoài trên RS-485: {tty}", f"A port for tools on the RS-485 line: {tty}")

    async def _keep_hub(self) -> None:
        """Start the agent again when it ends unasked, as systemd does on a hub."""
        while True:
            await self.hub.ended()
            if self.hub.wanted:
                self.note("hub", "Phần mềm thiết bị dừng đột ngột", "The agent ended unasked", "alarm")
                await asyncio.sleep(RESTART_S)
                if self.hub.wanted:
                    await self.hub.start()
                    self.note("hub", "Phần mềm thiết bị khởi động lại", "The agent was started again", "warn")
            else:
                await asyncio.sleep(RESTART_S)

    def _push_task(self, work: Coroutine[None, None, None]) -> None:
        """Run `work` until the stage comes down."""
        task = asyncio.create_task(work)

        async def end() -> None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

        self._stack.push_async_callback(end)

    def _source_event(self, event: object) -> None:
        if isinstance(event, Receipt):
            self._receipt(event)
        if isinstance(event, ChainBreak):
            vi = f"Biên nhận {event.sequence} của {event.hub} mâu thuẫn với các biên nhận trước: nhật ký đã bị sửa?"
            self.note("receipt", vi, str(event), "alarm")

    def _receipt(self, receipt: Receipt) -> None:
        vi, en, severity = EVENTS[receipt.event]
        case = next((one for one in reversed(self.cases) if one.claims(receipt)), None)
        about = receipt.statement.hex()[:16] if any(receipt.statement) else receipt.detail
        what = case.bulletin.title if case else about
        status = receipt.status or (case.bulletin.status if case else Status.ACTUAL)
        in_vi, in_en = marked(status, what)
        why = f" ({receipt.reason.word})" if receipt.reason else ""
        if case is not None:
            case.receipts.append(receipt)
        self.note("receipt", f"Biên nhận: {vi}{why}: {in_vi}", f"Receipt: {en}{why}: {in_en}", severity)
