"""Play files one behind the other and report on it, in a thread of its own for each order."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ward_hw.audio_worker.order import Part, PlayOrder
from ward_hw.audio_worker.pipe import Message
from ward_hw.audio_worker.programme import Programme

if TYPE_CHECKING:
    from ward_hw.audio_worker.output import Output

Send = Callable[[Message], None]
_REPORT_S = 0.5
_DEVICE_STALL_S = 3.0


class Player:
    """One order being played.

    Reports started, then levels twice a second (a sign of life, too), then played or failed.
    """

    def __init__(self, number: int, order: PlayOrder, *, rate: int, send: Send) -> None:
        self.over = False
        self._number = number
        self._parts = order.parts
        self._gain_db = order.gain_db
        self._rate = rate
        self._send = send
        self._programme = Programme(rate, rate * order.lead_in_ms // 1000)
        self._decoded = 0  # frames
        self._whole = False  # every file was decoded to its end
        self._taken = 0
        self._taken_at = self._reported_at = time.monotonic()
        self.thread = threading.Thread(target=self._run, name=f"play {number}", daemon=True)

    def start(self, output: Output) -> None:
        """Begin; returns at once."""
        self._output = output
        self.thread.start()

    def stop(self, fade_ms: int) -> None:
        """End soon; the order then ends as played, with what really was."""
        self._programme.stop(fade_ms)

    def _run(self) -> None:
        failure: str | None = None
        try:
            # The device first: the lead-in is heard while the decoder is still being imported.
            self._output.begin(self._programme)
            failure = self._decode()
            self._play_out()
        except Exception as error:  # noqa: BLE001 - the agent must hear of it, whatever it is
            failure = _words(error)
        self._programme.abort()
        self._output.end()
        self._report()
        self.over = True  # before the agent hears of it: it may order the next sound at once
        self._end(failure)

    def _decode(self) -> str | None:
        """Decode everything; what was good before a fault is still played. Returns the fault."""
        from ward_hw.audio_worker.decode import BadAudio  # noqa: PLC0415 - 20 MB an idle worker spares
        from ward_hw.audio_worker.tape import Tapes  # noqa: PLC0415 - likewise

        tapes = Tapes(self._rate, self._gain_db)
        try:
            for part in self._parts:
                for piece in tapes.samples(part):
                    if not self._put(piece):
                        return None
            self._whole = True
        except BadAudio as error:
            return _words(error)
        finally:
            tapes.close()
            self._programme.complete()
        return None

    def _put(self, piece: bytes) -> bool:
        """Hand a piece over, then wait until more is wanted; whether that is so."""
        if not self._programme.put(piece):
            return False
        self._decoded += len(piece) // 2
        while not (self._programme.has_room or self._programme.stopping):
            self._wait(room=True)
        return True

    def _play_out(self) -> None:
        while not self._programme.finished:
            self._wait(room=False)
        time.sleep(self._output.latency_s)  # taken by the device is not yet heard

    def _wait(self, *, room: bool) -> None:
        """Wait for the device, tell what is new. Raises RuntimeError when the device has stopped taking."""
        self._programme.wait(_REPORT_S, room=room)
        if self._programme.take_begin():
            self._send({"id": self._number, "event": "started"})
        now = time.monotonic()
        if self._programme.taken != self._taken:
            self._taken, self._taken_at = self._programme.taken, now
        elif now - self._taken_at > _DEVICE_STALL_S:
            raise RuntimeError("the sound device takes nothing")
        if now - self._reported_at >= _REPORT_S:
            self._report()

    def _report(self) -> None:
        self._reported_at = time.monotonic()
        self._send({"id": self._number, "event": "levels", "rms": self._programme.take_levels()})

    def _end(self, failure: str | None) -> None:
        message: Message = {
            "id": self._number,
            "event": "played",
            "played_ms": round(self._programme.played * 1000 / self._rate),
            "requested_ms": self._requested_ms(),
            "underruns": self._programme.underruns,
        }
        if failure is not None:
            message |= {"event": "failed", "reason": failure}
        self._send(message)

    def _requested_ms(self) -> int:
        """How long everything would have been: decoded, or told by order and files when it was cut short."""
        decoded_ms = round(self._decoded * 1000 / self._rate)
        if self._whole:
            return decoded_ms
        return max(decoded_ms, sum(map(_told_ms, self._parts)))


def _told_ms(part: Part) -> int:
    from ward_hw.audio_worker.decode import BadAudio, duration_ms  # noqa: PLC0415 - as in _decode

    end_ms = part.end_ms
    if end_ms is None:
        end_ms = 0
        with contextlib.suppress(BadAudio):
            end_ms = duration_ms(part.path)
    return max(0, end_ms - part.begin_ms)


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
