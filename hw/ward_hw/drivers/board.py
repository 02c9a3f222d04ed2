"""The LED board driver: uploads strips, swaps shows in at once, and proves what is lit.

A show is a lease like a closed relay: without `renew` the board goes dark after ``lease_ms``.
"""

from __future__ import annotations

import asyncio
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from ward_hw.drivers.board_link import BoardLink
from ward_hw.drivers.picture import Bitmap, Show, Window, compose, digest
from ward_hw.errors import MisuseError, PeerError, Superseded
from ward_hw.serial_port import open_tty
from ward_protocol.portable import board as wire

if TYPE_CHECKING:
    from types import TracebackType

    from ward_hw.ports import Clock, SerialOpener

__all__ = ["Bitmap", "Board", "BoardIdent", "BoardStatus", "Show", "ShownEvidence", "Window"]

_BUDGET_S = 2.0
_LONGEST_FRAME_S = 0.1  # wire time of one DATA: so long may a blank order have to wait
_OVERHEAD = 16  # bytes of a DATA frame around the strip's bytes


@dataclass(frozen=True, slots=True)
class BoardIdent:
    """What a board is; ``memory`` is the bytes one set of strips may take, ``serial`` 8 bytes."""

    width: int
    height: int
    version: int
    memory: int
    reset_cause: int
    serial: bytes


@dataclass(frozen=True, slots=True)
class BoardStatus:
    """What a board does; ``state`` as STATE_* in ward_protocol.portable.board, ``digest`` of the frame lit now."""

    show_id: int
    state: int
    lease_left_ms: int
    uptime_s: int
    offsets: tuple[int, ...]
    digest: bytes
    at: float


@dataclass(frozen=True, slots=True)
class ShownEvidence:
    """A board's account of its frame buffer against ours; ``matches`` only for the show last ordered."""

    show_id: int
    state: int
    matches: bool
    digest: bytes
    at: float


