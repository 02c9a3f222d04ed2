"""The board controller without its pins: bytes and time in, bytes and frames out. Never waits.

Messages and the rules of a show are those of `ward_protocol.portable.board`.
"""

import hashlib

from ward_firmware.board.canvas import Placed, compose
from ward_firmware.board.hub12 import MODULE_HEIGHT, MODULE_WIDTH
from ward_firmware.board.strips import StripSet, Trouble
from ward_firmware.ticks import Uptime
from ward_protocol.portable import board as messages
from ward_protocol.portable import link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ward_firmware.configuration import Configuration
    from ward_firmware.start import Start
    from ward_protocol.portable.board import Window

VERSION = 0x0101
STRIP_MEMORY = 32768
IDLE_WAIT_MS = 100
FRAME_US = 20000
"""Shortest time between two pictures: 50 a second are smooth, and leave time for the line."""


class Board:
    """A board as `configuration` has it. `frame` is what is lit; its owner hands it to the panel.

    `restart_wanted` once a master has asked for that.
    """

    def __init__(self, configuration: "Configuration", start: "Start", now_us: int) -> None:
        self.restart_wanted = False
        self.width = configuration.active[1] * MODULE_WIDTH
        self.height = configuration.active[2] * MODULE_HEIGHT
        self.frame = bytes(self.width // 8 * self.height)
        self._configuration = configuration
        self._start = start
        self._uptime = Uptime(now_us)
        self._link = link.Deframer()
        self._pending = StripSet(STRIP_MEMORY)
        self._show_id = 0
        self._state = messages.STATE_BLANK
        self._shown_body = b""
        self._placed: list[Placed] = []
        self._ends_ms = 0
        self._stale_us = 0

    def rx(self, data: bytes, now_us: int) -> bytes:
        """Take received bytes; returns what to send, mostly nothing."""
        self.tick(now_us)
        answers = b""
        for frame in self._link.feed(data):
            try:
                status, body = messages.OK, self._answer(frame.op, frame.body)
            except Trouble as trouble:
                status, body = trouble.status, b""
            except ValueError:
                status, body = messages.BAD_FIELD, b""
            answers += link.encode(frame.seq, frame.op | messages.REPLY, bytes((status,)) + body)
        return answers

    def tick(self, now_us: int) -> None:
        """Let time pass: scrolls, and blanks the board when its lease ends."""
        passed = self._uptime.advance(now_us)
        if self._state != messages.STATE_SHOWING:
            return
        if self._uptime.ms >= self._ends_ms:
            self._blank(messages.STATE_LEASE_OUT)
            return
        self._stale_us += passed
        # Offsets move only together with the picture, so that a STATUS always tells of one moment.
        if self._stale_us >= FRAME_US:
            moved = [placed.advance(self._stale_us) for placed in self._placed]
            self._stale_us = 0
            if True in moved:
                self._compose()

    def wait_ms(self) -> int:
        """How long the caller may sleep for input before the next `tick`."""
        if self._state != messages.STATE_SHOWING:
            return IDLE_WAIT_MS
        wait = min(IDLE_WAIT_MS, self._ends_ms - self._uptime.ms)
        for placed in self._placed:
            if placed.scrolls:
                due_us = max(FRAME_US, placed.pixel_us()) - self._stale_us
                wait = min(wait, due_us // 1000 + 1)
        return max(1, wait)

    def _answer(self, op: int, body: bytes) -> bytes:
        if op == messages.STRIP:
            self._pending.allocate(messages.unpack_strip(body))
        elif op == messages.DATA:
            self._pending.fill(messages.unpack_data(body))
        elif op == messages.SHOW:
            self._show(body)
        elif op == messages.RENEW:
            self._renew(messages.unpack_renew(body))
        elif op in (messages.IDENT, messages.STATUS, messages.BLANK):
            return self._bare(op, body)
        elif op in (messages.INFO, messages.CONFIGURE, messages.RESTART):
            return self._service(op, body)
        else:
            raise Trouble(messages.BAD_OP)
        return b""

    def _service(self, op: int, body: bytes) -> bytes:
        """What a technician asks: nothing of it touches a show."""
        if op == messages.INFO:
            if body:
                raise Trouble(messages.BAD_FIELD)
            start = self._start
            flags = _flags(self._configuration)
            return messages.pack_info(messages.Info(start.boots, self._link.good, self._link.bad, flags, start.model))
        if op == messages.CONFIGURE and not body:
            return messages.pack_config(messages.Config(*self._configuration.staged))
        config = messages.unpack_config(body) if op == messages.CONFIGURE else None
        if config is None and body != messages.pack_restart():
            raise Trouble(messages.BAD_FIELD)
        if self._state == messages.STATE_SHOWING:
            raise Trouble(messages.NOT_NOW)
        if config is None:
            self.restart_wanted = True
        else:
            self._configure(config)
        return b""

    def _configure(self, config: messages.Config) -> None:
        for index, value in enumerate(config):
            if not messages.config_valid(index, value):
                raise Trouble(messages.BAD_FIELD)
        before = self._configuration.staged
        self._configuration.staged = list(config)
        try:
            self._configuration.commit()
        except OSError:
            self._configuration.staged = before
            raise Trouble(messages.NOT_NOW)  # noqa: B904 - MicroPython keeps no cause

    def _bare(self, op: int, body: bytes) -> bytes:
        if body:
            raise Trouble(messages.BAD_FIELD)
        if op == messages.IDENT:
            start = self._start
            ident = messages.Ident(self.width, self.height, VERSION, STRIP_MEMORY, start.cause, start.serial)
            return messages.pack_ident(ident)
        if op == messages.STATUS:
            return messages.pack_status(self._status())
        self._show_id = 0
        self._blank(messages.STATE_BLANK)
        return b""

    def _show(self, body: bytes) -> None:
        show = messages.unpack_show(body)
        _check_lease(show.lease_ms)
        if self._state == messages.STATE_SHOWING and body == self._shown_body:
            self._ends_ms = self._uptime.ms + show.lease_ms  # our answer was lost: the show goes on
            return
        for window in show.windows:
            self._check_window(window)
        placed = [Placed(self._pending.checked(window), window) for window in show.windows]
        self._pending = StripSet(STRIP_MEMORY)
        self._placed = placed
        self._show_id = show.show_id
        self._shown_body = body
        self._state = messages.STATE_SHOWING
        self._ends_ms = self._uptime.ms + show.lease_ms
        self._stale_us = 0
        self._compose()

    def _check_window(self, window: "Window") -> None:
        inside = window.x + window.w <= self.width and window.y + window.h <= self.height
        if not inside or not window.w or not window.h or window.mode > messages.MODE_SCROLL:
            raise Trouble(messages.BAD_FIELD)
        if window.mode == messages.MODE_SCROLL and not window.speed:
            raise Trouble(messages.BAD_FIELD)

    def _renew(self, renew: messages.Renew) -> None:
        _check_lease(renew.lease_ms)
        if self._state != messages.STATE_SHOWING or renew.show_id != self._show_id:
            raise Trouble(messages.BAD_FIELD)
        self._ends_ms = self._uptime.ms + renew.lease_ms

    def _status(self) -> messages.Status:
        return messages.Status(
            self._show_id,
            self._state,
            self._ends_ms - self._uptime.ms if self._state == messages.STATE_SHOWING else 0,
            self._uptime.ms // 1000,
            tuple([placed.offset for placed in self._placed]),
            hashlib.sha256(self.frame).digest()[:16],
        )

    def _blank(self, state: int) -> None:
        self._state = state
        self._placed = []
        self._shown_body = b""
        self._compose()

    def _compose(self) -> None:
        self.frame = compose(self._placed, self.width, self.height)


def _flags(configuration: "Configuration") -> int:
    flags = messages.FLAG_CONFIG_DEFAULT if configuration.is_default else 0
    flags |= messages.FLAG_CONFIG_DAMAGED if configuration.damaged else 0
    return flags | (messages.FLAG_CONFIG_WAITING if configuration.waiting else 0)


def _check_lease(lease_ms: int) -> None:
    if not 1 <= lease_ms <= messages.MAX_LEASE_MS:
        raise Trouble(messages.BAD_FIELD)
