"""One airing on this hub's outputs: boards and loudspeakers begin together and fail apart."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from ward_hub.config import AiringSection
from ward_hub.holds import OPEN, Closed
from ward_hub.playout.amplifiers import AmplifierOutput
from ward_hub.playout.boards import BoardOutput
from ward_hub.playout.live import Live
from ward_hub.playout.outcome import Outcome, judge
from ward_hub.playout.sound import Heard, Sound
from ward_hub.render import RenderError
from ward_hub.render.layout import board_show, period_s
from ward_hub.streams import Ordered
from ward_hub.versions import text_for
from ward_hw.drivers.board import BoardIdent, Show
from ward_hw.errors import HardwareError
from ward_protocol.reasons import Reason
from ward_protocol.statements import Bulletin, Evidence, Priority, Text

log = logging.getLogger(__name__)
GRACE_S = 0.5
LONGEST_HOLD_S = 180.0


class Player:
    """Puts one bulletin at a time on air; the caller cancels `air` to cut it short."""

    def __init__(
        self,
        *,
        amplifiers: Sequence[AmplifierOutput],
        boards: Sequence[BoardOutput],
        sound: Sound,
        live: Live,
        settings: AiringSection,
        language: str,
        first_show_id: int,
    ) -> None:
        self._amplifiers = amplifiers
        self._boards = boards
        self._sound = sound
        self._live = live
        self._settings = settings
        self._language = language
        self._show_id = first_show_id
        self._heard = Heard()
        self._on_boards: list[BoardOutput] = []
        self._unshowable: tuple[Reason, str] | None = None
        self._shut, self._shut_out = OPEN, list[str]()

    async def air(
        self,
        bulletin: Bulletin,
        recording: Callable[[], Awaitable[Path | None]],
        shut: Closed = OPEN,
        stream: Ordered | None = None,
        notices: Sequence[str] = (),
    ) -> None:
        """Carry the bulletin to its audience and return when it has ended; `outcome` then says what came of it.

        What is `shut` by orders is left out, and the outcome says so. A `stream` sounds in place of what the bulletin
        holds. `notices` are sentences in the hub's language, spoken before the content of every repeat.

        Cancelled, the sound stops at once and relays and boards stay as they are for the airing that follows, or
        for `release`.
        """
        self._heard, self._shut, self._shut_out, self._unshowable = Heard(), shut, [], None
        urgent = bulletin.priority is Priority.EMERGENCY
        async with asyncio.TaskGroup() as group:
            hold = self._present(bulletin)
            group.create_task(self._hold(hold), name="boards")
            play = partial(self._play, bulletin, recording, stream, notices)
            group.create_task(self._sound_out(bulletin, play, urgent), name="sound")

    async def release(self) -> None:
        """Open all relays and darken all boards."""
        for board in self._boards:
            board.clear()
        await self._open()

    def outcome(self, attempts: int) -> Outcome:
        """Say what came of the airing that just ended or was cut short; it ends and forgets the measurements."""
        heard, self._heard = self._heard, Heard()
        boards, self._on_boards = self._on_boards, []
        unshowable, self._unshowable = self._unshowable, None
        tracks = [track for one in self._amplifiers for track in one.end_tracks()]
        evidence = Evidence(
            zones=tuple(track.evidence() for track in tracks),
            boards=tuple(board.end_track().evidence() for board in boards),
            played_ms=heard.played_ms,
            requested_ms=heard.requested_ms,
            attempts=attempts,
        )
        shut_out, self._shut_out = self._shut_out, []
        closed = f"closed by {' and '.join(self._shut.by)}: {', '.join(shut_out)}"
        silenced = (Reason.SILENCED, closed) if shut_out else None
        causes = {track.zone: track.cause for track in tracks}
        return replace(judge(evidence, heard.trouble or unshowable or silenced, causes), remark=heard.remark)

    def is_over(self, stream: Ordered | None) -> bool:
        """Say whether that is a stream whose time was up in an earlier airing."""
        return stream is not None and self._live.is_over(stream.order)

    def is_shut_out(self, bulletin: Bulletin, shut: Closed) -> bool:
        """Say whether `shut` closes all that a bulletin could use here; not where there is nothing of that anyway."""
        zones = [zone for one in self._amplifiers for zone in _meant(one, bulletin)]
        shows = text_for(bulletin, self._language) is not None
        boards = [one.id for one in self._boards if shows and _is_meant(one, bulletin)]
        return bool(zones or boards) and all(map(shut.to_zone, zones)) and all(map(shut.to_board, boards))

    # Boards

    def _present(self, bulletin: Bulletin) -> float:
        """Put the text on the boards of the audience, darken the others; return for how long to show it, seconds."""
        text = text_for(bulletin, self._language)
        hold, self._on_boards = 0.0, []
        for board in self._boards:
            if text is None or not _is_meant(board, bulletin):
                board.clear()
                continue
            if self._shut.to_board(board.id):
                self._shut_out.append(board.id)
                board.clear()
                continue
            show = board.present(partial(self._show, bulletin, text, board.id))
            self._on_boards.append(board)
            hold = max(hold, period_s(show) if show else 0.0, self._settings.board_hold_ms / 1000)
        return min(hold, LONGEST_HOLD_S)

    def _show(self, bulletin: Bulletin, text: Text, board: str, ident: BoardIdent) -> Show | None:
        self._show_id = (self._show_id + 1) % 2**32
        try:
            return board_show(
                text.title,
                text.body,
                width=ident.width,
                height=ident.height,
                priority=bulletin.priority,
                status=bulletin.status,
                show_id=self._show_id,
                lease_ms=self._settings.board_lease_ms,
                strip_bytes=ident.memory,
            )
        except RenderError as error:
            log.error("board %s: %s", board, error)
            self._unshowable = (Reason.TEXT_TOO_LONG, f"board {board}: {error}")
            return None

    async def _hold(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    # Loudspeakers

    async def _sound_out(
        self,
        bulletin: Bulletin,
        play: Callable[[], Awaitable[None]],
        urgent: bool,
    ) -> None:
        async with asyncio.TaskGroup() as group:
            carrying = [
                group.create_task(self._carry(one, self._zones(one, bulletin), urgent)) for one in self._amplifiers
            ]
            if await _first_good(carrying):
                await asyncio.wait(carrying, timeout=GRACE_S)
                await play()
                await asyncio.sleep(self._settings.tail_ms / 1000)
                for late in carrying:  # there is nothing left to carry
                    late.cancel()
        await self._open()

    async def _play(
        self,
        bulletin: Bulletin,
        recording: Callable[[], Awaitable[Path | None]],
        stream: Ordered | None,
        notices: Sequence[str],
    ) -> None:
        if stream is not None:
            await self._live.play(stream, self._heard, priority=bulletin.priority, status=bulletin.status)
            return
        gap_s = self._settings.repeat_gap_ms / 1000
        await self._sound.play(bulletin, recording, self._heard, gap_s, notices)

    def _zones(self, amplifier: AmplifierOutput, bulletin: Bulletin) -> list[str]:
        zones = _meant(amplifier, bulletin)
        self._shut_out += [zone for zone in zones if self._shut.to_zone(zone)]
        return [zone for zone in zones if not self._shut.to_zone(zone)]

    async def _carry(self, amplifier: AmplifierOutput, zones: list[str], urgent: bool) -> bool:
        try:
            await amplifier.carry(zones, urgent=urgent)
        except HardwareError as error:
            log.error("%s", error)
            return False
        return bool(zones)

    async def _open(self) -> None:
        async def one(amplifier: AmplifierOutput) -> None:
            try:
                await amplifier.release()
            except HardwareError as error:
                log.error("%s", error)

        async with asyncio.TaskGroup() as group:
            for amplifier in self._amplifiers:
                group.create_task(one(amplifier))


def _meant(amplifier: AmplifierOutput, bulletin: Bulletin) -> list[str]:
    wanted = bulletin.audience.zones
    return [zone for zone in amplifier.zones if not wanted or zone in wanted]


def _is_meant(board: BoardOutput, bulletin: Bulletin) -> bool:
    return not bulletin.audience.boards or board.id in bulletin.audience.boards


async def _first_good(tasks: list[asyncio.Task[bool]]) -> bool:
    """Wait until one of the amplifiers carries the airing, or all have failed."""
    for done in asyncio.as_completed(tasks):
        if await done:
            return True
    return False
