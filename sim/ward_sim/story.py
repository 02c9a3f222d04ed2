"""The two-minute story: what happens in the ward, and what must come of each step.

A normal bulletin airs; an emergency pre-empts it; a forged and a replayed bulletin are refused; the network drops and
returns. Each step waits for what it needs, with a deadline, and is judged by receipts and by the witness.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from ward_protocol.envelope import Envelope
from ward_protocol.reasons import Reason
from ward_protocol.statements import Audience, Event
from ward_sim.announcer import announce
from ward_sim.bulletins import StoryBulletin, StoryContent, load_story
from ward_sim.cases import Case
from ward_sim.offices import PROVINCE, WARD, Recording
from ward_sim.page.snapshot import Severity, StoryStep
from ward_sim.stage import Stage
from ward_sim.words import marked
from ward_sim.world import now_ms

LENGTH_S = 120.0
PREEMPT_MS = 1000
AIR_S = 60.0
SOON_S = 20.0
CALM_S = 3.0
OUTAGE_S = 8.0
WATCH_S = 0.05


@dataclass(slots=True)
class Step:
    """One step: when it is about due (seconds), what it is in both languages, and whether it went well."""

    t: float
    vi: str
    en: str
    ok: bool | None = None


STEPS = (
    (0, "Thiết bị khởi động và nghe nguồn", "The hub starts and follows the source"),
    (8, "Bản tin thường phát trên loa và bảng", "A normal bulletin airs with sound and text"),
    (16, "Tin khẩn cấp chen ngang trong một giây", "An emergency pre-empts it within a second"),
    (44, "Tin khẩn cấp phát trọn vẹn", "The emergency airs to its end"),
    (50, "Bản tin giả mạo bị từ chối", "A forged bulletin is refused"),
    (52, "Bản tin phát lại bị từ chối", "A replayed bulletin is refused"),
    (70, "Bản tin bị chen ngang được phát lại trọn vẹn", "The bulletin cut short airs again, whole"),
    (72, "Mạng mất: bản tin mới phải chờ", "The network drops: a new bulletin has to wait"),
    (100, "Mạng trở lại: không mất gì", "The network returns: nothing is lost"),
    (118, "Mọi rơ-le mở, mọi bảng tối", "Every relay is open, every board dark"),
)


class Story:
    """Plays the story on a stage; `steps` and `stage.cases` hold what came of it."""

    def __init__(self, stage: Stage, content: StoryContent | None = None) -> None:
        self.steps = [Step(*one) for one in STEPS]
        self._stage = stage
        self._content = content or load_story()
        self._recordings: dict[str, Recording] = {}

    @property
    def good(self) -> bool:
        """Whether every step went well and nothing contradicts a receipt."""
        return all(step.ok for step in self.steps) and not any(
            case.problems(self._stage.world.witness) for case in self._stage.cases
        )

    def snapshot(self) -> list[StoryStep]:
        """Return the steps as the page draws them."""
        return [
            {"t": step.t, "vi": step.vi, "en": step.en, "done": step.ok is not None, "ok": step.ok}
            for step in self.steps
        ]

    async def prepare(self) -> None:
        """Record what the source will publish; raises AnnouncerError."""
        for part in (self._content.normal, self._content.emergency, self._content.after_outage):
            self._recordings[part.name] = await announce(part.spoken())

    async def play(self) -> None:
        """Play all steps; one that fails does not stop the next."""
        parts = (
            self._hub_is_ready, self._normal_airs, self._emergency_preempts, self._emergency_ends, self._forged,
            self._replayed, self._normal_again, self._outage, self._return, self._all_quiet,
        )  # fmt: skip
        for step, part in zip(self.steps, parts, strict=True):
            step.ok = await part()
            self._note(step.vi, step.en, "good" if step.ok else "alarm")
        self._stage.phase = "end"

    async def _hub_is_ready(self) -> bool:
        self._stage.phase = "idle"
        return await self._until(
            lambda: self._stage.hub.up and "grants 1 are in force" in self._stage.hub.tail(), SOON_S
        )

    async def _normal_airs(self) -> bool:
        self._stage.phase = "normal"
        zones = self._stage.ward.zones
        self._normal = self._publish(self._content.normal, WARD, zones=tuple(zones[:-1]))
        aired = await self._until(lambda: self._on_air(zones[0]), SOON_S)
        await asyncio.sleep(CALM_S)
        return aired and self._on_air(zones[0])

    async def _emergency_preempts(self) -> bool:
        self._stage.phase = "emergency"
        self._emergency = self._publish(self._content.emergency, PROVINCE)
        begun, last = self._emergency.published_ms, self._stage.ward.zones[-1]
        witness = self._stage.world.witness
        await self._until(lambda: witness.first_closing(last, begun) is not None, SOON_S)
        closed = witness.first_closing(last, begun)
        if closed is None:
            return False
        took = closed - begun
        self._note(
            f"Rơ-le của {last} đóng {took} ms sau khi phát hành",
            f"The relay of {last} closed {took} ms after publishing",
        )
        return took <= PREEMPT_MS

    async def _emergency_ends(self) -> bool:
        return await self._aired(self._emergency)

    async def _forged(self) -> bool:
        self._stage.phase = "attack"
        stage = self._stage
        audience = Audience((stage.ward.area,))
        data = stage.offices.forge(PROVINCE, self._content.forged, audience, int(time.time()))
        case = stage.attack("forged", data, Reason.UNKNOWN_KEY, PROVINCE, stage.source.heads[PROVINCE] + 1)
        return await self._refused(case)

    async def _replayed(self) -> bool:
        stage = self._stage
        data = self._emergency.envelope.data
        case = stage.attack("replayed", data, Reason.REPLAYED, PROVINCE, stage.source.heads[PROVINCE] + 1)
        return await self._refused(case)

    async def _normal_again(self) -> bool:
        self._stage.phase = "normal"
        return await self._aired(self._normal)

    async def _outage(self) -> bool:
        stage = self._stage
        stage.phase = "offline"
        stage.link.up = False
        self._note("Mất kết nối tới nguồn", "The link to the source is down", "warn")
        self._late = self._publish(self._content.after_outage, WARD)
        await asyncio.sleep(OUTAGE_S)
        return not self._late.receipts

    async def _return(self) -> bool:
        stage = self._stage
        stage.phase = "recovery"
        stage.link.up = True
        self._note("Kết nối trở lại", "The link is back")
        return await self._aired(self._late)

    async def _all_quiet(self) -> bool:
        world = self._stage.world
        return await self._until(
            lambda: (
                not any(any(one.relays) for one in world.amplifiers.values())
                and not any(any(board.frame) for board in world.boards.values())
            ),
            SOON_S,
        )

    def _publish(self, part: StoryBulletin, issuer: str, zones: tuple[str, ...] = ()) -> Case:
        stage = self._stage
        audience = Audience((stage.ward.area,), zones=zones)
        recording = self._recordings[part.name]
        stage.source.put_media(recording.data)
        data = stage.offices.issue(issuer, part, audience, int(time.time()), recording)
        case = Case(part.name, Envelope.open(data), now_ms(), Event.AIRED)
        stage.cases.append(case)
        stage.source.publish(data)
        vi, en = marked(case.bulletin.status, case.bulletin.title)
        self._note(f"Nguồn phát hành: {vi}", f"Published: {en}")
        return case

    def _on_air(self, zone: str) -> bool:
        states = {one["id"]: one for one in self._stage.world.zone_states()}
        lit = any(any(board.frame) for board in self._stage.world.boards.values())
        return states[zone]["level_db"] is not None and lit

    async def _aired(self, case: Case) -> bool:
        ended = await self._until(lambda: case.ended is not None, AIR_S)
        return ended and not case.problems(self._stage.world.witness)

    async def _refused(self, case: Case) -> bool:
        ended = await self._until(lambda: case.ended is not None, SOON_S)
        return ended and not case.problems(self._stage.world.witness) and not case.last(Event.AIRED, Event.PARTLY)

    async def _until(self, true: Callable[[], bool], seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                while not true():  # noqa: ASYNC110 - relays, frames, sound and receipts have no one event in common
                    await asyncio.sleep(WATCH_S)
        except TimeoutError:
            return False
        return True

    def _note(self, vi: str, en: str, severity: Severity = "info") -> None:
        self._stage.note("story", vi, en, severity)
