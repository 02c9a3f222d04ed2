"""One LED board as an output: shows what is wanted, compares what is really lit, and darkens when in doubt."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from ward_hub.alarm_words import Code, Detail, detail
from ward_hub.clock import Clock
from ward_hw.drivers.board import Board, BoardIdent, Show
from ward_hw.errors import HardwareError
from ward_protocol.portable.board import STATE_SHOWING
from ward_protocol.statements import BoardEvidence

log = logging.getLogger(__name__)
COMPARE_S = 1.0
RETRY_S = 1.0
LOOK_S = 3.0  # how often a board that is to be dark is looked at
SILENT_S = 15.0  # how often one that does not answer, and has nothing to show
Layout = Callable[[BoardIdent], Show | None]


@dataclass(slots=True)
class BoardTrack:
    """What is measured of one board during one airing; moments are Unix milliseconds, 0 for never.

    `lit_until` is when, by the loop's time, the lease ends that was given last.
    """

    board: str
    shown_ms: int = 0
    ended_ms: int = 0
    compared: int = 0
    agreed: int = 0
    digest: bytes = b""
    lit_until: float | None = None

    def note_darkness(self) -> None:
        """Count as compared in vain that it could not be read for so long that its lease ended: it was dark then."""
        if self.lit_until is not None and asyncio.get_running_loop().time() > self.lit_until:
            self.compared += 1
            self.lit_until = None

    def evidence(self) -> BoardEvidence:
        """Return what goes into the receipt."""
        return BoardEvidence(self.board, self.shown_ms, self.ended_ms, self.compared, self.agreed, self.digest)


class BoardOutput:
    """Drives one board for the player; `run` does the talking, so a slow board holds nobody up.

    `tampered` hears of what somebody else made it show.
    """

    def __init__(
        self, board_id: str, board: Board, clock: Clock, tampered: Callable[[Detail], None] = lambda _what: None
    ) -> None:
        self.id = board_id
        self._tampered = tampered
        self.ident: BoardIdent | None = None
        self._board = board
        self._clock = clock
        self._wanted: Show | None = None
        self._make: Layout | None = None
        self._track = BoardTrack(board_id)
        self._on_board: int | None = None
        self._silent = False
        self._changed = asyncio.Event()

    def present(self, make: Layout) -> Show | None:
        """Begin a new airing with the show that `make` lays out; what was shown before stays until the board has it.

        Returns the show, None where there is none for this board, or not before the board has said what it is.
        """
        self._end()
        self._make, self._track = make, BoardTrack(self.id)
        self._wanted = make(self.ident) if self.ident else None
        self._changed.set()
        return self._wanted

    def clear(self) -> None:
        """End the airing and darken the board."""
        self._end()
        self._wanted = self._make = None
        self._changed.set()

    def end_track(self) -> BoardTrack:
        """Return what was measured since `present`, ended now at the latest."""
        self._end()
        return self._track

    def summary(self) -> dict[str, object]:
        """Return what is known of it, for a person."""
        size = None if self.ident is None else f"{self.ident.width} × {self.ident.height}"
        return {"id": self.id, "size": size, "showing": self._track.shown_ms > 0 and not self._track.ended_ms}

    async def run(self) -> None:
        """Bring the board to what is wanted and compare what it shows, until cancelled."""
        self._on_board = -1
        while True:
            self._changed.clear()
            try:
                pause = await self._step()
            except HardwareError as error:
                idle = self._make is None
                if not (idle and self._silent):
                    log.warning("%s", error)
                # Whatever comes back may be dark, or another board.
                self._on_board, self.ident, self._silent = -1, None, True
                pause = SILENT_S if idle else RETRY_S
            try:
                async with asyncio.timeout(pause):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def make_safe(self) -> None:
        """Darken the board at the agent's end; raises HardwareError where it does not answer."""
        self.clear()
        await self._board.blank()

    async def _step(self) -> float | None:
        if self.ident is None:
            self.ident = await self._board.ident()
            self._wanted = self._make(self.ident) if self._make else None
        wanted, track = self._wanted, self._track
        if wanted is None:
            if self._on_board is not None or not (await self._board.verify()).matches:
                self._tell_if_not_ours()
                await self._board.blank()
                self._on_board = None
            self._silent = False
            return LOOK_S
        self._silent = False
        if self._on_board != wanted.show_id:
            track.note_darkness()
            await self._board.show(wanted)
            track.lit_until = asyncio.get_running_loop().time() + wanted.lease_ms / 1000
            self._on_board = wanted.show_id
            track.shown_ms = track.shown_ms or self._clock.ms()
        await self._compare(wanted, track)
        return COMPARE_S

    async def _compare(self, wanted: Show, track: BoardTrack) -> None:
        seen = await self._board.verify()
        if track.ended_ms:
            return
        track.note_darkness()
        track.compared += 1
        track.digest = seen.digest
        if seen.matches and seen.show_id == wanted.show_id:
            track.agreed += 1
            asked = asyncio.get_running_loop().time()
            await self._board.renew(wanted.lease_ms)
            track.lit_until = asked + wanted.lease_ms / 1000
        else:
            log.error("board %s does not show what it was sent: darkened, and sent again", self.id)
            if seen.state == STATE_SHOWING:  # one that restarted or lost its lease is dark
                self._tampered(detail(Code.BOARD_SHOWS_OTHER, board=self.id))
            await self._board.blank()
            self._on_board = -1

    def _tell_if_not_ours(self) -> None:
        if self._on_board is None:
            log.error("board %s shows what this hub did not send: darkened", self.id)
            self._tampered(detail(Code.BOARD_NOT_DARK, board=self.id))

    def _end(self) -> None:
        if not self._track.ended_ms:
            self._track.note_darkness()
        self._track.ended_ms = self._track.ended_ms or self._clock.ms()