class Board:
    """One board on its own serial line. Use as an async context manager. ``clock`` stamps what is read.

    Every method raises LinkError (LinkTimeout) or PeerError, and ends within its ``budget_s``.
    """

    def __init__(
        self, name: str, port: str, baudrate: int, *, clock: Clock, opener: SerialOpener | None = None
    ) -> None:
        self.name = name
        self._link = BoardLink(name, port, baudrate, opener=opener or open_tty)
        self._clock = clock
        self._chunk = max(32, min(wire.MAX_DATA, int(_LONGEST_FRAME_S * baudrate / 10) - _OVERHEAD))
        self._ident: BoardIdent | None = None
        self._show: Show | None = None
        self._orders = 0  # counts show and blank orders: an upload that is not the newest stops

    async def __aenter__(self) -> Self:
        await self._link.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._link.__aexit__(kind, error, trace)

    async def ident(self, *, budget_s: float = _BUDGET_S) -> BoardIdent:
        """Ask the board what it is."""
        body = await self._ask(wire.IDENT, b"", "ident", _deadline(budget_s))
        try:
            self._ident = BoardIdent(*wire.unpack_ident(body))
        except ValueError as error:
            raise self._nonsense("ident", error) from error
        return self._ident

    async def show(self, show: Show, *, budget_s: float | None = None) -> None:
        """Upload the strips and swap the show in; until then the board keeps showing what it shows.

        ``budget_s`` defaults to twice the wire time and two seconds. Raises MisuseError when the show does
        not fit the board, Superseded when another `show` or a `blank` came meanwhile.
        """
        self._orders += 1
        order = self._orders
        size = sum(len(window.strip.rows) for window in show.windows)
        deadline = _deadline(budget_s or _BUDGET_S + 2 * 10 * size / self._link.baudrate)
        self._check(show, self._ident or await self.ident(budget_s=_BUDGET_S))
        windows: list[wire.Window] = []
        for slot, window in enumerate(show.windows):
            await self._upload(slot, window.strip, order, deadline)
            windows.append(_on_the_wire(slot, window))
        self._stop_if_old(order)
        body = wire.pack_show(wire.Show(show.show_id, show.lease_ms, tuple(windows)))
        await self._ask(wire.SHOW, body, f"show {show.show_id}", deadline)
        if order == self._orders:
            self._show = show

    async def renew(self, lease_ms: int, *, budget_s: float = _BUDGET_S) -> None:
        """Let the show last ordered live on; PeerError with code BAD_FIELD when the board shows another or none."""
        if self._show is None:
            raise MisuseError(self.name, "renew", "nothing was shown", remedy="order a show first")
        body = wire.pack_renew(wire.Renew(self._show.show_id, lease_ms))
        await self._ask(wire.RENEW, body, f"renew {self._show.show_id}", _deadline(budget_s))

    async def blank(self, *, budget_s: float = _BUDGET_S) -> None:
        """Go dark; an upload under way is given up."""
        self._orders += 1
        self._show = None
        await self._ask(wire.BLANK, b"", "blank", _deadline(budget_s))

    async def status(self, *, budget_s: float = _BUDGET_S) -> BoardStatus:
        """Ask the board what it does."""
        body = await self._ask(wire.STATUS, b"", "status", _deadline(budget_s))
        try:
            return BoardStatus(*wire.unpack_status(body), self._clock())
        except ValueError as error:
            raise self._nonsense("status", error) from error

    async def verify(self, *, budget_s: float = _BUDGET_S) -> ShownEvidence:
        """Compare the digest of the lit frame with the one that our own composition gives for the offsets told.

        After `blank` (or before any show) a dark frame matches.
        """
        ident = self._ident or await self.ident(budget_s=budget_s)
        status = await self.status(budget_s=budget_s)
        return ShownEvidence(status.show_id, status.state, self._matches(status, ident), status.digest, status.at)

    def _matches(self, status: BoardStatus, ident: BoardIdent) -> bool:
        show = self._show
        windows = () if show is None else show.windows
        if show is not None and (status.state, status.show_id) != (wire.STATE_SHOWING, show.show_id):
            return False
        if len(status.offsets) != len(windows) or not all(
            0 <= offset < window.strip.width + window.w for offset, window in zip(status.offsets, windows, strict=True)
        ):
            return False
        return status.digest == digest(compose(ident.width, ident.height, windows, status.offsets))

    async def _upload(self, slot: int, strip: Bitmap, order: int, deadline: float) -> None:
        self._stop_if_old(order)
        what = f"upload strip {slot}"
        await self._ask(wire.STRIP, wire.pack_strip(wire.Strip(slot, strip.width, strip.height)), what, deadline)
        for offset in range(0, len(strip.rows), self._chunk):
            self._stop_if_old(order)
            data = wire.Data(slot, offset, strip.rows[offset : offset + self._chunk])
            await self._ask(wire.DATA, wire.pack_data(data), what, deadline)

    def _stop_if_old(self, order: int) -> None:
        if order != self._orders:
            raise Superseded(self.name, "show", "a newer order came", remedy="nothing, the newer one stands")

    async def _ask(self, op: int, body: bytes, what: str, deadline: float) -> bytes:
        return await self._link.request(op, body, what=what, deadline=deadline)

    def _check(self, show: Show, ident: BoardIdent) -> None:
        problem = None
        if len(show.windows) > wire.SLOTS:
            problem = f"{len(show.windows)} windows, a board has {wire.SLOTS}"
        elif not 1 <= show.lease_ms <= wire.MAX_LEASE_MS:
            problem = f"lease of {show.lease_ms} ms, the longest is {wire.MAX_LEASE_MS}"
        elif sum(len(window.strip.rows) for window in show.windows) > ident.memory:
            problem = f"strips of more than {ident.memory} bytes"
        for window in show.windows:
            if not _inside(window, ident):
                problem = f"a window outside the board of {ident.width} x {ident.height}"
            elif window.strip.width + window.w > wire.MAX_PERIOD:
                problem = f"a strip of {window.strip.width} pixels is too long"
        if problem is not None:
            raise MisuseError(self.name, f"show {show.show_id}", problem, remedy="lay the text out anew")

    def _nonsense(self, what: str, error: ValueError) -> PeerError:
        return PeerError(self.name, what, f"answer makes no sense ({error})", remedy="update the firmware")


def _deadline(budget_s: float) -> float:
    return asyncio.get_running_loop().time() + budget_s


def _inside(window: Window, ident: BoardIdent) -> bool:
    across = window.x >= 0 and window.w >= 1 and window.x + window.w <= ident.width
    down = window.y >= 0 and window.h >= 1 and window.y + window.h <= ident.height
    return across and down


def _on_the_wire(slot: int, window: Window) -> wire.Window:
    mode = wire.MODE_SCROLL if window.scroll_px_s else wire.MODE_STATIC
    crc = binascii.crc32(window.strip.rows)
    return wire.Window(slot, crc, window.x, window.y, window.w, window.h, mode, window.scroll_px_s)
