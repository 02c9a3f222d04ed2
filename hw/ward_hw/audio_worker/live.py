"""A stream as the content of an order: received, authenticated, put in order, decoded; it always ends by itself."""

from __future__ import annotations

import time
from collections import Counter

from ward_hw.audio_worker import rtp
from ward_hw.audio_worker.jitter import JitterBuffer
from ward_hw.audio_worker.listen import Listener, NoPort
from ward_hw.audio_worker.pipe import Message
from ward_hw.audio_worker.player import Player
from ward_hw.audio_worker.srtp import Refusal, Refused, SrtpReceiver
from ward_hw.audio_worker.stream_decoder import StreamDecoder
from ward_hw.audio_worker.stream_order import StreamOrder

_TICK_S = 0.01
_READY_S = 0.06  # decoded sound that waits for the device: three of its periods
_DUE_S = 0.02  # with less than one period left, what has not come is lost
_FADE_MS = 50


class Live:
    """Plays what authenticates; nothing else opens a path to the output, and nothing but the end closes it."""

    def __init__(self, order: StreamOrder) -> None:
        self._order = order
        self._receiver = SrtpReceiver(order.master, payload_type=order.payload_type, ssrc=order.ssrc, after=order.after)
        self._buffer = JitterBuffer(order.clock_rate)
        self._refused: Counter[Refusal] = Counter()
        self._accepted = 0
        self._undecodable = 0
        self._concealed = 0  # frames
        self._first_at: float | None = None
        self._last_at = 0.0
        self._ended: str | None = None
        self._player: Player | None = None

    def fill(self, player: Player) -> str | None:
        """Receive until the end; returns why the port cannot be opened."""
        order, self._player = self._order, player
        decoder = StreamDecoder(order.codec, order.clock_rate, order.channels, rate=player.rate, gain_db=order.gain_db)
        begun = time.monotonic()
        try:
            with Listener(order.address, order.port) as listener:
                while self._ended is None:
                    for datagram in listener.read(_TICK_S):
                        self._take(datagram)
                    self._give(player, decoder)
                    player.look()
                    self._ended = self._ending(player, begun)
        except NoPort as error:
            return str(error)
        if self._ended == "limit":
            player.stop(_FADE_MS)
        return None

    def progress(self) -> Message:
        """What came of the stream up to now.

        Only what was authentic counts as played; asked for is the time in which packets came.
        """
        played_ms = self._played_ms()
        open_s = 0.0 if self._first_at is None else self._last_at - self._first_at
        position = self._receiver.position
        return {
            "played_ms": played_ms,
            "requested_ms": max(played_ms, round(open_s * 1000)),
            "stream": {
                "ended": self._ended,
                "accepted": self._accepted,
                "refused": {one.value: self._refused[one] for one in Refusal},
                "lost": self._buffer.lost + self._undecodable,
                "skipped": self._buffer.skipped,
                "position": None if position is None else [position.ssrc, position.index],
            },
        }

    def facts(self) -> Message:
        """The same, at the end."""
        return self.progress()

    def _played_ms(self) -> int:
        player = self._player
        if player is None:
            return 0
        return round(max(0, player.programme.played - self._concealed) * 1000 / player.rate)

    def _take(self, datagram: bytes) -> None:
        order = self._order
        try:
            packet = self._receiver.open(datagram)
            ticks = rtp.duration(order.codec, order.channels, packet.payload)
        except Refused as error:
            self._refused[error.refusal] += 1
            return
        except rtp.BadPacket:
            self._refused[Refusal.MALFORMED] += 1
            return
        self._accepted += 1
        self._last_at = time.monotonic()
        if self._first_at is None:
            self._first_at = self._last_at
        self._buffer.put(packet.index, ticks, packet.payload, self._last_at)

    def _give(self, player: Player, decoder: StreamDecoder) -> None:
        """Decode as much as the device will soon need, no more: what stays in the buffer can still be put in order."""
        programme = player.programme
        while (ready_s := programme.waiting / player.rate) < _READY_S:
            piece = self._buffer.take(time.monotonic(), due=ready_s < _DUE_S)
            if piece is None:
                return
            samples = decoder.decode(piece.payload) if piece.payload is not None else None
            if samples is None:
                self._undecodable += piece.payload is not None
                samples = decoder.conceal(piece.ticks)
                self._concealed += len(samples) // 2
            if not programme.put(samples):
                return

    def _ending(self, player: Player, begun: float) -> str | None:
        """Say whether and why it is over."""
        now = time.monotonic()
        if player.programme.stopping:
            return "stopped"
        if now - begun >= self._order.limit_s:
            return "limit"
        if self._first_at is None:
            return "absent" if now - begun >= self._order.first_s else None
        return "silence" if now - self._last_at >= self._order.silence_s else None
