"""Files and parts of files as the content of an order: decoded one behind the other."""

from __future__ import annotations

import contextlib

from ward_hw.audio_worker.order import Part, PlayOrder
from ward_hw.audio_worker.pipe import Message
from ward_hw.audio_worker.player import Player


class Files:
    """What an order to play names."""

    def __init__(self, order: PlayOrder) -> None:
        self._order = order
        self._rate = 1
        self._decoded = 0  # frames
        self._whole = False  # everything was decoded to its end

    def fill(self, player: Player) -> str | None:
        """Decode everything; what was good before a fault is still played. Returns the fault."""
        from ward_hw.audio_worker.decode import BadAudio  # noqa: PLC0415 - 20 MB an idle worker spares
        from ward_hw.audio_worker.tape import Tapes  # noqa: PLC0415 - likewise

        self._rate = player.rate
        tapes = Tapes(player.rate, self._order.gain_db)
        try:
            for part in self._order.parts:
                for piece in tapes.samples(part):
                    if not player.put(piece):
                        return None
                    self._decoded += len(piece) // 2
            self._whole = True
        except BadAudio as error:
            return str(error)
        finally:
            tapes.close()
        return None

    def progress(self) -> Message:
        """Nothing beside the levels."""
        return {}

    def facts(self) -> Message:
        """How long everything would have been: decoded, or told by order and files when it was cut short."""
        decoded_ms = round(self._decoded * 1000 / self._rate)
        if self._whole:
            return {"requested_ms": decoded_ms}
        return {"requested_ms": max(decoded_ms, sum(map(_told_ms, self._order.parts)))}


def _told_ms(part: Part) -> int:
    from ward_hw.audio_worker.decode import BadAudio, duration_ms  # noqa: PLC0415 - as above

    end_ms = part.end_ms
    if end_ms is None:
        end_ms = 0
        with contextlib.suppress(BadAudio):
            end_ms = duration_ms(part.path)
    return max(0, end_ms - part.begin_ms)
