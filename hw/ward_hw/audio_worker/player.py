"""Play what a content gives and report on it, in a thread of its own for each order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from ward_hw.audio_worker.pipe import Message
from ward_hw.audio_worker.programme import Programme

if TYPE_CHECKING:
    from ward_hw.audio_worker.output import Output

Send = Callable[[Message], None]
_REPORT_S = 0.5
_DEVICE_STALL_S = 3.0


class Content(Protocol):
    """Where the sound of an order comes from."""

    def fill(self, player: Player) -> str | None:
        """Put everything into the player's programme, unless it is stopping; return what went wrong, if anything."""

    def progress(self) -> Message:
        """Say what the agent is told beside the levels."""
        ...

    def facts(self) -> Message:
        """Say what the agent is told at the end: `requested_ms`, and what else there is."""
        ...


class Player:
    """One order being played, behind ``lead_in_ms`` of silence.

    Reports started, then levels twice a second (a sign of life, too), then played or failed.
    """

    def __init__(self, number: int, content: Content, *, lead_in_ms: int, rate: int, send: Send) -> None:
        self.over = False
        self.rate = rate
        self.programme = Programme(rate, rate * lead_in_ms // 1000)
        self._number = number
        self._content = content
        self._send = send
        self._taken = 0
        self._taken_at = self._reported_at = time.monotonic()
        self.thread = threading.Thread(target=self._run, name=f"play {number}", daemon=True)

    def start(self, output: Output) -> None:
        """Begin; returns at once."""
        self._output = output
        self.thread.start()

    def stop(self, fade_ms: int) -> None:
        """End soon; the order then ends as played, with what really was."""
        self.programme.stop(fade_ms)

    def put(self, piece: bytes) -> bool:
        """Hand a piece to the programme, then wait until more is wanted; whether that is so."""
        if not self.programme.put(piece):
            return False
        while not (self.programme.has_room or self.programme.stopping):
            self._wait(room=True)
        return True

    def look(self) -> None:
        """Tell what is new. Raises RuntimeError when the device has stopped taking."""
        if self.programme.take_begin():
            self._send({"id": self._number, "event": "started"})
        now = time.monotonic()
        if self.programme.taken != self._taken:
            self._taken, self._taken_at = self.programme.taken, now
        elif now - self._taken_at > _DEVICE_STALL_S:
            raise RuntimeError("the sound device takes nothing")
        if now - self._reported_at >= _REPORT_S:
            self._report()

    def _run(self) -> None:
        failure: str | None = None
        try:
            # The device first: the lead-in is heard while the decoder is still being imported.
            self._output.begin(self.programme)
            failure = self._content.fill(self)
            self.programme.complete()
            self._play_out()
        except Exception as error:  # noqa: BLE001 - the agent must hear of it, whatever it is
            failure = str(error) or type(error).__name__
        self.programme.abort()
        self._output.end()
        self._report()
        self.over = True  # before the agent hears of it: it may order the next sound at once
        self._end(failure)

    def _play_out(self) -> None:
        while not self.programme.finished:
            self._wait(room=False)
        time.sleep(self._output.latency_s)  # taken by the device is not yet heard

    def _wait(self, *, room: bool) -> None:
        """Wait for the device, tell what is new."""
        self.programme.wait(_REPORT_S, room=room)
        self.look()

    def _report(self) -> None:
        self._reported_at = time.monotonic()
        levels = self.programme.take_levels()
        self._send({"id": self._number, "event": "levels", "rms": levels, **self._content.progress()})

    def _end(self, failure: str | None) -> None:
        message: Message = {
            "id": self._number,
            "event": "played",
            "played_ms": round(self.programme.played * 1000 / self.rate),
            "underruns": self.programme.underruns,
            **self._content.facts(),
        }
        if failure is not None:
            message |= {"event": "failed", "reason": failure}
        self._send(message)
